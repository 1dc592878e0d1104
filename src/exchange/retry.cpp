#include "exchange/retry.h"

#include <algorithm>

namespace fairlead::exchange {
namespace {

constexpr Milliseconds first_backoff{250};
constexpr Milliseconds backoff_max{5'000};  // beyond it the app's own SDK waits better than a held connection

/// Without `larger_than`: the one after it. A window that is not stated may be larger.
std::optional<Step> next_candidate(const std::vector<Candidate>& candidates, std::size_t from, std::int64_t larger_than = 0) {
  for (std::size_t i = from + 1; i < candidates.size(); ++i) {
    const std::int64_t window = candidates[i].target->model->context_window;
    if (larger_than == 0 || window == 0 || window > larger_than) return Step{i, false, Milliseconds{0}};
  }
  return std::nullopt;
}

}  // namespace

bool unconfirmed(const Failure& failure) { return failure.report.sent_whole && failure.status == 0; }

bool may_be_billed(const Failure& failure) { return unconfirmed(failure) || (failure.status >= 200 && failure.status < 300); }

bool is_of_this_target_alone(const Failure& failure) {
  return failure.error.kind == ErrorKind::upstream_auth || failure.error.kind == ErrorKind::upstream_no_money ||
         (failure.error.kind == ErrorKind::upstream_refused && failure.error.retry == Retry::before_commit);
}

AttemptCourse::AttemptCourse(const Route* route, int attempts_max) : attempts_left_(attempts_max - 1) {
  if (!route) return;
  fallback_ = route->fallback;
  fallback_on_unconfirmed_ = route->fallback_on_unconfirmed;
  fallback_on_refusal_ = route->fallback_on_refusal;
}

AttemptCourse::Remedy AttemptCourse::remedy(const Failure& failure) const {
  switch (failure.error.kind) {
    case ErrorKind::overloaded:  // of our own: there may be a connection to another one
    case ErrorKind::upstream_connect:
    case ErrorKind::upstream_tls:
    case ErrorKind::upstream_no_money:
    case ErrorKind::upstream_auth:
    case ErrorKind::upstream_protocol:
    case ErrorKind::upstream_timeout:
    case ErrorKind::upstream_closed: return Remedy::another_target;
    case ErrorKind::upstream_rate_limit:
    case ErrorKind::upstream_unavailable:
    case ErrorKind::upstream_error_event: return Remedy::another_or_later;
    case ErrorKind::upstream_filtered: return fallback_on_refusal_.filtered ? Remedy::another_target : Remedy::none;
    case ErrorKind::upstream_refused:
      if (failure.status == 404 || failure.error.retry == Retry::before_commit) return Remedy::another_target;
      if (failure.error.retry == Retry::larger_window) return fallback_on_refusal_.context ? Remedy::larger_window : Remedy::none;
      return fallback_on_refusal_.refused ? Remedy::another_target : Remedy::none;
    default: return Remedy::none;
  }
}

std::optional<Step> AttemptCourse::again_with_backoff(const Step& made, const Failure& failure, Milliseconds left, double jitter) {
  const Milliseconds own = std::min(backoff_max, first_backoff * (1 << std::min(backoffs_, 5)));
  const auto jittered = Milliseconds(static_cast<std::int64_t>(static_cast<double>(own.count()) * (0.5 + jitter / 2)));
  const Milliseconds delay = std::max(jittered, failure.retry_after.value_or(Milliseconds{0}));
  if (delay > backoff_max || delay >= left) return std::nullopt;
  ++backoffs_;
  return Step{made.candidate, false, delay};
}

std::optional<Step> AttemptCourse::after(const std::vector<Candidate>& candidates, const Step& made, const Failure& failure,
                                         Milliseconds left, double jitter) {
  const Remedy what = remedy(failure);
  if (what == Remedy::none || attempts_left_ <= 0 || left <= Milliseconds{0}) return std::nullopt;
  --attempts_left_;

  const bool nothing_sent = !failure.report.bytes_sent && failure.status == 0 &&
                            (failure.error.kind == ErrorKind::upstream_connect || failure.error.kind == ErrorKind::upstream_tls);
  const bool stale_connection = failure.error.retry == Retry::reused_connection_only;
  if ((nothing_sent || stale_connection) && retried_at_once_ != made.candidate) {
    retried_at_once_ = made.candidate;
    return Step{made.candidate, true, Milliseconds{0}};
  }
  if (may_be_billed(failure) && !stale_connection && !fallback_on_unconfirmed_) return std::nullopt;
  const std::int64_t larger_than = what == Remedy::larger_window ? candidates[made.candidate].target->model->context_window : 0;
  if (fallback_)
    if (const auto step = next_candidate(candidates, made.candidate, larger_than)) return step;
  if (what == Remedy::another_or_later) return again_with_backoff(made, failure, left, jitter);
  return std::nullopt;
}

}  // namespace fairlead::exchange
