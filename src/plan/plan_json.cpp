// The plan as the ledger keeps it.
#include "plan/plan.h"

#include "plan/reasons.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

namespace fairlead {
namespace {

using Json = nlohmann::ordered_json;

Json rates_json(const Rates& rates) {
  Json json = Json::object();
  for (const RateKind& kind : rate_kinds)
    if (const auto& rate = rates.*kind.rate) json[std::string(kind.name)] = format_decimal(*rate);
  return json;
}

/// What the configuration stated of it then, for who asks later what was believed; what it did not is not there.
Json facts_json(const Target& target) {
  Json facts = Json::object();
  for (const Fact fact : {Fact::origin, Fact::operator_, Fact::region, Fact::hosting, Fact::retention})
    if (const std::string_view value = stated_fact(target, fact); !value.empty()) facts[std::string(to_string(fact))] = value;
  for (const auto& [label, end] : target.provider->facts.labels) facts["labels"][label] = day_text(end);
  return facts;
}

Json candidate_json(const Candidate& candidate) {
  Json json{{"target", candidate.target->name}, {"facts", facts_json(*candidate.target)}};
  if (candidate.terms.weight != TargetTerms{}.weight) json["weight"] = candidate.terms.weight;
  if (candidate.terms.quality) json["quality"] = *candidate.terms.quality;
  if (candidate.explored) json["explored"] = true;
  if (!candidate.expected) return json;
  const PriceInForce& price = candidate.expected->price;
  json["currency"] = candidate.expected->amount.currency.view();
  if (candidate.expected->amount.currency != Currency{}) json["usd_rate"] = format_decimal(candidate.expected->usd_rate);
  json["rates"] = rates_json(price.rates);
  json["price_from"] = iso_8601(price.entry->from);
  if (!price.window.empty()) json["window"] = price.window;
  if (price.above_input_tokens > 0) json["above_input_tokens"] = price.above_input_tokens;
  if (price.contract) json["contract"] = true;
  if (price.thinking) json["thinking"] = true;
  if (price.service_tier != ServiceTier::standard) json["service_tier"] = to_string(price.service_tier);
  if (price.service_factor) json["service_factor"] = format_decimal(*price.service_factor);
  if (price.regional_factor) json["regional_factor"] = format_decimal(*price.regional_factor);
  if (price.discount > 0) json["discount"] = format_decimal(price.discount);
  if (price.surcharge > 0) json["surcharge"] = format_decimal(price.surcharge);
  return json;
}

Json rejection_json(const Rejection& rejection) {
  return {
      {"target", rejection.target->name}, {"by", to_string(rejection.by)}, {"rule", rejection.rule}, {"reason", rejection.reason}};
}

void append_number(std::string& text, Int128 number) {
  std::array<char, 24> digits{};
  const auto small = static_cast<std::int64_t>(number);
  if (small != number) {  // above nine million USD
    text += "null";
    return;
  }
  text.append(digits.data(), std::to_chars(digits.data(), digits.data() + digits.size(), small).ptr);
}

/// Names that are not UTF-8 must not cost the row.
std::string dumped(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

Rates rates_of(const Json& json) {
  Rates rates;
  for (const RateKind& kind : rate_kinds)
    if (const auto rate = parse_decimal(json.value(std::string(kind.name), std::string()))) rates.*kind.rate = *rate;
  return rates;
}

constexpr std::size_t cost_numbers = 4, numbers_with_times = 7;

/// How fast it was, where that was looked at.
void add_times(Json& candidate, const Json& expected) {
  if (!expected.is_array() || expected.size() != numbers_with_times) return;
  std::size_t at = cost_numbers;
  for (const char* name : {"first_token_us_p50", "first_token_us_p90", "token_us_p50"}) candidate[name] = expected[at++];
  if (!candidate.contains("output_tokens")) candidate["output_tokens"] = expected[2];
}

/// What the candidate was expected to cost, in words of the plan.
void add_expected(Json& candidate, const Json& expected) {
  if (!candidate.is_object()) return;
  candidate["expected_usd"] = nullptr;
  if (!expected.is_array() || expected.size() < cost_numbers || !candidate.contains("rates")) return;
  for (int i = 0; i < 3; ++i)
    if (!expected[i].is_number_integer()) return;
  Usage usage;
  usage.input = expected[0].get<std::int64_t>();
  usage.cached_input = expected[1].get<std::int64_t>();
  usage.output = expected[2].get<std::int64_t>();
  PriceInForce price;
  price.rates = rates_of(candidate["rates"]);
  if (const auto amount = cost_of(usage, price)) candidate["amount"] = format_decimal(amount->pico);
  if (expected[3].is_number_integer()) candidate["expected_usd"] = format_decimal(expected[3].get<std::int64_t>());
  candidate["input_tokens"] = *usage.input;
  candidate["cached_tokens"] = *usage.cached_input;
  candidate["output_tokens"] = *usage.output;
}

}  // namespace

std::string plan_text(const Plan& plan) {
  Json json{{"strategy", plan.strategy}}, policies = Json::array(), candidates = Json::array(), rejections = Json::array();
  for (const Policy* policy : plan.policies) policies.push_back(policy->name);
  for (const Candidate& candidate : plan.candidates) candidates.push_back(candidate_json(candidate));
  for (const Rejection& rejection : plan_reasons(plan)) rejections.push_back(rejection_json(rejection));
  if (plan.first_token_ms_max) json["first_token_ms_max"] = plan.first_token_ms_max->count();
  json["policies"] = std::move(policies);
  json["candidates"] = std::move(candidates);
  json["rejections"] = std::move(rejections);
  return dumped(json);
}

std::string expected_text(const Plan& plan) {
  std::string text;
  text.reserve(64 * plan.candidates.size() + 32);
  text = "[";
  for (const Candidate& candidate : plan.candidates) {
    if (text.size() > 1) text += ',';
    if (!candidate.expected && !candidate.times) {
      text += "null";
      continue;
    }
    ExpectedCost none;
    none.input_tokens = candidate.input_tokens;
    none.output_tokens = candidate.output_tokens;
    const ExpectedCost& expected = candidate.expected ? *candidate.expected : none;
    char before = '[';
    for (const std::int64_t number : {expected.input_tokens, expected.cached_tokens, expected.output_tokens}) {
      text += std::exchange(before, ',');
      append_number(text, number);
    }
    text += ',';
    candidate.expected ? append_number(text, expected.usd_pico) : void(text += "null");
    if (candidate.times)
      for (const std::int64_t number :
           {candidate.times->first_token_p50, candidate.times->first_token_p90, candidate.times->token_p50}) {
        text += ',';
        append_number(text, number);
      }
    text += ']';
  }
  if (plan.seed) text.append(text.size() > 1 ? "," : "").append("{\"seed\":").append(std::to_string(*plan.seed)).append("}");
  return text += ']';
}

std::string content_text(const std::vector<ContentCount>& content) {
  if (content.empty()) return {};
  Json counts = Json::object();
  for (const ContentCount& one : content) counts[one.name] = one.count;
  return dumped(counts);
}

void append_plan_key(std::string& key, const Plan& plan) {
  const auto add = [&](std::uint64_t number) { key.append(reinterpret_cast<const char*>(&number), sizeof number); };
  key.append(plan.strategy) += '\n';
  add(static_cast<std::uint64_t>(plan.keeping));
  add(static_cast<std::uint64_t>(plan.first_token_ms_max.value_or(Milliseconds(-1)).count()));
  for (const Candidate& candidate : plan.candidates) {
    add(reinterpret_cast<std::uintptr_t>(candidate.target));
    const TargetTerms& terms = candidate.terms;
    add(static_cast<std::uint64_t>(terms.weight) << 16 | static_cast<std::uint64_t>(terms.quality.value_or(-1) + 1) << 1 |
        (candidate.explored ? 1 : 0));
    const PriceInForce none, &price = candidate.expected ? candidate.expected->price : none;
    add(reinterpret_cast<std::uintptr_t>(price.entry));
    add(static_cast<std::uint64_t>(candidate.expected ? candidate.expected->usd_rate : 0));
    add(static_cast<std::uint64_t>(price.above_input_tokens));
    add(static_cast<std::uint64_t>(price.discount));
    add(static_cast<std::uint64_t>(price.surcharge));
    add(static_cast<std::uint64_t>(price.service_tier) << 1 | static_cast<std::uint64_t>(price.thinking));
    add(static_cast<std::uint64_t>(price.window_number));
  }
  for (const Policy* policy : plan.policies) {
    add(reinterpret_cast<std::uintptr_t>(policy));
    add(static_cast<std::uint64_t>(
        std::count_if(policy->ends.begin(), policy->ends.end(), [&](const Policy::End& end) { return end.at <= plan.at; })));
  }
  for (const Rejection& rejection : plan.rejections) {
    add(reinterpret_cast<std::uintptr_t>(rejection.target));
    add(static_cast<std::uint64_t>(rejection.by));
    key.append(rejection.rule).append("\n").append(rejection.reason) += '\n';
  }
}

std::string whole_plan_text(std::string_view plan, std::string_view expected) {
  Json whole = Json::parse(plan, nullptr, false);
  const Json numbers = Json::parse(expected, nullptr, false);
  if (!whole.is_object()) return "null";
  const auto candidates = whole.find("candidates");
  if (candidates == whole.end() || !candidates->is_array()) return dumped(whole);
  for (std::size_t i = 0; i < candidates->size(); ++i) {
    const Json own = numbers.is_array() && i < numbers.size() ? numbers[i] : Json();
    add_expected((*candidates)[i], own);
    if ((*candidates)[i].is_object()) add_times((*candidates)[i], own);
  }
  if (numbers.is_array() && numbers.size() > candidates->size() && numbers.back().is_object() && numbers.back().contains("seed"))
    whole["seed"] = numbers.back()["seed"];
  return dumped(whole);
}

}  // namespace fairlead
