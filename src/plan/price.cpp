#include "plan/price.h"

#include "plan/routes.h"

#include <algorithm>
#include <string>

namespace fairlead {
namespace {

/// Null if the currency has no rate.
const Int128* usd_per(const Snapshot& snapshot, Currency currency) {
  const auto at = snapshot.usd_per.find(std::string(currency.view()));
  return at == snapshot.usd_per.end() ? nullptr : &at->second;
}

}  // namespace

std::optional<ExpectedCost> expected_cost(const Target& target, const RequestFacts& facts, const Snapshot& snapshot,
                                          const Conditions& conditions, TimePoint now) {
  const auto price = price_of(target, facts.input_tokens, now);
  const Int128* rate = usd_per(snapshot, target.provider->currency);
  if (!price || !rate) return std::nullopt;
  ExpectedCost expected;
  expected.price = *price;
  expected.input_tokens = facts.input_tokens;
  expected.output_tokens =
      std::min(conditions.output_tokens_expected, facts.output_tokens_max.value_or(conditions.output_tokens_expected));
  Usage usage;
  usage.input = expected.input_tokens;
  usage.output = expected.output_tokens;
  const auto amount = cost_of(usage, *price);
  if (!amount) return std::nullopt;
  expected.amount = *amount;
  expected.usd_pico = multiply_pico(amount->pico, *rate);
  return expected;
}

std::optional<Int128> usd_rate(const ExpectedCost& expected, const std::optional<Int128>& rate, const Snapshot& snapshot) {
  if (!rate) return std::nullopt;
  return multiply_pico(*rate, *usd_per(snapshot, expected.amount.currency));
}

void reject_by_price(const Target& target, const RequestFacts& facts, const Snapshot& snapshot,
                     const std::optional<ExpectedCost>& expected, std::vector<Rejection>& rejections) {
  const auto check = [&](const Route& route, const char* kind, const std::optional<Int128>& limit,
                         const std::optional<Int128>& price) {
    if (!limit) return;
    std::string reason = "it has no price now";
    if (const auto usd = expected ? usd_rate(*expected, price, snapshot) : std::nullopt) {
      if (*usd <= *limit) return;
      reason = "its " + std::string(kind) + " costs " + format_decimal(*usd) + " USD per million tokens now";
    }
    rejections.push_back({&target, RejectedBy::price, "max_price." + std::string(kind),
                          reason + ", route " + route.name + " pays " + format_decimal(*limit) + " at most"});
  };
  const Rates rates = expected ? expected->price.rates : Rates{};
  for_each_route(target, facts, [&](const Route& route) {
    check(route, "input", route.max_price.input, rates.input);
    check(route, "output", route.max_price.output, rates.output);
  });
}

}  // namespace fairlead
