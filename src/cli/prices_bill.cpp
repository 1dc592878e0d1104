#include "cli/prices_bill.h"

#include "cli/books.h"
#include "cli/price_json.h"
#include "cli/table.h"
#include "cli/time.h"
#include "exchange/settle.h"

#include <algorithm>
#include <fstream>
#include <iostream>
#include <limits>
#include <optional>
#include <string_view>
#include <utility>

namespace fairlead::cli {
namespace {

using Json = nlohmann::ordered_json;

struct Question {
  const Target* target = nullptr;
  TimePoint at;
  Usage usage;
  RequestMode mode;
};

std::string text(const Json& json, const char* name) {
  const auto at = json.find(name);
  return at != json.end() && at->is_string() ? at->get<std::string>() : std::string();
}

constexpr std::pair<std::string_view, std::optional<std::int64_t> Usage::*> kinds[] = {
    {"input", &Usage::input},   {"cached_input", &Usage::cached_input}, {"cache_write", &Usage::cache_write},
    {"output", &Usage::output}, {"reasoning", &Usage::reasoning},
};

/// Empty: all of its members are counts.
std::string read_usage(const Json& json, Usage& usage) {
  if (!json.is_object()) return "`usage` must be an object of tokens by kind";
  for (const auto& member : json.items()) {
    const std::string& name = member.key();
    const Json& count = member.value();
    const auto kind = std::find_if(std::begin(kinds), std::end(kinds), [&](const auto& k) { return k.first == name; });
    if (kind == std::end(kinds)) return "there is no kind of tokens '" + name + "'";
    if (!count.is_number_unsigned()) return "`usage." + name + "` must be a whole number";
    constexpr std::uint64_t count_max = std::numeric_limits<std::int64_t>::max();
    if (count.get<std::uint64_t>() > count_max) return "`usage." + name + "` is above " + std::to_string(count_max);
    usage.*(kind->second) = count.get<std::int64_t>();
  }
  return "";
}

/// Empty: it was read.
std::string read(const std::string& line, const Snapshot& snapshot, Question& question) {
  const Json json = Json::parse(line, nullptr, false);
  if (!json.is_object()) return "it is not a JSON object";
  question.target = snapshot.target(text(json, "target"));
  if (question.target == nullptr) return "no route has the target '" + text(json, "target") + "'";
  const auto at = parse_time(text(json, "at"));
  if (!at) return check_time(text(json, "at"));
  question.at = *at;
  question.mode.service_tier = parse_service_tier(text(json, "service_tier"));
  if (const auto thinking = json.find("thinking"); thinking != json.end() && thinking->is_boolean())
    for (int i = 0; i < thinking_switch_count; ++i) question.mode.thinking.set(static_cast<ThinkingSwitch>(i), *thinking);
  return read_usage(json.value("usage", Json()), question.usage);
}

Json answer(const Question& question, const Snapshot& snapshot) {
  Json json{{"target", question.target->name},
            {"at", iso_8601_us(question.at)},
            {"currency", question.target->provider->currency.view()},
            {"cost", nullptr},
            {"cost_usd", nullptr}};
  const auto cost = exchange::cost_at(*question.target, question.usage, {question.mode, {}}, question.at, snapshot);
  if (!cost) return json;
  json["cost"] = format_decimal(cost->amount.pico);
  json["cost_usd"] = format_decimal(cost->usd_pico);
  json["usd"] = usd_json(cost->usd_rate);
  json["price"] = price_json(cost->price);
  return json;
}

}  // namespace

int bill_usages(const Snapshot& snapshot, const std::string& file) {
  const std::string unreadable = "'" + file + "' cannot be read";
  std::ifstream opened;
  if (file != "-") {
    opened.open(file);
    if (!opened) return fail(unreadable);
  }
  std::istream& in = file == "-" ? std::cin : opened;
  std::string line;
  for (int number = 1; std::getline(in, line); ++number) {
    Question question;
    if (const std::string wrong = read(line, snapshot, question); !wrong.empty())
      return fail("line " + std::to_string(number) + ": " + wrong);
    std::cout << answer(question, snapshot).dump(-1, ' ', false, Json::error_handler_t::replace) << '\n';
  }
  if (in.bad()) return fail(unreadable);  // a directory, say
  return 0;
}

}  // namespace fairlead::cli
