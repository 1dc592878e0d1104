#pragma once
// How an attempt ended -> its settled row: usage believed or estimated, the price that was in force, the cost. Pure.
#include <fairlead/dialect.h>
#include <fairlead/plan.h>
#include <fairlead/row.h>

#include "exchange/retry.h"
#include "exchange/texts.h"

#include <optional>
#include <string>

namespace fairlead::exchange {

/// All that is known of an attempt when it is over.
struct AttemptEnd {
  const Target* target = nullptr;
  TimePoint sent_at, ended_at;
  net::SendReport report;
  int status = 0;
  std::optional<Error> error;  ///< empty: the answer came whole
  Phase phase = Phase::none;   ///< where it ended
  AnswerSummary answer;
  std::int64_t input_tokens_estimate = 0;
  RequestMode mode;
  std::optional<std::int64_t> output_tokens_max;  ///< the app's cap: no estimate exceeds it
  Int128 markup = 0;                              ///< of the team, a share of the cost, 10^-12
  double bytes_per_token = 3.5;                   ///< of an answer whose usage nobody tells
  std::optional<std::int64_t> first_byte_us;
};

/// The usage that the books take. The policy:
/// | what happened | usage |
/// | the provider reported | its figures (reported) |
/// | it reported absurd figures, or none at all for an answer with content | our estimate (invalid) |
/// | a 2xx answer without usage, whole or cut or cancelled | input estimate + the content that came (estimated) |
/// | sent whole, no answer: it may be billed | input estimate (estimated) |
/// | refused with an error status, or not sent whole | none, costs nothing |
struct TakenUsage {
  Usage usage;
  UsageSource source = UsageSource::none;
};
TakenUsage taken_usage(const AttemptEnd& end);

/// What the provider says of how it served a request wins over what was asked: the tier, and reasoning tokens, which only thinking
/// makes.
struct Served {
  RequestMode asked;
  std::optional<ServiceTier> service_tier;  ///< empty: the provider does not say
};

/// The cost of a usage at this target at this time. Empty: the target has no price then.
struct Cost {
  Money amount;
  Int128 usd_pico = 0;
  const UsdRate* usd_rate = nullptr;  ///< of the snapshot
  PriceInForce price;
};
std::optional<Cost> cost_at(const Target& target, const Usage& usage, const Served& served, TimePoint sent_at,
                            const Snapshot& snapshot);

AttemptSettle settle_attempt(const std::string& request_id, int number, const AttemptEnd& end, const Snapshot& snapshot,
                             Texts& texts);

}  // namespace fairlead::exchange
