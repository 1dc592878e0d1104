// Assertions as they are read: by the same words as policies, with the same mistakes told.
#include "config/config.h"
#include "world.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace fairlead::config {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

Loaded with_assertions(const std::string& assertions) {
  World world;
  world.files["f.yaml"] = small_config + "assertions:\n" + assertions;
  world.now = [] { return std::chrono::sys_days(std::chrono::year(2026) / 6 / 1); };
  return world.load();
}

TEST(Assertions, say_never_or_always_of_requests_and_targets) {
  const auto loaded = with_assertions(R"(
  - name: no-us
    never: {when: {team: Payments, input_tokens: {above: 100}}, target: {operator: [ZA], model: 'm*'}}
  - {name: at-home, always: {target: {hosting: self}}}
)");
  EXPECT_THAT(errors(loaded), IsEmpty());
  EXPECT_THAT(warnings(loaded), IsEmpty());
  ASSERT_NE(loaded.snapshot, nullptr);
  const auto& assertions = loaded.snapshot->assertions;
  ASSERT_EQ(assertions.size(), 2U);
  EXPECT_EQ(assertions[0].name, "no-us");
  EXPECT_EQ(assertions[0].place, "f.yaml:22:5");
  EXPECT_TRUE(assertions[0].never);
  ASSERT_TRUE(assertions[0].when.keys);
  EXPECT_TRUE(assertions[0].when.keys->has(0));
  EXPECT_THAT(assertions[0].when.input_tokens, ElementsAre(TokenRange{.above = 100}));
  EXPECT_THAT(assertions[0].target, ElementsAre(FactRule{Fact::operator_, {"ZA"}}, FactRule{Fact::model, {"m*"}}));
  EXPECT_FALSE(assertions[1].never);
  EXPECT_EQ(assertions[1].when.keys, std::nullopt);
  EXPECT_THAT(assertions[1].target, ElementsAre(FactRule{Fact::hosting, {"self"}}));
}

TEST(Assertions, mistakes_are_told_with_their_place) {
  struct Row {
    const char* assertions;
    const char* error;
  };
  for (const Row& row : std::vector<Row>{
           {"  - {name: a, never: {when: {key: apq}, target: {origin: CN}}}\n",
            "f.yaml:21:35: assertions[0].never.when.key[0]: no key 'apq'; did you mean 'app'?"},
           {"  - {name: a, never: {when: {route: chta}, target: {origin: CN}}}\n",
            "f.yaml:21:37: assertions[0].never.when.route[0]: no route 'chta'; did you mean 'chat'?"},
           {"  - {name: a, always: {target: {provider: hree}}}\n",
            "f.yaml:21:43: assertions[0].always.target.provider[0]: no provider 'hree'; did you mean 'here'?"},
           {"  - {name: a, never: {when: {content: ibann}, target: {origin: CN}}}\n",
            "f.yaml:21:39: assertions[0].never.when.content[0]: no class of content 'ibann'; did you mean 'iban'?"},
           {"  - {name: a, always: {target: {orgin: CN}}}\n",
            "f.yaml:21:33: assertions[0].always.target.orgin: there is no option 'orgin'; did you mean 'origin'?"},
           {"  - {name: a, never: {target: {origin: CN}}, always: {target: {origin: CN}}}\n",
            "f.yaml:21:5: assertions[0]: it says both `never` and `always`; make it two assertions"},
           {"  - {name: a}\n",
            "f.yaml:21:5: assertions[0]: it says neither `never` nor `always`; say one of them: what no request may reach, or what "
            "all must reach"},
           {"  - {name: a, never: {target: {origin: CN}}}\n  - {name: a, never: {target: {origin: CN}}}\n",
            "f.yaml:22:12: assertions[1].name: there are two assertions named 'a'; the first is at f.yaml:21:12"},
       }) {
    const auto loaded = with_assertions(row.assertions);
    EXPECT_THAT(errors(loaded), ElementsAre(row.error)) << row.assertions;
    EXPECT_EQ(loaded.snapshot, nullptr);
  }
}

TEST(Assertions, warnings_tell_of_words_that_nothing_here_has) {
  const auto told = [](const std::string& says) { return warnings(with_assertions("  - {name: a, " + says + "}\n")); };
  EXPECT_THAT(
      told("never: {when: {team: payment}, target: {origin: CN}}"),
      ElementsAre("f.yaml:21:36: warning: assertions[0].never.when.team[0]: nothing here has the team 'payment', so this never "
                  "matches; did you mean 'payments'?"));
  EXPECT_EQ(told("never: {target: {origin: CHN}}").size(), 1U);
  EXPECT_THAT(told("never: {target: {origin: cn}}"), IsEmpty()) << "as deny does, it does not mind the case";
  EXPECT_EQ(told("always: {target: {origin: cn}}").size(), 1U) << "as allow does, it does";
}

TEST(Assertions, that_are_not_proved_are_errors_where_they_stand) {
  World world;
  world.files["f.yaml"] =
      small_config + "assertions:\n  - {name: a, never: {target: {origin: CN}}}\n  - {name: b, never: {target: {origin: CN}}}\n";
  world.now = [] { return std::chrono::sys_days(std::chrono::year(2026) / 6 / 1); };
  Sources sources = world.sources();
  sources.prove = [](const Snapshot& snapshot, TimePoint) {
    return std::vector<Unproved>{{&snapshot.assertions.at(1), nullptr, "does not hold: why", "a hint"}};
  };
  const Loaded loaded = load("f.yaml", sources);
  EXPECT_EQ(loaded.snapshot, nullptr);
  EXPECT_THAT(errors(loaded), ElementsAre("f.yaml:22:5: assertions[1]: the assertion 'b' does not hold: why; a hint"));
  EXPECT_NE(world.load().snapshot, nullptr) << "nobody asks";
  world.files["f.yaml"] += "nonsense: 1\n";
  sources = world.sources();
  sources.prove = [](const Snapshot&, TimePoint) -> std::vector<Unproved> { throw std::runtime_error("of what is wrong anyway"); };
  EXPECT_EQ(load("f.yaml", sources).findings.size(), 1U);
}

}  // namespace
}  // namespace fairlead::config
