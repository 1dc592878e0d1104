// The golden transcripts of tests/golden/openai: one file per case, replayed whole and cut at every byte, with the same result.
// A file is sections that begin with a line "== name"; a section's text ends before the line break of the next such line.
// FAIRLEAD_GOLDEN_WRITE=1 writes what is seen into the files, to be read before it is believed.
#include "unit/dialect/rig.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <sstream>

namespace fairlead {
namespace {

const std::filesystem::path folder = std::filesystem::path(FAIRLEAD_SOURCE_DIR) / "tests/golden/openai";

constexpr const char* section_names[] = {"case", "app request", "provider request", "provider response", "app response", "usage"};

struct Golden {
  std::map<std::string, std::string> sections;

  static Golden read(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    Golden golden;
    std::size_t at = text.find("== ");
    while (at != std::string::npos) {
      const std::size_t line = text.find('\n', at);
      const std::string name = text.substr(at + 3, line - at - 3);
      const std::size_t next = text.find("\n== ", line);
      const std::size_t end = next == std::string::npos ? text.size() - 1 : next;
      golden.sections[name] = end > line ? text.substr(line + 1, end - line - 1) : "";
      at = next == std::string::npos ? next : next + 1;
    }
    return golden;
  }

  void write(const std::filesystem::path& path) const {
    std::ofstream file(path, std::ios::binary);
    for (const char* name : section_names) file << "== " << name << '\n' << sections.at(name) << '\n';
  }

  /// A line "name: value" of the section `case`.
  std::string fact(const std::string& name) const {
    std::istringstream lines(sections.at("case"));
    for (std::string line; std::getline(lines, line);)
      if (line.starts_with(name + ": ")) return line.substr(name.size() + 2);
    return {};
  }
};

std::string with_line_ends(const std::string& text, const std::string& style) {
  if (style.empty()) return text;
  std::string out;
  for (const char c : text) c == '\n' ? out += style == "crlf" ? "\r\n" : "\r" : out += c;
  return out;
}

/// Of what an app saw: where lines end unusually, the ends are made visible.
std::string shown(const std::string& seen) {
  std::string out;
  for (const char c : seen) c == '\r' ? out += "<CR>" : out += c;
  return out;
}

std::string described(const Outcome& outcome) {
  std::ostringstream text;
  const AnswerSummary& summary = outcome.summary;
  const auto count = [&](const char* name, const std::optional<std::int64_t>& value) {
    if (value) text << '\n' << name << ": " << *value;
  };
  text << "source: " << to_string(summary.usage_source);
  count("input", summary.usage.input);
  count("cached_input", summary.usage.cached_input);
  count("cache_write", summary.usage.cache_write);
  count("output", summary.usage.output);
  count("reasoning", summary.usage.reasoning);
  count("audio", summary.usage.audio);
  count("image", summary.usage.image);
  text << "\nid: " << summary.id << "\nmodel: " << summary.model << "\nfinish_reason: " << summary.finish_reason
       << "\ncontent_bytes: " << summary.content_bytes;
  if (outcome.failed)
    text << "\nerror: " << to_string(outcome.error.kind)
         << (outcome.error.retry == Retry::before_commit ? ", retry before commit" : ", never retry")
         << "\nmessage: " << outcome.error.message();
  return text.str();
}

class GoldenTest : public testing::TestWithParam<std::string> {};

TEST_P(GoldenTest, IsTheSameWholeAndCutAtEveryByte) {
  const std::filesystem::path path = folder / (GetParam() + ".txt");
  Golden golden = Golden::read(path);
  const TargetRig rig(golden.fact("profile"), golden.fact("model"));
  const ChatRequest request = parsed(golden.sections["app request"]);
  AnswerOptions options;
  options.answer_model = golden.fact("answer_model") == "asked" ? AnswerModel::asked : AnswerModel::provider;
  options.asked_model = request.model;
  if (const std::string cost = golden.fact("cost"); !cost.empty()) options.cost_usd = [cost](const AnswerSummary&) { return cost; };

  const auto encoded = dialect_openai().encode_request(request, rig.target());
  ASSERT_TRUE(encoded);
  const std::string response = with_line_ends(golden.sections["provider response"], golden.fact("lines"));
  const Outcome whole = run_answer(request, rig.target(), options, {response});
  if (std::getenv("FAIRLEAD_GOLDEN_WRITE") != nullptr) {
    golden.sections["provider request"] = joined(encoded->body);
    golden.sections["app response"] = shown(whole.seen);
    golden.sections["usage"] = described(whole);
    golden.write(path);
  }
  EXPECT_EQ(joined(encoded->body), golden.sections["provider request"]);
  EXPECT_EQ(shown(whole.seen), golden.sections["app response"]);
  EXPECT_EQ(described(whole), golden.sections["usage"]);

  const auto expect_same = [&](const std::vector<std::string_view>& parts, std::size_t cut) {
    const Outcome other = run_answer(request, rig.target(), options, parts);
    ASSERT_EQ(other.seen, whole.seen) << "cut at " << cut;
    ASSERT_EQ(described(other), described(whole)) << "cut at " << cut;
  };
  const std::string_view all = response;
  for (std::size_t cut = 0; cut <= all.size(); ++cut) expect_same({all.substr(0, cut), all.substr(cut)}, cut);
  for (const std::size_t size : {1, 2, 3, 7, 64}) {
    std::vector<std::string_view> parts;
    for (std::size_t at = 0; at < all.size(); at += size) parts.push_back(all.substr(at, size));
    expect_same(parts, size);
  }
}

std::vector<std::string> cases() {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(folder))
    if (entry.path().extension() == ".txt") names.push_back(entry.path().stem().string());
  std::sort(names.begin(), names.end());
  return names;
}

INSTANTIATE_TEST_SUITE_P(OpenAi, GoldenTest, testing::ValuesIn(cases()), [](const auto& golden) {
  std::string name = golden.param;
  std::replace_if(
      name.begin(), name.end(), [](char c) { return c == '-' || c == '.'; }, '_');
  return name;
});

}  // namespace
}  // namespace fairlead
