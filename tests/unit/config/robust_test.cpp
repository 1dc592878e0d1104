// Whatever a file holds, loading it ends, in bounded time and memory, with a snapshot or with errors (M61).
#include "config/config.h"
#include "config/reading.h"
#include "world.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>

namespace fairlead::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

Loaded load_text(const std::string& text) {
  World world;
  world.files["f.yaml"] = text;
  return world.load();
}

/// A snapshot or errors, never both, never neither.
void expect_an_answer(const Loaded& loaded) { EXPECT_EQ(loaded.snapshot == nullptr, !errors(loaded).empty()); }

TEST(Robust, a_file_cut_at_every_byte_is_read_or_refused) {
  for (std::size_t length = 0; length <= small_config.size(); ++length) {
    SCOPED_TRACE(length);
    expect_an_answer(load_text(small_config.substr(0, length)));
  }
}

TEST(Robust, a_file_with_any_byte_changed_is_read_or_refused) {
  for (std::size_t at = 0; at < small_config.size(); ++at) {
    SCOPED_TRACE(at);
    std::string text = small_config;
    text[at] = "{[\"':\n\t\xff&*!|"[at % 12];
    expect_an_answer(load_text(text));
  }
}

TEST(Robust, missing_empty_and_foreign_files_are_errors) {
  EXPECT_THAT(errors(World{}.load()), ElementsAre("f.yaml: cannot be read; is the path right, and may this user read it?"));
  for (const char* text : {"", "\n \n", "\xEF\xBB\xBF"})
    EXPECT_THAT(errors(load_text(text)), ElementsAre("f.yaml: is empty; was it written to the end?"));
  EXPECT_THAT(errors(load_text("# nothing but a remark\n")),
              ElementsAre("f.yaml: providers: the option 'providers' is missing; give at least one",
                          "f.yaml: routes: the option 'routes' is missing; give at least one"));
  EXPECT_THAT(errors(load_text("just words\n")), ElementsAre("f.yaml:1:1: expected a map, found a text"));
  EXPECT_THAT(errors(load_text("- a\n- b\n")), ElementsAre("f.yaml:1:1: expected a map, found a list"));
  EXPECT_THAT(errors(load_text("a: 1\n---\nb: 2\n")).front(), HasSubstr("a second document begins here"));
  EXPECT_THAT(errors(load_text(std::string("a: \0 1\n", 7))).front(), HasSubstr("it holds a zero byte"));
  EXPECT_THAT(errors(load_text(std::string(file_bytes_max + 1, '#'))),
              ElementsAre("f.yaml: is larger than 4 MiB; split it with `include:`"));
}

TEST(Robust, json_is_yaml) {
  const auto loaded = load_text(R"({"providers": {"p": {"profile": "q", "base_url": "http:\/\/x"}}, "profiles": {"q": {}},
    "routes": {"chat": {"targets": ["p/m"]}}, "workers": 2})");
  EXPECT_THAT(errors(loaded), testing::IsEmpty());
}

TEST(Robust, aliases_unfold_within_a_bound) {
  std::string bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 12; ++i) {
    const std::string last = "*a" + std::to_string(i - 1);
    bomb += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + last;
    for (int j = 1; j < 10; ++j) bomb += ", " + last;
    bomb += "]\n";
  }
  EXPECT_THAT(errors(load_text(bomb)).front(), HasSubstr("too large: its values need more than 64 MiB with all aliases unfolded"));

  std::string long_text = "a: &a " + std::string(1 << 20, 'x') + "\nb: [";
  for (int i = 0; i < 1'000; ++i) long_text += "*a, ";
  EXPECT_THAT(errors(load_text(long_text + "]\n")).front(), HasSubstr("too large"));
  EXPECT_THAT(errors(load_text("a: &a [*a]\n")).front(), HasSubstr("an alias inside of what it stands for"));
}

TEST(Robust, depth_is_bounded) {
  for (const std::string& open : {std::string("["), std::string("{a: "), std::string("- ")}) {
    std::string deep;
    for (int i = 0; i < 100'000; ++i) deep += open;
    EXPECT_THAT(errors(load_text(deep)).size(), 1u);
  }
  std::string chain = "a0: &a0 [x]\n";
  for (int i = 1; i < 100; ++i)
    chain += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [*a" + std::to_string(i - 1) + "]\n";
  EXPECT_THAT(errors(load_text(chain)).front(), HasSubstr("nested deeper than 32 levels"));
}

TEST(Robust, an_anchor_serves_two_providers) {
  std::string text = small_config;
  text.replace(text.find("  here:"), 7, "  here: &shared");
  text.replace(text.find("models:"), 7, "  there: *shared\nmodels:");
  const auto loaded = load_text(text);
  ASSERT_NE(loaded.snapshot, nullptr) << testing::PrintToString(errors(loaded));
  EXPECT_EQ(loaded.snapshot->providers.size(), 2u);
}

TEST(Robust, nothing_is_echoed_raw) {
  const auto found = errors(load_text("workers: \"\\e[31m\\x07" + std::string(500, 'x') + "\"\n"));
  ASSERT_FALSE(found.empty());
  for (const std::string& text : found)
    for (char c : text) EXPECT_GE(static_cast<unsigned char>(c), 0x20);
  EXPECT_LT(found.back().size(), 200u);
}

}  // namespace
}  // namespace fairlead::config
