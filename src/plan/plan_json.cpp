// The plan as the ledger keeps it.
#include "plan/plan.h"

#include <array>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <utility>

namespace fairlead {
namespace {

using Json = nlohmann::ordered_json;

/// UTC, to the second: the dates of price entries have no fraction.
std::string iso_8601(TimePoint at) {
  using namespace std::chrono;
  const auto day = floor<days>(at);
  const year_month_day date(day);
  const hh_mm_ss time(floor<seconds>(at - day));
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%04d-%02u-%02uT%02d:%02d:%02dZ", int{date.year()}, unsigned{date.month()},
                unsigned{date.day()}, static_cast<int>(time.hours().count()), static_cast<int>(time.minutes().count()),
                static_cast<int>(time.seconds().count()));
  return text.data();
}

Json rates_json(const Rates& rates) {
  Json json = Json::object();
  const auto add = [&](const char* kind, const std::optional<Int128>& rate) {
    if (rate) json[kind] = format_decimal(*rate);
  };
  add("input", rates.input);
  add("cached_input", rates.cached_input);
  add("cache_write", rates.cache_write);
  add("output", rates.output);
  return json;
}

Json candidate_json(const Candidate& candidate) {
  Json json{{"target", candidate.target->name}, {"expected_usd", nullptr}};
  if (!candidate.expected) return json;
  const ExpectedCost& expected = *candidate.expected;
  json["expected_usd"] = format_decimal(expected.usd_pico);
  json["amount"] = format_decimal(expected.amount.pico);
  json["currency"] = expected.amount.currency.view();
  json["input_tokens"] = expected.input_tokens;
  json["cached_tokens"] = expected.cached_tokens;
  json["output_tokens"] = expected.output_tokens;
  json["rates"] = rates_json(expected.price.rates);
  json["price_from"] = iso_8601(expected.price.entry->from);
  if (!expected.price.window.empty()) json["window"] = expected.price.window;
  if (expected.price.above_input_tokens > 0) json["above_input_tokens"] = expected.price.above_input_tokens;
  return json;
}

Json rejection_json(const Rejection& rejection) {
  return {
      {"target", rejection.target->name}, {"by", to_string(rejection.by)}, {"rule", rejection.rule}, {"reason", rejection.reason}};
}

}  // namespace

std::string to_json(const Plan& plan) {
  Json candidates = Json::array(), rejections = Json::array();
  for (const Candidate& candidate : plan.candidates) candidates.push_back(candidate_json(candidate));
  for (const Rejection& rejection : plan.rejections) rejections.push_back(rejection_json(rejection));
  const Json json{{"strategy", plan.strategy}, {"candidates", std::move(candidates)}, {"rejections", std::move(rejections)}};
  // Names that are not UTF-8 must not cost the row.
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace fairlead
