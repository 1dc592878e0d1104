#include "plan/facts_text.h"

#include <algorithm>
#include <bit>
#include <nlohmann/json.hpp>

namespace fairlead {
namespace {

using FactsJson = nlohmann::ordered_json;

/// Caps are as different as apps; twice as much is no other request.
std::int64_t rough(std::int64_t tokens) {
  constexpr std::uint64_t most = std::uint64_t{1} << 40;
  return static_cast<std::int64_t>(std::bit_ceil(std::min(static_cast<std::uint64_t>(std::max<std::int64_t>(tokens, 1)), most)));
}

/// Without those that the row tells elsewhere.
std::uint8_t own_needs(const RequestFacts& facts) {
  constexpr unsigned told = 1U << static_cast<unsigned>(Capability::streaming) | 1U << static_cast<unsigned>(Capability::choices);
  return static_cast<std::uint8_t>(facts.needs.bits & ~told);
}

FactsJson thinking_json(const ThinkingWish& wish) {
  FactsJson json = FactsJson::object();
  for (int i = 0; i < thinking_switch_count; ++i)
    if (((wish.on | wish.off) >> i & 1) != 0)
      json[std::string(to_string(static_cast<ThinkingSwitch>(i)))] = (wish.on >> i & 1) != 0;
  return json;
}

constexpr std::pair<const char*, std::vector<std::string> Wishes::*> wish_lists[] = {
    {"only", &Wishes::only}, {"ignore", &Wishes::ignore}, {"order", &Wishes::order}, {"models", &Wishes::models}};
constexpr std::pair<const char*, std::optional<Int128> Wishes::*> wish_prices[] = {{"max_input_price", &Wishes::max_input_price},
                                                                                   {"max_output_price", &Wishes::max_output_price}};
constexpr const char* wish_sorts[] = {"none", "price", "throughput", "latency"};

FactsJson wishes_json(const Wishes& wishes) {
  FactsJson json = FactsJson::object();
  for (const auto& [name, list] : wish_lists)
    if (!(wishes.*list).empty()) json[name] = wishes.*list;
  for (const auto& [name, price] : wish_prices)
    if (wishes.*price) json[name] = format_decimal(*(wishes.*price));
  if (wishes.sort != Wishes::Sort::none) json["sort"] = wish_sorts[static_cast<int>(wishes.sort)];
  if (wishes.keep_nothing) json["keep_nothing"] = true;
  if (!wishes.fallbacks) json["fallbacks"] = false;
  if (wishes.require_parameters) json["require_parameters"] = true;
  return json;
}

std::unique_ptr<Wishes> wishes_in(const FactsJson& json) {
  auto wishes = std::make_unique<Wishes>();
  for (const auto& [name, list] : wish_lists)
    if (json.contains(name)) (*wishes).*list = json[name].get<std::vector<std::string>>();
  for (const auto& [name, price] : wish_prices)
    if (json.contains(name))
      if (const auto decimal = parse_decimal(json[name].get<std::string>())) (*wishes).*price = *decimal;
  const std::string sort = json.value("sort", "none");
  for (int i = 0; i < static_cast<int>(std::size(wish_sorts)); ++i)
    if (sort == wish_sorts[i]) wishes->sort = static_cast<Wishes::Sort>(i);
  wishes->keep_nothing = json.value("keep_nothing", false);
  wishes->fallbacks = json.value("fallbacks", true);
  wishes->require_parameters = json.value("require_parameters", false);
  return wishes;
}

void recall(const FactsJson& json, RecalledFacts& recalled) {
  ChatRequest& body = recalled.body;
  for (const auto& need : json.value("needs", std::vector<std::string>()))
    if (const auto capability = parse_capability(need)) body.needs.add(*capability);
  for (int i = 0; i < thinking_switch_count; ++i) {
    const auto field = static_cast<ThinkingSwitch>(i);
    const std::string name(to_string(field));
    if (json.contains("thinking") && json["thinking"].contains(name))
      body.mode.thinking.set(field, json["thinking"][name].get<bool>());
  }
  body.mode.service_tier = parse_service_tier(json.value("service_tier", std::string()));
  body.choices = json.value("choices", std::int64_t{1});
  if (json.contains("output_tokens_max")) body.output_tokens_max = json["output_tokens_max"].get<std::int64_t>();
  body.keeping = parse_keeping(json.value("keeping", std::string())).value_or(Keeping::not_asked);
  body.unknown_content = json.value("unknown_content", false);
  if (json.contains("wishes")) body.wishes = wishes_in(json["wishes"]);
  recalled.tags = json.value("tags", std::vector<std::string>());
  recalled.client = json.value("client", std::string());
}

}  // namespace

std::optional<std::uint64_t> facts_number(const RequestFacts& facts) {
  if (!facts.tags.empty() || facts.client || facts.wishes != nullptr) return std::nullopt;
  std::uint64_t number = own_needs(facts);
  number = number << 8 | facts.mode.thinking.on;
  number = number << 8 | facts.mode.thinking.off;
  number = number << 4 | static_cast<std::uint64_t>(facts.mode.service_tier);
  number = number << 10 | static_cast<std::uint64_t>(std::clamp<std::int64_t>(facts.choices - 1, 0, choices_max));
  number =
      number << 8 | (facts.output_tokens_max ? std::bit_width(static_cast<std::uint64_t>(rough(*facts.output_tokens_max))) : 0U);
  number = number << 2 | static_cast<std::uint64_t>(facts.keeping);
  return number << 1 | static_cast<std::uint64_t>(facts.unknown_content);
}

std::string facts_text(const RequestFacts& facts) {
  FactsJson json = FactsJson::object();
  for (int i = 0; i < capability_count; ++i)
    if ((own_needs(facts) >> i & 1) != 0) json["needs"].push_back(to_string(static_cast<Capability>(i)));
  if (facts.mode.thinking != ThinkingWish()) json["thinking"] = thinking_json(facts.mode.thinking);
  if (facts.mode.service_tier != ServiceTier::standard) json["service_tier"] = to_string(facts.mode.service_tier);
  if (facts.choices > 1) json["choices"] = facts.choices;
  if (facts.output_tokens_max) json["output_tokens_max"] = rough(*facts.output_tokens_max);
  if (facts.keeping != Keeping::not_asked) json["keeping"] = to_string(facts.keeping);
  if (facts.unknown_content) json["unknown_content"] = true;
  if (!facts.tags.empty()) json["tags"] = facts.tags;
  if (facts.client) json["client"] = to_string(*facts.client);
  if (facts.wishes != nullptr) json["wishes"] = wishes_json(*facts.wishes);
  return json.empty() ? std::string() : json.dump(-1, ' ', false, FactsJson::error_handler_t::replace);
}

Result<RecalledFacts> recall_facts(std::string_view text) {
  RecalledFacts recalled;
  if (text.empty()) return recalled;
  const FactsJson json = FactsJson::parse(text, nullptr, false);
  const Error bad(ErrorKind::config, ErrorOrigin::fairlead, "the row's facts cannot be read");
  if (!json.is_object()) return bad;
  try {
    recall(json, recalled);
  } catch (const FactsJson::exception&) {
    return bad;
  }
  return recalled;
}

}  // namespace fairlead
