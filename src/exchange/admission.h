#pragma once
// May a request pass under the limits of its key, team and route? What the app is told of it. One worker's thread.
#include <fairlead/plan.h>
#include <fairlead/result.h>

#include "net/app.h"
#include "state/limits.h"

#include <memory>
#include <optional>
#include <string>

namespace fairlead::exchange {

/// `admitted` holds what the request takes of its limits, until it ends.
struct Admission {
  std::unique_ptr<state::Limits::Admitted> admitted;
  std::optional<Error> refusal;             ///< rate_limited
  std::optional<Milliseconds> retry_after;  ///< of a refusal; empty: it never fits
  net::Fields fields;                       ///< x-ratelimit-*, for the answer, whatever it is
};

/// Empty: no limit is set for requests like this one.
std::optional<Admission> admit(state::Limits& limits, const RequestFacts& facts, const Snapshot& snapshot, const Plan& plan,
                               state::SteadyTime now);

/// As OpenAI's headers say it, rounded up to a millisecond: "0s", "20ms", "59.5s", "6m0s", "23h59m0s".
std::string duration_text(state::SteadySpan span);

}  // namespace fairlead::exchange
