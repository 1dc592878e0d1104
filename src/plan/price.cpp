#include "plan/price.h"

#include "plan/routes.h"

#include <string>

namespace fairlead {
namespace {

/// Null if the currency has no rate.
const Int128* usd_per(const Snapshot& snapshot, Currency currency) {
  const auto at = snapshot.usd_per.find(std::string(currency.view()));
  return at == snapshot.usd_per.end() ? nullptr : &at->second;
}

}  // namespace

std::optional<ExpectedCost> expected_cost(const Target& target, const ExpectedTokens& tokens, const Snapshot& snapshot,
                                          TimePoint now) {
  const auto price = price_of(target, tokens.input_tokens, now);
  const Int128* rate = usd_per(snapshot, target.provider->currency);
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
  expected.usd_pico = multiply_pico(amount->pico, *rate);
  return expected;
}

void reject_by_price(const Target& target, const RequestFacts& facts, const Snapshot& snapshot,
                     const std::optional<ExpectedCost>& expected, std::vector<Rejection>& rejections) {
  const auto check = [&](const Route& route, const char* kind, const std::optional<Int128>& limit,
                         const std::optional<Int128>& price) {
    if (!limit) return;
    std::string reason = "it has no price now";
    if (expected && price) {
      const Int128 usd = multiply_pico(*price, *usd_per(snapshot, expected->amount.currency));
      if (usd <= *limit) return;
      reason = "its " + std::string(kind) + " costs " + format_decimal(usd) + " USD per million tokens now";
    }
    rejections.push_back({&target, RejectedBy::price, "max_price." + std::string(kind),
                          reason + ", route " + route.name + " pays " + format_decimal(*limit) + " at most"});
  };
  const Rates rates = expected ? expected->price.rates : Rates{};
  for (const Route* route : routes_to(target, facts)) {
    check(*route, "input", route->max_price.input, rates.input);
    check(*route, "output", route->max_price.output, rates.output);
  }
}

}  // namespace fairlead
