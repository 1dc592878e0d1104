// `fairlead prices`: what each target charges at a given time, why, and when that changes.
#include "cli/commands.h"
#include "cli/table.h"
#include "cli/time.h"
#include "config/config.h"

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <chrono>
#include <iostream>
#include <memory>
#include <optional>

namespace fairlead::cli {
namespace {

using Json = nlohmann::ordered_json;
constexpr std::chrono::days horizon{31};

struct Wanted {
  std::string config = "fairlead.yaml";
  std::string target, at;
  std::int64_t input_tokens = 1'000;
  std::string format = "table";
};

/// What holds now, and what will hold next.
struct Listed {
  const Target* target;
  std::optional<PriceInForce> now, next;
  std::optional<TimePoint> changes_at;
};

Listed list(const Target& target, std::int64_t input_tokens, TimePoint at) {
  Listed listed{&target, price_of(target, input_tokens, at), {}, next_change(target, input_tokens, at, at + horizon)};
  if (listed.changes_at) listed.next = price_of(target, input_tokens, *listed.changes_at);
  return listed;
}

std::string amount(const std::optional<Int128>& rate) { return rate ? format_decimal(*rate) : ""; }

std::string why(const PriceInForce& price) {
  std::string text = price.contract ? "contract, from " : "from ";
  text += utc_text(price.entry->from).substr(0, 10);
  if (price.entry->until) text += " until " + utc_text(*price.entry->until).substr(0, 16) + "Z";
  if (!price.window.empty()) text += ", " + price.window + " hours";
  if (price.above_input_tokens > 0) text += ", above " + std::to_string(price.above_input_tokens) + " input tokens";
  if (price.discount > 0) text += ", less " + format_decimal(price.discount * 100) + " %";
  return text;
}

std::string next_of(const Listed& listed) {
  if (!listed.changes_at) return "";
  const std::string at = utc_text(*listed.changes_at).substr(0, 16) + "Z: ";
  if (!listed.next) return at + "unpriced";
  return at + amount(listed.next->rates.input) + " / " + amount(listed.next->rates.output);
}

std::string table_text(const std::vector<Listed>& all) {
  Table table;
  table.columns = {{"target"},   {"input", true}, {"cached", true}, {"cache write", true},    {"output", true},
                   {"currency"}, {"why"},         {"confidence"},   {"next (input / output)"}};
  for (const Listed& listed : all) {
    const std::string currency(listed.target->provider->currency.view());
    if (!listed.now) {
      table.rows.push_back({listed.target->name, "", "", "", "", currency, "unpriced", "", next_of(listed)});
      continue;
    }
    const Rates& rates = listed.now->rates;
    table.rows.push_back({listed.target->name, amount(rates.input), amount(rates.cached_input), amount(rates.cache_write),
                          amount(rates.output), currency, why(*listed.now), listed.now->entry->confidence, next_of(listed)});
  }
  return to_text(table) +
         "\nPer million tokens. Where no price of cached input or cache writes stands, they cost what input costs.\n";
}

Json rates_json(const PriceInForce& price) {
  const auto rate = [](const std::optional<Int128>& value) { return value ? Json(format_decimal(*value)) : Json(nullptr); };
  return {{"input", rate(price.rates.input)},
          {"cached_input", rate(price.rates.cached_input)},
          {"cache_write", rate(price.rates.cache_write)},
          {"output", rate(price.rates.output)},
          {"window", price.window.empty() ? Json(nullptr) : Json(price.window)},
          {"above_input_tokens", price.above_input_tokens},
          {"contract", price.contract},
          {"discount", format_decimal(price.discount)}};
}

Json json_of(const Listed& listed) {
  Json json{{"target", listed.target->name}, {"currency", listed.target->provider->currency.view()}, {"price", nullptr}};
  if (listed.now) {
    const Price& entry = *listed.now->entry;
    json["price"] = rates_json(*listed.now);
    json["price"]["from"] = utc_text(entry.from);
    json["price"]["until"] = entry.until ? Json(utc_text(*entry.until)) : Json(nullptr);
    json["price"]["source"] = entry.source;
    json["price"]["confidence"] = entry.confidence;
  }
  json["next"] = nullptr;
  if (listed.changes_at) {
    json["next"] = listed.next ? rates_json(*listed.next) : Json::object();
    json["next"]["at"] = utc_text(*listed.changes_at);
  }
  return json;
}

int prices(const Wanted& wanted) {
  const config::Loaded loaded = config::load(wanted.config, config::real_sources());
  if (!loaded.snapshot) {
    for (const config::Finding& finding : loaded.findings)
      if (finding.severity == config::Severity::error) std::cerr << config::format(finding) << "\n";
    return 1;
  }
  const TimePoint at =
      wanted.at.empty() ? std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now()) : *parse_time(wanted.at);
  std::vector<Listed> all;
  for (const auto& target : loaded.snapshot->targets)
    if (wanted.target.empty() || target->name == wanted.target) all.push_back(list(*target, wanted.input_tokens, at));
  if (all.empty() && !wanted.target.empty()) {
    std::cerr << "fairlead: no route of " << wanted.config << " has the target '" << wanted.target << "'\n";
    return 1;
  }
  if (wanted.format == "table") {
    std::cout << "At " << utc_text(at) << ", for " << wanted.input_tokens << " input tokens:\n\n" << table_text(all);
    return 0;
  }
  Json json{{"at", utc_text(at)}, {"input_tokens", wanted.input_tokens}, {"targets", Json::array()}};
  for (const Listed& listed : all) json["targets"].push_back(json_of(listed));
  std::cout << json.dump(2, ' ', false, Json::error_handler_t::replace) << '\n';
  return 0;
}

}  // namespace

void add_prices(CLI::App& app, int& exit_code) {
  auto* command = app.add_subcommand("prices", "List what each target charges at a time, why, and when that changes");
  auto wanted = std::make_shared<Wanted>();
  command->add_option("target", wanted->target, "One target, as provider/model; without it, all that routes name");
  command->add_option("--config", wanted->config, "The configuration")->capture_default_str();
  command->add_option("--at", wanted->at, "The time (UTC); without it, now")->check(CLI::Validator(check_time, "TIME"));
  command->add_option("--input-tokens", wanted->input_tokens, "The input of the request, for prices by its length")
      ->check(CLI::Range(std::int64_t{0}, std::int64_t{1'000'000'000}))
      ->capture_default_str();
  command->add_option("--format", wanted->format, "The form of the list")
      ->check(CLI::IsMember({"table", "json"}))
      ->capture_default_str();
  command->callback([wanted, &exit_code] { exit_code = prices(*wanted); });
}

}  // namespace fairlead::cli
