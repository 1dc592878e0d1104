#include "cli/price_json.h"

#include "cli/table.h"

namespace fairlead::cli {

using Json = nlohmann::ordered_json;

namespace {

std::string percent(Int128 share) { return format_decimal(share * 100) + " %"; }

Json rate(const std::optional<Int128>& value) { return value ? Json(format_decimal(*value)) : Json(nullptr); }

}  // namespace

std::string why(const PriceInForce& price) {
  std::string text = price.contract ? "contract, from " : "from ";
  text += day_text(price.entry->from);
  if (price.entry->until) text += " until " + minute_text(*price.entry->until);
  for (const std::string& region : price.entry->regions) text += ", for " + region;
  if (!price.window.empty()) text += ", " + price.window + " hours";
  if (price.above_input_tokens > 0) text += ", above " + std::to_string(price.above_input_tokens) + " input tokens";
  if (price.thinking) text += ", thinking";
  if (price.service_tier != ServiceTier::standard)
    text += ", " + std::string(to_string(price.service_tier)) +
            (price.service_factor ? " x " + format_decimal(*price.service_factor) : " (no price of its own)");
  if (price.regional_factor) text += ", regional x " + format_decimal(*price.regional_factor);
  if (price.discount > 0) text += ", less " + percent(price.discount);
  if (price.surcharge > 0) text += ", plus " + percent(price.surcharge);
  return text;
}

Json rates_json(const PriceInForce& price) {
  Json json = Json::object();
  for (const RateKind& kind : rate_kinds) json[std::string(kind.name)] = rate(price.rates.*kind.rate);
  json.update(Json{{"window", price.window.empty() ? Json(nullptr) : Json(price.window)},
                   {"above_input_tokens", price.above_input_tokens},
                   {"thinking", price.thinking},
                   {"service_tier", to_string(price.service_tier)},
                   {"service_factor", rate(price.service_factor)},
                   {"regional_factor", rate(price.regional_factor)},
                   {"contract", price.contract},
                   {"discount", format_decimal(price.discount)},
                   {"surcharge", format_decimal(price.surcharge)}});
  return json;
}

Json price_json(const PriceInForce& price) {
  const Price& entry = *price.entry;
  Json json = rates_json(price);
  json["from"] = iso_8601_us(entry.from);
  json["until"] = entry.until ? Json(iso_8601_us(*entry.until)) : Json(nullptr);
  json["regions"] = entry.regions;
  json["except_regions"] = entry.except_regions;
  json["seen"] = iso_8601_us(entry.seen.value_or(entry.from));
  json["built_in"] = entry.built_in;
  json["source"] = entry.source;
  json["confidence"] = entry.confidence;
  return json;
}

Json usd_json(const UsdRate* usd) {
  if (!usd) return nullptr;
  return {{"rate", format_decimal(usd->usd)}, {"from", usd->from ? Json(iso_8601_us(*usd->from)) : Json(nullptr)}};
}

}  // namespace fairlead::cli
