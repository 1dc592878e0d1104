#include "plan/policy.h"

#include "plan/plan.h"
#include "unit/plan/world.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <algorithm>
#include <array>
#include <random>

namespace fairlead {
namespace {

using testing::World;

struct PolicyStage : ::testing::Test {
  World world;
  Provider& provider = world.provider("deepseek", {"CN", "CN", "cloud", "provider"});
  const Target& target = world.target(provider, world.model("deepseek-flash", "CN"));
  Route& chat = world.route("chat", {&target});
  Key key;
  RequestFacts facts;

  PolicyStage() {
    key.name = "checkout";
    key.team = "treasury";
    key.routes = {&chat};
    facts.key = &key;
    facts.route = &chat;
  }

  std::vector<Rejection> rejections(const std::vector<Policy>& policies) {
    std::vector<Rejection> found;
    reject_by_policy(target, facts, policies, found);
    return found;
  }

  bool allowed(const FactMatch& when, const FactMatch& allow, const FactMatch& deny) {
    return rejections({Policy{"rule", when, allow, deny, ""}}).empty();
  }
};

TEST_F(PolicyStage, TheTable) {
  struct Row {
    const char* meaning;
    FactMatch when, allow, deny;
    bool allowed;
  };
  for (const Row& row : std::vector<Row>{
           {"a rule without conditions", {}, {}, {}, true},
           {"allowed origin", {}, {{"origin", {"US", "CN"}}}, {}, true},
           {"other origin", {}, {{"origin", {"US", "EU"}}}, {}, false},
           {"two allowed facts", {}, {{"origin", {"CN"}}, {"hosting", {"cloud"}}}, {}, true},
           {"one of two allowed facts", {}, {{"origin", {"CN"}}, {"hosting", {"self"}}}, {}, false},
           {"allowed by nothing", {}, {{"origin", {}}}, {}, false},
           {"allowed provider", {}, {{"provider", {"deepseek"}}}, {}, true},
           {"allowed model", {}, {{"model", {"deepseek-flash"}}}, {}, true},
           {"a part of the model's name", {}, {{"model", {"deepseek"}}}, {}, false},
           {"groups are values like any other", {}, {{"region", {"ASIA"}}}, {}, false},
           {"allow is exact", {}, {{"origin", {"cn"}}}, {}, false},
           {"denied operator", {}, {}, {{"operator", {"CN"}}}, false},
           {"other operator denied", {}, {}, {{"operator", {"US"}}}, true},
           {"deny in another case", {}, {}, {{"operator", {"cn"}}}, false},
           {"denied model in another case", {}, {}, {{"model", {"DeepSeek-Flash"}}}, false},
           {"denied retention", {}, {}, {{"retention", {"trains", "provider"}}}, false},
           {"deny of nothing", {}, {}, {{"origin", {}}}, true},
           {"allowed and denied", {}, {{"origin", {"CN"}}}, {{"operator", {"CN"}}}, false},
           {"matching team", {{"team", {"defence", "treasury"}}}, {{"origin", {"US"}}}, {}, false},
           {"matching team in another case", {{"team", {"Treasury"}}}, {{"origin", {"US"}}}, {}, false},
           {"other team", {{"team", {"defence"}}}, {{"origin", {"US"}}}, {}, true},
           {"matching key", {{"key", {"checkout"}}}, {{"origin", {"US"}}}, {}, false},
           {"matching route", {{"route", {"chat"}}}, {{"origin", {"US"}}}, {}, false},
           {"other route", {{"route", {"other"}}}, {{"origin", {"US"}}}, {}, true},
           {"all of when must match", {{"team", {"treasury"}}, {"key", {"other"}}}, {{"origin", {"US"}}}, {}, true},
           {"all of when match", {{"team", {"treasury"}}, {"key", {"checkout"}}}, {{"origin", {"US"}}}, {}, false},
           {"a when that nobody knows applies", {{"mood", {"good"}}}, {{"origin", {"US"}}}, {}, false},
           {"an allow that nobody knows refuses", {}, {{"colour", {"red"}}}, {}, false},
           {"a deny that nobody knows refuses", {}, {}, {{"colour", {"red"}}}, false},
       }) {
    EXPECT_EQ(allowed(row.when, row.allow, row.deny), row.allowed) << row.meaning;
  }
}

TEST_F(PolicyStage, AFactThatIsNotStatedSatisfiesNeitherAllowNorDeny) {
  provider.facts = {};
  for (const char* fact : {"operator", "region", "hosting", "retention"}) {
    EXPECT_FALSE(allowed({}, {{fact, {"US", "CN", "self", "cloud", "none"}}}, {})) << fact;
    EXPECT_FALSE(allowed({}, {{fact, {""}}}, {})) << fact;
    EXPECT_FALSE(allowed({}, {}, {{fact, {"trains"}}})) << fact;
    EXPECT_FALSE(allowed({}, {}, {{fact, {}}})) << fact;
  }
}

TEST_F(PolicyStage, EveryReasonOfEveryPolicyIsKept) {
  provider.facts.region.clear();
  const auto found = rejections({
      {"memo-14", {}, {{"origin", {"US", "EU"}}, {"region", {"US"}}}, {}, "No models made in China"},
      {"passes", {}, {{"origin", {"CN"}}}, {}, ""},
      {"no-keeping", {}, {}, {{"retention", {"provider"}}}, ""},
  });
  ASSERT_EQ(found.size(), 3U);
  EXPECT_EQ(found[0].rule, "memo-14");
  EXPECT_EQ(found[0].reason, "its origin is CN, allowed is US, EU: No models made in China");
  EXPECT_EQ(found[1].reason, "its region is not stated, allowed is US: No models made in China");
  EXPECT_EQ(found[2].rule, "no-keeping");
  EXPECT_EQ(found[2].reason, "its retention is provider, denied is provider");
  for (const Rejection& r : found) EXPECT_TRUE(r.by == RejectedBy::policy && r.target == &target);
}

TEST_F(PolicyStage, M50NamingATargetGetsRoundNoPolicyOnARouteThatHoldsIt) {
  const Route& other = world.route("other", {});
  key.routes.push_back(&other);
  facts.route = nullptr;
  facts.target = &target;
  EXPECT_FALSE(allowed({{"route", {"chat"}}}, {{"origin", {"US"}}}, {}));
  EXPECT_TRUE(allowed({{"route", {"other"}}}, {{"origin", {"US"}}}, {}));
}

/// Random policies over a few values, so that they meet often.
class Dice {
 public:
  explicit Dice(std::uint32_t seed) : random_(seed) {}

  std::size_t below(std::size_t n) { return random_() % n; }
  const std::string& value() { return values_[below(values_.size())]; }

  FactMatch match(const std::vector<std::string>& names) {
    FactMatch match;
    for (std::size_t i = below(3); i > 0; --i)
      for (std::size_t j = 1 + below(2); j > 0; --j) match[names[below(names.size())]].push_back(value());
    return match;
  }

  Policy policy() { return {"p", match({"key", "team", "route"}), match(facts_), match(facts_), ""}; }

 private:
  std::mt19937 random_;
  const std::vector<std::string> values_{"", "US", "CN", "cn", "EU", "self"};
  const std::vector<std::string> facts_{"provider", "model", "origin", "operator", "region", "hosting", "retention"};
};

TEST(PolicyProperty, AddingAPolicyNeverEnlargesTheSetAndOrderDoesNotMatter) {
  Dice dice(20261122);
  World world;
  const std::array<Provider*, 2> providers{&world.provider("US"), &world.provider("CN")};
  std::vector<const Target*> targets;
  for (Provider* provider : providers) targets.push_back(&world.target(*provider, world.model(dice.value(), dice.value())));
  Key key;
  const Route& route = world.route("US", targets);
  key.routes = {&route};
  RequestFacts facts;
  facts.key = &key;
  std::vector<Rejection> found;
  const auto allowed = [&](const std::vector<Policy>& policies) {
    unsigned set = 0;
    for (std::size_t i = 0; i < targets.size(); ++i) {
      found.clear();
      reject_by_policy(*targets[i], facts, policies, found);
      if (found.empty()) set |= 1U << i;
    }
    return set;
  };
  int cases = 0, narrowed = 0, open = 0;
  while (cases < 100'000) {
    for (Provider* provider : providers) provider->facts = {dice.value(), dice.value(), dice.value(), dice.value()};
    std::array<std::vector<Policy>, 4> policies;  // each one more than the last, added anywhere
    for (std::size_t n = 1; n < policies.size(); ++n) {
      policies[n] = policies[n - 1];
      policies[n].insert(policies[n].begin() + static_cast<std::ptrdiff_t>(dice.below(n)), dice.policy());
    }
    std::vector<Policy> reversed(policies[3].rbegin(), policies[3].rend());
    for (int requests = 0; requests < 20; ++requests) {
      key.name = dice.value();
      key.team = dice.value();
      facts.route = dice.below(2) ? &route : nullptr;
      unsigned before = allowed(policies[0]);
      ASSERT_EQ(before, 0b11U) << "no policy, no refusal";
      for (std::size_t n = 1; n < policies.size(); ++n, ++cases) {
        const unsigned after = allowed(policies[n]);
        ASSERT_EQ(after & ~before, 0U) << "case " << cases;
        narrowed += after != before;
        before = after;
      }
      open += before != 0;
      if (requests % 5 != 0) continue;
      ASSERT_EQ(allowed(reversed), before) << "case " << cases;
    }
  }
  EXPECT_GT(narrowed, 1'000) << "the cases must reach both ends";
  EXPECT_GT(open, 1'000);
}

TEST_F(PolicyStage, ContentIsAConditionLikeAnyOther) {
  const FactMatch card{{"content", {"payment_card", "secret"}}}, self{{"hosting", {"self"}}};
  struct Row {
    std::vector<ContentCount> found;
    bool allowed;
  };
  for (const Row& row : std::vector<Row>{{{{"payment_card", 0}, {"secret", 0}}, true},
                                         {{{"payment_card", 1}, {"secret", 0}}, false},
                                         {{{"payment_card", 0}, {"secret", 7}}, false},
                                         {{{"payment_card", 0}, {"iban", 1}, {"secret", 0}}, true},
                                         {{{"payment_card", 0}}, false},  // nobody looked for secrets
                                         {{}, false}}) {
    facts.content = row.found;
    EXPECT_EQ(allowed(card, self, {}), row.allowed) << content_text(row.found);
  }
  facts.content = {{"payment_card", 1}, {"secret", 0}};
  EXPECT_TRUE(allowed({{"content", {"payment_card"}}, {"team", {"other"}}}, self, {}));
  // What was found is nobody's to read: a reason tells the rule alone.
  EXPECT_EQ(rejections({Policy{"rule", card, self, {}, "why"}})[0].reason, "its hosting is cloud, allowed is self: why");
}

TEST(ContentText, is_what_the_ledger_keeps) {
  EXPECT_EQ(content_text({}), "");
  EXPECT_EQ(content_text({{"secret", 0}, {"payment_card", 2}}), R"({"secret":0,"payment_card":2})");
}

}  // namespace
}  // namespace fairlead
