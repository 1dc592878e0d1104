#pragma once
// The rows of the ledger, as values. Every exchange is exactly one request row with its attempt rows, however it ends.
#include <fairlead/money.h>
#include <fairlead/time.h>
#include <fairlead/usage.h>

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace fairlead {

/// open -> settled, or, after a crash, interrupted.
enum class RowState : std::uint8_t { open, settled, interrupted };

/// Who ended an exchange or attempt.
enum class EndedBy : std::uint8_t { none, app, fairlead, provider };

/// In which phase it ended. `done`: all went well.
enum class Phase : std::uint8_t { none, plan, connect, send, wait, relay, done };

std::string_view to_string(RowState);
std::string_view to_string(EndedBy);
std::string_view to_string(Phase);

/// Written before anything of the request is sent upstream (or at its end, if nothing ever is).
struct RequestOpen {
  std::string id;  ///< unique, time-ordered
  TimePoint started_at;
  std::string key, team, project, route, endpoint;
  std::string requested_model;
  bool stream = false;
  std::string snapshot_hash;
  std::string plan;      ///< JSON: candidates with their rates, rejections with reasons; the same for many requests
  std::string content;   ///< JSON: class -> count of what was looked for in the prompt; empty: nothing was
  std::string facts;     ///< JSON: what else routing knew of it, such as its tags; empty: nothing that a rule asks for
  std::string expected;  ///< JSON: [input, cached input, output tokens, USD in 10^-12] of each candidate, null without a price
};

struct RequestSettle {
  std::string id;
  TimePoint ended_at;
  int http_status = 0;  ///< what the app got; 0: nothing
  EndedBy ended_by = EndedBy::none;
  Phase phase = Phase::none;
  std::string error;   ///< ErrorKind's name, or "interrupted"; empty: success
  std::string target;  ///< that answered; empty: none
  int attempts = 0;
  std::optional<std::int64_t> first_byte_us;  ///< from start to the first byte to the app
  Int128 usd_pico = 0;                        ///< sum over the attempts that have a cost
  Int128 charge_usd_pico = 0;                 ///< what the team is charged for them
};

/// Durable before the attempt's first byte goes upstream.
struct AttemptOpen {
  std::string request_id;
  int number = 1;  ///< from 1
  TimePoint sent_at;
  std::string provider, model, target;
  std::optional<Int128> reserved_usd_pico;  ///< the worst that it can cost; empty: unpriced
  /// For recovery: what an interrupted attempt is taken to have consumed, and its cost at the price in force. No cost: unpriced.
  std::int64_t input_tokens_estimate = 0;
  std::optional<Money> estimate_cost;
  std::optional<Int128> estimate_usd_pico;
  std::optional<Int128> estimate_usd_rate;  ///< USD per unit of the estimate's currency, 10^-12
  Int128 markup = 0;                        ///< of the team, a share of the cost, 10^-12
  std::string price;                        ///< JSON of the price in force; the settlement's replaces it
};

struct AttemptSettle {
  std::string request_id;
  int number = 1;
  TimePoint ended_at;
  EndedBy ended_by = EndedBy::none;
  Phase phase = Phase::none;
  std::string error;         ///< ErrorKind's name, or "interrupted"; empty: success
  int status = 0;            ///< the provider's; 0: none came
  bool unconfirmed = false;  ///< sent whole, no answer: it may be billed
  bool connection_reused = false;
  std::string reported_model, upstream_id, finish_reason;
  Usage usage;
  UsageSource usage_source = UsageSource::none;
  std::optional<Money> cost;  ///< empty: unpriced (unknown, which is not 0)
  std::optional<Int128> usd_pico;
  std::optional<Int128> charge_usd_pico;    ///< the cost in USD and the markup
  std::optional<Int128> reported_usd_pico;  ///< what the provider itself said that it costs; empty: it did not
  std::optional<Int128> usd_rate;           ///< USD per unit of the cost's currency, 10^-12
  std::string price;                        ///< JSON of the price in force: entry, window, tier and rates
  std::optional<std::int64_t> connect_us, first_byte_us;
  std::int64_t duration_us = 0;
};

using Write = std::variant<RequestOpen, AttemptOpen, AttemptSettle, RequestSettle>;

}  // namespace fairlead
