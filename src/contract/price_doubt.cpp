#include <fairlead/price_doubt.h>

#include <array>
#include <utility>

namespace fairlead {
namespace {

/// Amounts outside of these, in USD per million tokens, were most likely written per token or per thousand.
constexpr Int128 least_pico = pico_per_unit / 1'000;
constexpr Int128 most_pico = Int128{1'000} * pico_per_unit;
constexpr int output_times_input_max = 100, input_times_output_max = 10;

std::string why_odd_size(std::string_view kind, const std::optional<Int128>& rate, Int128 usd_per_unit) {
  if (!rate || *rate == 0) return "";
  const Int128 usd = multiply_pico(*rate, usd_per_unit);
  if (usd >= least_pico && usd <= most_pico) return "";
  return "has " + std::string(kind) + " at " + format_decimal(*rate) + ", which is " +
         (usd < least_pico ? "below 0.001" : "above 1000") + " USD; amounts are per million tokens";
}

std::string why_implausible(const Rates& rates, Int128 usd_per_unit) {
  for (const auto& [kind, rate] : {std::pair{"input", rates.input}, std::pair{"output", rates.output}})
    if (auto why = why_odd_size(kind, rate, usd_per_unit); !why.empty()) return why;
  const Int128 input = rates.input.value_or(0), output = rates.output.value_or(0);
  if (rates.cached_input && *rates.cached_input > input) return "has cached input dearer than input";
  if (output > input * output_times_input_max) return "has output at more than 100 times input";
  if (output > 0 && output * input_times_output_max < input) return "has output at less than a tenth of input";
  return "";
}

/// The amounts of each part of an entry, as they hold.
std::vector<Rates> parts_of(const Price& price) {
  std::vector<Rates> parts{price.rates, over(price.thinking, price.rates)};
  const auto add = [&](const auto& part) {
    parts.push_back(over(part.rates, price.rates));
    parts.push_back(over(part.thinking, parts.back()));
  };
  for (const PriceTier& tier : price.tiers) add(tier);
  for (const PriceWindow& window : price.windows) add(window);
  return parts;
}

bool is_free(const Rates& rates) { return rates.input.value_or(0) == 0 && rates.output.value_or(0) == 0; }

/// Thinking is dearer in the entry, and a tier or window with an output of its own says nothing of it.
bool forgets_thinking(const Price& price) {
  if (!price.thinking.output) return false;
  const auto forgets = [](const auto& part) { return part.rates.output && part.thinking == Rates{}; };
  for (const PriceTier& tier : price.tiers)
    if (forgets(tier)) return true;
  for (const PriceWindow& window : price.windows)
    if (forgets(window)) return true;
  return false;
}

}  // namespace

std::string_view to_string(PriceDoubt doubt) {
  constexpr std::array<std::string_view, price_doubt_count> names{"missing", "stale", "implausible"};
  return names.at(static_cast<std::size_t>(doubt));
}

std::string why_implausible(const Price& price, const UsdRates* rates) {
  const Int128 usd_per_unit = rates && !rates->dated.empty() ? rates->dated.back().usd : Int128{pico_per_unit};
  for (const Rates& part : parts_of(price))
    if (auto why = why_implausible(part, usd_per_unit); !why.empty()) return why;
  if (is_free(price.rates) && price.confidence == "low") return "is 0, at low confidence";
  if (forgets_thinking(price)) return "is dearer for thinking, but a tier or window of it says nothing of that";
  return "";
}

std::vector<DoubtedPrice> doubts_of(const Target& target, const Snapshot& snapshot, TimePoint at) {
  const auto price = price_of(target, 1, at);
  if (!price) return {{PriceDoubt::missing, "is not known"}};
  std::vector<DoubtedPrice> doubts;
  if (!snapshot.usd_rate(price->entry->currency, at))
    doubts.push_back({PriceDoubt::missing, "is in " + std::string(price->entry->currency.view()) + ", without a rate to USD"});
  const TimePoint seen = price->entry->seen.value_or(price->entry->from);
  const bool agreed = price->contract || target.provider->facts.hosting == "self";  // nobody changes it behind one's back
  if (!agreed && at - seen > snapshot.price_rules.stale_days)
    doubts.push_back({PriceDoubt::stale, "was last seen in force on " + day_text(seen) + ", more than " +
                                             std::to_string(snapshot.price_rules.stale_days.count()) + " days ago"});
  if (!price->entry->implausible.empty()) doubts.push_back({PriceDoubt::implausible, price->entry->implausible});
  return doubts;
}

}  // namespace fairlead
