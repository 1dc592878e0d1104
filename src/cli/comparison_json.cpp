// For programs: amounts are exact decimal strings, what there is not is null.
#include "cli/comparison.h"
#include "cli/table.h"

#include <nlohmann/json.hpp>

namespace fairlead::cli {
namespace {

using Json = nlohmann::ordered_json;

Json offer_json(const std::optional<Offer>& offer) {
  if (!offer) return nullptr;
  return {{"targets", offer->targets},
          {"usd_per_1000_requests", offer->usd_pico ? Json(format_decimal(*offer->usd_pico)) : Json(nullptr)}};
}

Json targets_json(const std::vector<TargetChange>& changes) {
  Json json = Json::array();
  for (const TargetChange& change : changes) json.push_back({{"target", change.target}, {"why", change.why}});
  return json;
}

Json effect_json(const Effect& effect) {
  return {{"route", effect.route},
          {"keys", effect.keys},
          {"from", effect.from.empty() ? Json(nullptr) : Json(effect.from)},
          {"before", offer_json(effect.before)},
          {"after", offer_json(effect.after)},
          {"gained", targets_json(effect.gained)},
          {"lost", targets_json(effect.lost)},
          {"reordered", effect.reordered}};
}

Json change_json(const Change& change) {
  const auto stated = [](const std::string& value) { return value.empty() ? Json(nullptr) : Json(value); };
  Json json{{"change", to_string(change.kind)}, {"name", change.name}, {"fields", Json::object()}};
  for (const FieldChange& field : change.fields)
    json["fields"][field.field] = {{"before", stated(field.before)}, {"after", stated(field.after)}};
  return json;
}

}  // namespace

std::string comparison_json(const Comparison& comparison, const Told& told) {
  Json json{{"before", told.before},
            {"after", told.after},
            {"at", iso_8601_us(told.reference.at)},
            {"input_tokens", told.reference.input_tokens},
            {"output_tokens", told.reference.output_tokens},
            {"asked_from", comparison.asked_from},
            {"differs", comparison.any()},
            {"needs_restart", comparison.needs_restart},
            {"effects", Json::array()},
            {"written", Json::object()}};
  for (const Effect& effect : comparison.effects) json["effects"].push_back(effect_json(effect));
  for (const Section& section : comparison.sections)
    for (const Change& change : section.changes) json["written"][section.title].push_back(change_json(change));
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace fairlead::cli
