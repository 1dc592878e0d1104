#include "plan/price.h"

#include "plan/routes.h"

#include <fairlead/price_doubt.h>

#include <string>

namespace fairlead {

std::optional<ExpectedCost> expected_cost(const Target& target, const ExpectedTokens& tokens, const RequestMode& mode,
                                          const Snapshot& snapshot, TimePoint now) {
  const auto price = price_of(target, {tokens.input_tokens, thinks(target, mode.thinking), mode.service_tier}, now);
  const UsdRate* rate = snapshot.usd_rate(target.provider->currency, now);
  if (!price || !rate) return std::nullopt;
  ExpectedCost expected;
  expected.price = *price;
  if (price->rates.cached_input) expected.cached_tokens = tokens.cached_tokens;  // else it costs as all input does
  expected.input_tokens = tokens.input_tokens - expected.cached_tokens;
  expected.output_tokens = tokens.output_tokens;
  Usage usage;
  usage.input = expected.input_tokens;
  usage.cached_input = expected.cached_tokens;
  usage.output = expected.output_tokens;
  const auto amount = cost_of(usage, *price);
  if (!amount) return std::nullopt;
  expected.amount = *amount;
  expected.usd_rate = rate->usd;
  expected.usd_pico = multiply_pico(amount->pico, rate->usd);
  return expected;
}

std::optional<Int128> in_usd(const std::optional<ExpectedCost>& expected, std::optional<Int128> Rates::*kind) {
  if (!expected || !(expected->price.rates.*kind)) return std::nullopt;
  return multiply_pico(*(expected->price.rates.*kind), expected->usd_rate);
}

void reject_by_price(const Target& target, const RequestFacts& facts, const std::optional<ExpectedCost>& expected,
                     std::vector<Rejection>& rejections) {
  const auto check = [&](const Route& route, const char* kind, const std::optional<Int128>& limit,
                         std::optional<Int128> Rates::*rate) {
    if (!limit) return;
    const auto usd = in_usd(expected, rate);
    if (usd && *usd <= *limit) return;
    const std::string reason =
        usd ? "its " + std::string(kind) + " costs " + format_decimal(*usd) + " USD per million tokens now" : "it has no price now";
    rejections.push_back({&target, RejectedBy::price, "max_price." + std::string(kind),
                          reason + ", route " + route.name + " pays " + format_decimal(*limit) + " at most"});
  };
  for_each_route(target, facts, [&](const Route& route) {
    check(route, "input", route.max_price.input, &Rates::input);
    check(route, "output", route.max_price.output, &Rates::output);
  });
}

void reject_by_doubt(const Target& target, const Snapshot& snapshot, TimePoint now, std::vector<Rejection>& rejections) {
  if (!snapshot.price_rules.strict) return;
  for (const DoubtedPrice& doubted : doubts_of(target, snapshot, now))
    rejections.push_back({&target, RejectedBy::price, "prices.strict", "its price " + doubted.reason});
}

}  // namespace fairlead
