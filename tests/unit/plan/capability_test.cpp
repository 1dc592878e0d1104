#include "plan/capability.h"

#include "unit/plan/world.h"

#include <gtest/gtest.h>
#include <limits>

namespace fairlead {
namespace {

using testing::World;

Capabilities set_of(std::initializer_list<Capability> list) {
  Capabilities set;
  for (const Capability c : list) set.add(c);
  return set;
}

struct CapabilityStage : ::testing::Test {
  World world;
  Provider& provider = world.provider("p");
  Model& model = world.model("m");
  const Target& target = world.target(provider, model);
  RequestFacts facts;

  /// The rules that reject the target, joined by spaces.
  std::string rules() {
    std::vector<Rejection> rejections;
    reject_by_capability(target, facts, facts.input_tokens, rejections);
    std::string names;
    for (const Rejection& r : rejections) {
      EXPECT_EQ(r.by, RejectedBy::capability);
      EXPECT_FALSE(r.reason.empty());
      names += (names.empty() ? "" : " ") + r.rule;
    }
    return names;
  }
};

TEST_F(CapabilityStage, AModelThatStatesNothingIsTakenToHaveAll) {
  facts.needs.bits = 0xff;
  facts.input_tokens = 10'000'000;
  facts.output_tokens_max = 10'000'000;
  EXPECT_EQ(rules(), "");
}

TEST_F(CapabilityStage, EachCapabilityThatAModelDoesNotStateIsNamed) {
  model.capabilities_stated = true;
  model.capabilities = set_of({Capability::tools});
  facts.needs = set_of({Capability::tools, Capability::vision, Capability::json_schema});
  EXPECT_EQ(rules(), "vision json_schema");
  facts.needs = set_of({Capability::tools, Capability::streaming});
  EXPECT_EQ(rules(), "") << "every model streams";
  facts.needs = set_of({Capability::choices});
  EXPECT_EQ(rules(), "") << "and takes `n`";
}

TEST_F(CapabilityStage, WhatAProviderLacksItsModelsLack) {
  world.profile_of(provider).lacks = set_of({Capability::json_schema, Capability::streaming});
  facts.needs = set_of({Capability::json_schema, Capability::streaming, Capability::tools});
  EXPECT_EQ(rules(), "json_schema streaming");
  model.capabilities_stated = true;
  model.capabilities = set_of({Capability::json_schema, Capability::tools});
  EXPECT_EQ(rules(), "json_schema streaming");
  world.profile_of(provider).lacks = set_of({Capability::choices});
  facts.needs = set_of({Capability::choices});
  EXPECT_EQ(rules(), "choices");
}

TEST_F(CapabilityStage, InputAndOutputCapMustFitTheWindow) {
  model.context_window = 1'000;
  facts.input_tokens = 1'200;
  EXPECT_EQ(rules(), "") << "the estimate may be 20 % off";
  facts.input_tokens = 1'201;
  EXPECT_EQ(rules(), "context_window");
  facts.input_tokens = 960;
  facts.output_tokens_max = 200;
  EXPECT_EQ(rules(), "") << "the cap is no estimate";
  facts.output_tokens_max = 201;
  EXPECT_EQ(rules(), "context_window");
  facts.output_tokens_max = std::numeric_limits<std::int64_t>::max();
  EXPECT_EQ(rules(), "context_window") << "the sum must not overflow";
}

TEST_F(CapabilityStage, TheOutputCapMustBeWithinWhatTheModelGives) {
  model.output_tokens_max = 100;
  EXPECT_EQ(rules(), "");
  facts.output_tokens_max = 100;
  EXPECT_EQ(rules(), "");
  facts.output_tokens_max = 101;
  EXPECT_EQ(rules(), "output_tokens_max");
}

}  // namespace
}  // namespace fairlead
