#include "cli/reconcile/mapping.h"

#include <fairlead/names.h>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <stdexcept>

namespace fairlead::cli {
namespace {

using MappingJson = nlohmann::json;

/// `where`: "map.json" or "map.json:3:7"
Error bad_mapping(const std::string& where, const std::string& what) {
  return {ErrorKind::config, ErrorOrigin::fairlead, where + ": " + what};
}

/// "3:7" of the nth character, from 1.
std::string place_in(std::string_view text, std::size_t nth) {
  const std::string_view before = text.substr(0, nth > 0 ? nth - 1 : 0);
  const std::size_t line_begin = before.rfind('\n') + 1;  // 0 where there is none
  return std::to_string(std::count(before.begin(), before.end(), '\n') + 1) + ":" + std::to_string(before.size() - line_begin + 1);
}

/// An object, or where it is none.
Result<MappingJson> mapping_json(const std::string& name, std::string_view text) {
  try {
    auto json = MappingJson::parse(text);
    if (json.is_object()) return json;
    return bad_mapping(name + ":" + place_in(text, text.find_first_not_of(" \t\r\n") + 1), "it is not a JSON object");
  } catch (const MappingJson::parse_error& error) {
    return bad_mapping(name + ":" + place_in(text, error.byte), "it is not JSON; it was read up to here");
  }
}

Titles titles_in(const MappingJson& value) {
  if (value.is_string()) return {value.get<std::string>()};
  return value.get<Titles>();
}

/// "+08:00"
int minutes_in(const std::string& zone) {
  const auto digit = [&](std::size_t at) { return zone[at] >= '0' && zone[at] <= '9'; };
  const bool plain =
      zone.size() == 6 && (zone[0] == '+' || zone[0] == '-') && digit(1) && digit(2) && zone[3] == ':' && digit(4) && digit(5);
  if (!plain) throw std::invalid_argument("`zone` is a distance to UTC such as \"+08:00\"");
  const int minutes = std::stoi(zone.substr(1, 2)) * 60 + std::stoi(zone.substr(4, 2));
  return zone[0] == '-' ? -minutes : minutes;
}

Measure measure_in(const std::string& word, const char* member) {
  const auto measure = parse_name<Measure>(word, measure_count);
  if (!measure)
    throw std::invalid_argument("`" + std::string(member) + "` names '" + word +
                                "': requests, input, cached_input, cache_write, output or cost");
  return *measure;
}

std::string always_in(const std::string& text) {
  const auto currency = currency_in(text);
  if (!currency) throw std::invalid_argument("`currency_always`: " + currency.error().message());
  return *currency;
}

void read_member(Mapping& mapping, const std::string& name, const MappingJson& value) {
  const std::pair<const char*, Titles Mapping::*> columns[] = {
      {"day", &Mapping::day},   {"model", &Mapping::model}, {"kind", &Mapping::kind},         {"amount", &Mapping::amount},
      {"unit", &Mapping::unit}, {"cost", &Mapping::cost},   {"currency", &Mapping::currency},
  };
  for (const auto& [member, titles] : columns)
    if (name == member) {
      mapping.*titles = titles_in(value);
      return;
    }
  if (name == "zone")
    mapping.zone_minutes = minutes_in(value.get<std::string>());
  else if (name == "split")
    mapping.split = value.get<std::string>();
  else if (name == "model_part")
    mapping.model_part = value.get<std::size_t>();
  else if (name == "kind_part")
    mapping.kind_part = value.get<std::size_t>();
  else if (name == "kinds")
    for (const auto& word : value.items())
      mapping.kinds[word.key()] =
          word.value().is_null() ? std::nullopt : std::optional(measure_in(word.value().get<std::string>(), "kinds"));
  else if (name == "units")
    mapping.units = value.get<std::map<std::string, std::int64_t>>();
  else if (name == "figures")
    for (const auto& figure : value.items())
      mapping.figures.emplace_back(measure_in(figure.key(), "figures"), titles_in(figure.value()));
  else if (name == "within_input")
    for (const auto& word : value) mapping.within_input.push_back(measure_in(word.get<std::string>(), "within_input"));
  else if (name == "currency_always")
    mapping.currency_always = always_in(value.get<std::string>());
  else
    throw std::invalid_argument("there is no member `" + name + "`");
}

/// What exports look like, as far as it is known: DeepSeek's and OpenAI's from their usage pages, Alibaba's from its bill details,
/// whose instance says "text_token;workspace;model;kind;channel".
constexpr std::pair<const char*, const char*> built_in[] = {
    {"deepseek-amount", R"({"day": "utc_date", "model": "model", "kind": "type", "amount": "amount",
      "kinds": {"input_cache_miss_tokens": "input", "input_cache_hit_tokens": "cached_input", "output_tokens": "output",
                "request_count": "requests"}})"},
    {"deepseek-cost", R"({"day": "utc_date", "model": "model", "cost": "cost", "currency": "currency"})"},
    {"openai-usage", R"({"day": ["start_time_iso", "start_time"], "model": "model", "within_input": ["cached_input"],
      "figures": {"requests": "num_model_requests", "input": "input_tokens", "cached_input": "input_cached_tokens",
                  "output": "output_tokens"}})"},
    {"openai-costs", R"({"day": ["start_time_iso", "start_time"], "model": "line_item", "split": ", ", "model_part": 1,
      "cost": "amount_value", "currency": "amount_currency"})"},
    {"alibaba", R"({"zone": "+08:00", "day": ["BillingDate", "Billing Date", "账单日期"],
      "model": ["InstanceID", "Instance ID", "实例ID"], "split": ";", "model_part": 3, "kind_part": 4,
      "kinds": {"input_token": "input", "output_token": "output", "thinking_output_token": "output",
                "input_token_cache": "cached_input", "cached_token": "cached_input"},
      "amount": ["Usage", "用量"], "unit": ["UsageUnit", "Usage Unit", "用量单位"],
      "units": {"token": 1, "tokens": 1, "Tokens": 1, "千tokens": 1000, "千Token": 1000, "1K tokens": 1000, "K tokens": 1000},
      "cost": ["PretaxAmount", "Pretax Amount", "应付金额"], "currency": ["Currency", "币种"]})"},
};

}  // namespace

Result<Mapping> parse_mapping(const std::string& name, std::string_view json) {
  const auto members = mapping_json(name, json);
  if (!members) return members.error();
  Mapping mapping;
  mapping.name = name;
  std::string read;
  try {
    for (const auto& member : members->items()) read_member(mapping, read = member.key(), member.value());
  } catch (const MappingJson::exception&) {
    return bad_mapping(name, "`" + read + "` is of the wrong type");
  } catch (const std::logic_error& error) {
    return bad_mapping(name, error.what());
  }
  if (mapping.day.empty() || mapping.model.empty()) return bad_mapping(name, "`day` and `model` are needed");
  if (mapping.amount.empty() && mapping.figures.empty() && mapping.cost.empty())
    return bad_mapping(name, "one of `amount`, `figures` and `cost` is needed");
  if (!mapping.cost.empty() && mapping.currency.empty() && mapping.currency_always.empty())
    return bad_mapping(name, "`currency` or `currency_always` is needed beside `cost`");
  if (!mapping.amount.empty() && mapping.kinds.empty()) return bad_mapping(name, "`kinds` is needed beside `amount`");
  return mapping;
}

const std::vector<Mapping>& built_in_mappings() {
  static const std::vector<Mapping> mappings = [] {
    std::vector<Mapping> all;
    for (const auto& [name, json] : built_in) all.push_back(parse_mapping(name, json).value());
    return all;
  }();
  return mappings;
}

}  // namespace fairlead::cli
