#include "exchange/texts.h"

#include "plan/facts_text.h"
#include "plan/plan.h"

#include <cstdint>
#include <string_view>
#include <utility>

namespace fairlead::exchange {
namespace {

constexpr std::size_t texts_max = 4096;           // of each kind
constexpr std::size_t texts_bytes_max = 4 << 20;  // of plans, and of prices, with their keys: reasons can hold figures that change

void append_rate(std::string& json, std::string_view kind, const std::optional<Int128>& rate) {
  if (rate) json.append(",\"").append(kind).append("\":\"").append(format_decimal(*rate)).append("\"");
}

/// Names come from the configuration: quoted here without a JSON library, as the fields are few and on every request's way.
std::string json_string(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    if (static_cast<unsigned char>(c) >= 0x20) out += c;
  }
  return out += '"';
}

std::string price_json(const Target& target, const PriceInForce& price, const UsdRate& to_usd) {
  std::string json = "{\"model\":" + json_string(target.provider->price_list + "/" + target.model->name);
  json += ",\"from_us\":" + std::to_string(price.entry->from.time_since_epoch().count());
  json.append(",\"currency\":\"").append(price.entry->currency.view()).append("\"");
  if (!price.window.empty()) json += ",\"window\":" + json_string(price.window);
  if (price.above_input_tokens != 0) json += ",\"above_input_tokens\":" + std::to_string(price.above_input_tokens);
  if (price.contract) json += ",\"contract\":true";
  if (price.thinking) json += ",\"thinking\":true";
  if (price.service_tier != ServiceTier::standard)
    json.append(",\"service_tier\":\"").append(to_string(price.service_tier)).append("\"");
  append_rate(json, "service_factor", price.service_factor);
  append_rate(json, "regional_factor", price.regional_factor);
  if (price.discount > 0) append_rate(json, "discount", price.discount);
  if (price.surcharge > 0) append_rate(json, "surcharge", price.surcharge);
  append_rate(json, "input", price.rates.input);
  append_rate(json, "cached_input", price.rates.cached_input);
  append_rate(json, "cache_write", price.rates.cache_write);
  append_rate(json, "output", price.rates.output);
  if (to_usd.from) json += ",\"usd_rate_from_us\":" + std::to_string(to_usd.from->time_since_epoch().count());
  return json += "}";
}

}  // namespace

void Texts::use(const std::shared_ptr<const Snapshot>& snapshot) {
  if (snapshot == snapshot_) return;
  snapshot_ = snapshot;
  plans_.clear();
  prices_.clear();
}

const std::string* Texts::Made::find(const std::string& key) const {
  const auto at = texts_.find(key);
  return at != texts_.end() ? &at->second : nullptr;
}

const std::string& Texts::Made::keep(const std::string& key, std::string text) {
  const std::size_t bytes = key.size() + text.size();
  if (texts_.size() >= texts_max || bytes_ + bytes > texts_bytes_max) clear();
  bytes_ += bytes;
  return texts_.emplace(key, std::move(text)).first->second;
}

void Texts::Made::clear() {
  texts_.clear();
  bytes_ = 0;
}

const std::string& Texts::facts(const RequestFacts& facts) {
  static const std::string usual;
  const auto number = facts_number(facts);
  if (!number) return own_facts_ = facts_text(facts);
  if (*number == 0) return usual;
  const auto at = facts_.find(*number);
  if (at != facts_.end()) return at->second;
  if (facts_.size() >= texts_max) facts_.clear();
  return facts_.emplace(*number, facts_text(facts)).first->second;
}

const std::string& Texts::plan(const Plan& plan) {
  key_.clear();
  append_plan_key(key_, plan);
  if (const std::string* made = plans_.find(key_)) return *made;
  return plans_.keep(key_, plan_text(plan));
}

const std::string& Texts::price(const Target& target, const PriceInForce& price, const UsdRate& to_usd) {
  key_.clear();
  const auto add = [&](std::uint64_t number) { key_.append(reinterpret_cast<const char*>(&number), sizeof number); };
  add(reinterpret_cast<std::uintptr_t>(&target));
  add(reinterpret_cast<std::uintptr_t>(price.entry));
  add(reinterpret_cast<std::uintptr_t>(&to_usd));
  add(static_cast<std::uint64_t>(price.above_input_tokens));
  add(static_cast<std::uint64_t>(price.discount));
  add(static_cast<std::uint64_t>(price.surcharge));
  add(static_cast<std::uint64_t>(price.service_tier) << 1 | static_cast<std::uint64_t>(price.thinking));
  add(static_cast<std::uint64_t>(price.window_number));
  if (const std::string* made = prices_.find(key_)) return *made;
  return prices_.keep(key_, price_json(target, price, to_usd));
}

}  // namespace fairlead::exchange
