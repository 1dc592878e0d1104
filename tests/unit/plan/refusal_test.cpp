#include "plan/refusal.h"

#include "unit/plan/stage.h"

namespace fairlead {
namespace {

using namespace testing;

struct Refusal : PlanStage {
  Provider& provider = world.provider("p");
  Model &small = world.model("small"), &large = world.model("large");
  Route& chat = world.route("chat", {&world.target(provider, small), &world.target(provider, large)});

  Refusal() { ask_for({&chat}); }
  Error refusal() {
    const Plan made = plan();
    EXPECT_TRUE(made.candidates.empty());
    return refusal_of(made, "req_1");
  }
};

TEST_F(Refusal, OfMoreChoicesThanAnyoneGivesNamesTheField) {
  world.profile_of(provider).lacks.add(Capability::choices);
  facts.needs.add(Capability::choices);
  facts.choices = 3;
  const Error error = refusal();
  EXPECT_EQ(error.kind, ErrorKind::bad_request);
  EXPECT_EQ(error.param(), "n");
  EXPECT_EQ(error.message(), "no target of this route can serve this request: it gives one choice, and `n` asks for 3");
}

TEST_F(Refusal, OfWhatIsTooLongNamesTheLargestWindowUnderOpenAIsCode) {
  small.context_window = 100;
  large.context_window = 500;
  facts.output_tokens_max = 7;
  const Error error = refusal();
  EXPECT_EQ(error.kind, ErrorKind::bad_request);
  EXPECT_EQ(error.code(), "context_length_exceeded");
  EXPECT_EQ(error.param(), "messages");
  EXPECT_EQ(error.message(),
            "This request is longer than the maximum context length of every target that it may reach; of the largest: about 1000 "
            "tokens of input and 7 of output do not fit its window of 500 tokens.");
}

TEST_F(Refusal, OfWhatWouldNotBeServedIfItWereShorterIsNotForItsLength) {
  small.context_window = large.context_window = 500;
  set_policies(world, {policy("none", {}, {{Fact::model, {"other"}}})});
  EXPECT_EQ(refusal().kind, ErrorKind::policy);
  set_policies(world, {policy("large-only", {}, {{Fact::model, {"large"}}})});
  EXPECT_EQ(refusal().code(), "context_length_exceeded") << "policy lets it reach one";
}

}  // namespace
}  // namespace fairlead
