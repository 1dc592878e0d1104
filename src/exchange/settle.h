#pragma once
// How an attempt ended -> its settled row: usage believed or estimated, the price that was in force, the cost. Pure.
#include <fairlead/dialect.h>
#include <fairlead/estimate.h>
#include <fairlead/plan.h>
#include <fairlead/row.h>

#include "exchange/retry.h"
#include "exchange/texts.h"

#include <optional>
#include <string>

namespace fairlead::exchange {

/// What an attempt asked for, as far as it bounds what an answer can have used.
struct Asked {
  std::int64_t input_tokens = 0;                     ///< as estimated
  std::int64_t output_tokens = 0;                    ///< as expected, of all choices
  std::optional<std::int64_t> repeated_tokens = {};  ///< as TargetEstimate had it
  std::size_t body_bytes = 0;                        ///< of the request as it was sent
  bool stream = false;
  const RequestFacts* facts = nullptr;
};

/// What is known of an attempt from its beginning on.
struct AttemptProgress {
  const Target* target = nullptr;
  TimePoint sent_at;  ///< one instant for the hold, the row and the price, so that none of them sees another price than the others
  TimePoint ended_at;
  net::SendReport report;
  int status = 0;
  std::optional<Error> error;  ///< empty: the answer came whole
  Phase phase = Phase::none;   ///< where it ended
  Asked asked;
  std::optional<std::int64_t> first_byte_us;
};

/// All that is known of it when it is over.
struct AttemptEnd : AttemptProgress {
  AnswerSummary answer;
  TextBytes content;                                                         ///< of the answer, as far as it came
  std::array<double, script_count> bytes_per_token = prior_bytes_per_token;  ///< of an answer whose usage nobody tells
  Int128 markup = 0;                                                         ///< of the team, a share of the cost, 10^-12
};

/// The usage that the books take. The policy (docs/accounting.md):
/// | what happened | usage |
/// | the provider reported | its figures (reported) |
/// | the same, before the end of an answer that fairlead closed | its figures, or more, by BillsAfterClose (estimated, or none) |
/// | it reported what can not be (usage_bounds.h), or nothing at all for an answer with content | our estimate (invalid) |
/// | it reported input or output alone, or was overtaken by the content that came | its figures, and our estimate (estimated) |
/// | a 2xx answer without usage, whole or cut off by its provider | input estimate + the content that came (estimated) |
/// | the same, when fairlead closed the connection | by what the provider bills then: BillsAfterClose (estimated, or none) |
/// | sent whole, no answer: it may be billed | input estimate (estimated) |
/// | refused with an error status, or not sent whole, or on a kept connection that was closed | none, costs nothing |
struct TakenUsage {
  Usage usage;
  UsageSource source = UsageSource::none;
};
TakenUsage taken_usage(const AttemptEnd& end);
/// Is what was reported so far what taken_usage() gives of this attempt, if it ends well?
bool is_taken_as_reported(const AttemptProgress& attempt, const AnswerSummary& so_far);
/// Will taken_usage() want to know `bytes_per_token`?
bool needs_estimate(const AttemptEnd& end);

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
