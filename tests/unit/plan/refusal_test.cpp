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

}  // namespace
}  // namespace fairlead
