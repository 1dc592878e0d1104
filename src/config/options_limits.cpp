// The rows of the description: how much a key, a team or a route may ask for, and how repeated requests are known.
#include "config/option_rows.h"

#include <string>

namespace fairlead::config {
namespace {

constexpr std::int64_t limit_max = 1'000'000'000'000;  // so that no sum of them overflows

}  // namespace

void add_rate_limit_rows(Rows& rows, const std::string& at, const std::string& whose) {
  rows.push_back({.path = at + ".limits",
                  .type = Type::object,
                  .doc = "Rate limits of " + whose + "; requests beyond them are refused with 429, which says when to come back.",
                  .otherwise = "no limit",
                  .min = 1});
  const auto limit = [&](const std::string& name, std::string doc) {
    rows.push_back({.path = at + ".limits." + name,
                    .type = Type::integer,
                    .doc = std::move(doc),
                    .otherwise = "no limit",
                    .min = 1,
                    .max = limit_max});
  };
  limit("requests_per_minute", "Requests admitted in any 60 seconds.");
  limit("requests_per_day", "Requests admitted in any 24 hours.");
  limit(
      "tokens_per_minute",
      "Tokens, input and output, of the requests admitted in any 60 seconds: as estimated while they are under way, then as used.");
  limit("tokens_per_day", "The same for any 24 hours.");
  limit("parallel", "Requests under way at the same time.");
}

void add_idempotency_rows(Rows& rows) {
  constexpr std::int64_t hour = 3'600'000;
  rows.push_back({.path = "idempotency",
                  .type = Type::object,
                  .doc = "How answers to requests with an `Idempotency-Key` are kept, in memory alone, for repeats of them."});
  rows.push_back({.path = "idempotency.window",
                  .type = Type::duration,
                  .doc = "How long a repeat is known, from the end of the answer; 0s: the header is ignored.",
                  .fallback = "24h",
                  .max = 7 * 24 * hour});
  rows.push_back({.path = "idempotency.memory_bytes_max",
                  .type = Type::bytes,
                  .doc = "Memory for all kept answers; those under way take three quarters at most. Beyond it the oldest go first, "
                         "and their repeats are refused. Names of served requests are kept in it too, and go last, oldest first.",
                  .fallback = "64MiB",
                  .min = 1 << 10,
                  .max = std::int64_t{64} << 30});
  rows.push_back({.path = "idempotency.answer_bytes_max",
                  .type = Type::bytes,
                  .doc = "A larger answer is not kept; its repeats are refused.",
                  .fallback = "4MiB",
                  .min = 1 << 10,
                  .max = 1 << 30});
}

}  // namespace fairlead::config
