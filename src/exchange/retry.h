#pragma once
// Where the next attempt of a request goes, or that there is none: the table of attempts. Pure; `random` comes in as an argument.
#include <fairlead/plan.h>
#include <fairlead/result.h>
#include <fairlead/snapshot.h>

#include "net/upstream.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace fairlead::exchange {

/// How an attempt failed.
struct Failure {
  Error error;
  net::SendReport report;
  int status = 0;                           ///< the provider's; 0: none came
  std::optional<Milliseconds> retry_after;  ///< as the provider said
};

/// Sent whole, and no answer came: the provider may have done, and billed, the work (but for a stale connection).
bool unconfirmed(const Failure& failure);
/// That, or a 2xx answer had begun when it broke off.
bool may_be_billed(const Failure& failure);

/// It says nothing of the request, nor that it is worth trying again: so what another target said before is the better answer.
bool is_of_this_target_alone(const Failure& failure);

struct Step {
  std::size_t candidate = 0;      ///< index into the plan's candidates
  bool fresh_connection = false;  ///< not one from the pool
  Milliseconds delay{0};          ///< wait before it
};

/// Counts the attempts of one request over all candidates: one cap holds for retries and fallbacks together.
class AttemptCourse {
 public:
  /// `route`: null for a target that the app named.
  AttemptCourse(const Route* route, int attempts_max);

  /// After attempt `made` failed and nothing of an answer has reached the app. `left`: until the request's deadline.
  /// `jitter` in [0, 1). Empty: give up, and the failure is the answer.
  std::optional<Step> after(const std::vector<Candidate>& candidates, const Step& made, const Failure& failure, Milliseconds left,
                            double jitter);

 private:
  /// Would another target, or the same one a little later, answer this request differently?
  enum class Remedy : std::uint8_t { none, another_target, larger_window, another_or_later };

  Remedy remedy(const Failure& failure) const;
  std::optional<Step> again_with_backoff(const Step& made, const Failure& failure, Milliseconds left, double jitter);

  bool fallback_ = true, fallback_on_unconfirmed_ = true;
  FallbackOnRefusal fallback_on_refusal_;
  int attempts_left_;
  int backoffs_ = 0;
  std::optional<std::size_t> retried_at_once_;  ///< the last candidate whose one immediate second try is used up
};

}  // namespace fairlead::exchange
