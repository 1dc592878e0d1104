// `fairlead prices`: what each target charges at a given time, why, and when that changes.
#include "cli/books.h"
#include "cli/commands.h"
#include "cli/price_json.h"
#include "cli/prices_bill.h"
#include "cli/table.h"
#include "cli/time.h"
#include "config/config.h"

#include <fairlead/near.h>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <chrono>
#include <iostream>
#include <map>
#include <memory>
#include <optional>
#include <utility>

namespace fairlead::cli {
namespace {

using Json = nlohmann::ordered_json;
constexpr std::chrono::days horizon{31}, soon_days{62};

struct PricesWanted {
  std::string config = "fairlead.yaml";
  std::string target, at;
  std::int64_t input_tokens = 1'000;
  bool thinking = false;
  std::string service_tier = "standard";
  std::string format = "table";
  std::string bill;  ///< a file of usages, instead of a list
};

/// What holds now, and what will hold next.
struct Listed {
  const Target* target;
  std::optional<PriceInForce> now, next;
  std::optional<TimePoint> changes_at;
  const UsdRate* to_usd;
  std::vector<DoubtedPrice> doubts;
  std::vector<std::pair<TimePoint, std::optional<PriceInForce>>> soon{};  ///< what will hold then
};

/// The window holds because its calendar does not know the year, where it may be a day off.
bool by_unknown_year(const PriceInForce& price, TimePoint at) {
  if (price.window_number == 0) return false;
  const TimeWindow& window = price.entry->windows.at(static_cast<std::size_t>(price.window_number) - 1).time;
  if (!window.calendar) return false;
  const TimePoint local = window.zone ? window.zone->local(at) : at;
  const auto day = std::chrono::floor<std::chrono::days>(local);
  const bool since_yesterday = window.from_minute >= window.to_minute && local - day < std::chrono::minutes(window.to_minute);
  return !window.calendar->knows(since_yesterday ? day - std::chrono::days(1) : day);
}

/// Why it is this price, with what is doubtful about that.
std::string why_at(const PriceInForce& price, TimePoint at) {
  return why(price) + (by_unknown_year(price, at) ? " (its calendar does not know the year: the dearer is taken)" : "");
}

/// When entries, discounts and surcharges begin or end in the weeks to come; windows come and go every day.
std::vector<TimePoint> dates_of(const Target& target, TimePoint at) {
  std::vector<TimePoint> dates;
  const auto add = [&](const std::optional<TimePoint>& date) {
    if (date && *date > at && *date <= at + soon_days) dates.push_back(*date);
  };
  for (const auto* prices : {&target.contract, &target.model->prices})
    for (const Price& price : *prices) {
      if (!is_for(price, account_of(*target.provider))) continue;
      add(price.from);
      add(price.until);
    }
  for (const auto* shares : {&target.provider->discounts, &target.provider->surcharges})
    for (const DatedShare& share : *shares) {
      add(share.from);
      add(share.until);
    }
  std::sort(dates.begin(), dates.end());
  dates.erase(std::unique(dates.begin(), dates.end()), dates.end());
  return dates;
}

Listed list(const Snapshot& snapshot, const Target& target, const PricedBy& by, TimePoint at) {
  Listed listed{&target,
                price_of(target, by, at),
                {},
                next_change(target, by, at, at + horizon),
                snapshot.usd_rate(target.provider->currency, at),
                doubts_of(target, snapshot, at)};
  if (listed.changes_at) listed.next = price_of(target, by, *listed.changes_at);
  for (const TimePoint date : dates_of(target, at)) listed.soon.emplace_back(date, price_of(target, by, date));
  return listed;
}

std::string amount(const std::optional<Int128>& rate) { return rate ? format_decimal(*rate) : ""; }

/// "1.5 / 7.5"
std::string in_and_out(const std::optional<PriceInForce>& price) {
  return price ? amount(price->rates.input) + " / " + amount(price->rates.output) : "unpriced";
}

std::string next_of(const Listed& listed) {
  return listed.changes_at ? minute_text(*listed.changes_at) + ": " + in_and_out(listed.next) : "";
}

std::string soon_of(const Listed& listed) {
  std::string text;
  for (const auto& [date, price] : listed.soon) text += (text.empty() ? "" : ", ") + day_text(date) + ": " + in_and_out(price);
  return text;
}

std::string doubts(const Listed& listed) {
  std::string text;
  for (const DoubtedPrice& doubted : listed.doubts) text += (text.empty() ? "" : ", ") + std::string(to_string(doubted.doubt));
  return text;
}

/// Rates of exchange that begin in the weeks to come.
std::vector<const UsdRate*> rates_to_come(const Snapshot& snapshot, std::string_view currency, TimePoint at) {
  std::vector<const UsdRate*> coming;
  const auto known = snapshot.usd_per.find(std::string(currency));
  if (known == snapshot.usd_per.end()) return coming;
  for (const UsdRate& rate : known->second.dated)
    if (rate.from && *rate.from > at && *rate.from <= at + soon_days) coming.push_back(&rate);
  return coming;
}

/// "1 CNY is 0.14 USD, since 2026-10-01; 0.15 from 2026-12-01.", a line for each currency that is not USD.
std::string rates_text(const std::vector<Listed>& all, const Snapshot& snapshot, TimePoint at) {
  std::map<std::string_view, const UsdRate*> rates;
  for (const Listed& listed : all) rates.emplace(listed.target->provider->currency.view(), listed.to_usd);
  rates.erase("USD");
  std::string text;
  for (const auto& [currency, rate] : rates) {
    text.append("1 ").append(currency) += rate ? " is " + format_decimal(rate->usd) + " USD" : " has no rate to USD";
    text += (rate && rate->from ? ", since " + day_text(*rate->from) : "");
    for (const UsdRate* coming : rates_to_come(snapshot, currency, at))
      text += "; " + format_decimal(coming->usd) + " from " + day_text(*coming->from);
    text += ".\n";
  }
  return text;
}

std::string table_text(const std::vector<Listed>& all, const Snapshot& snapshot, TimePoint at) {
  Table table;
  table.columns = {{"target"}, {"input", true}, {"cached", true},          {"cache write", true}, {"output", true}, {"currency"},
                   {"why"},    {"confidence"},  {"next (input / output)"}, {"dates to come"},     {"doubts"}};
  for (const Listed& listed : all) {
    const std::string currency(listed.target->provider->currency.view());
    if (!listed.now) {
      table.rows.push_back(
          {listed.target->name, "", "", "", "", currency, "unpriced", "", next_of(listed), soon_of(listed), doubts(listed)});
      continue;
    }
    const Rates& rates = listed.now->rates;
    table.rows.push_back({listed.target->name, amount(rates.input), amount(rates.cached_input), amount(rates.cache_write),
                          amount(rates.output), currency, why_at(*listed.now, at), listed.now->entry->confidence, next_of(listed),
                          soon_of(listed), doubts(listed)});
  }
  return to_text(table) +
         "\nPer million tokens. Where no price of cached input or cache writes stands, they cost what input costs.\n" +
         rates_text(all, snapshot, at);
}

Json json_of(const Listed& listed, const Snapshot& snapshot, TimePoint at) {
  Json json{{"target", listed.target->name},
            {"currency", listed.target->provider->currency.view()},
            {"usd", usd_json(listed.to_usd)},
            {"price", nullptr}};
  json["usd_soon"] = Json::array();
  for (const UsdRate* coming : rates_to_come(snapshot, listed.target->provider->currency.view(), at))
    json["usd_soon"].push_back(usd_json(coming));
  if (listed.now) {
    json["price"] = price_json(*listed.now);
    json["price"]["calendar_unknown"] = by_unknown_year(*listed.now, at);
  }
  json["doubts"] = Json::array();
  for (const DoubtedPrice& doubted : listed.doubts)
    json["doubts"].push_back({{"doubt", to_string(doubted.doubt)}, {"reason", "its price " + doubted.reason}});
  json["next"] = nullptr;
  json["soon"] = Json::array();
  for (const auto& [date, price] : listed.soon) {
    Json then = price ? rates_json(*price) : Json::object();
    then["at"] = iso_8601_us(date);
    json["soon"].push_back(std::move(then));
  }
  if (listed.changes_at) {
    json["next"] = listed.next ? rates_json(*listed.next) : Json::object();
    json["next"]["at"] = iso_8601_us(*listed.changes_at);
  }
  return json;
}

int prices(const PricesWanted& wanted) {
  const auto snapshot = load_config(wanted.config, config::real_sources()).snapshot;
  if (!snapshot) return 1;
  if (!wanted.bill.empty()) return bill_usages(*snapshot, wanted.bill);
  const TimePoint at = time_or_now(wanted.at);
  const PricedBy by(wanted.input_tokens, wanted.thinking, parse_service_tier(wanted.service_tier));
  std::vector<Listed> all;
  for (const auto& target : snapshot->targets)
    if (wanted.target.empty() || target->name == wanted.target) all.push_back(list(*snapshot, *target, by, at));
  if (all.empty() && !wanted.target.empty()) {
    std::vector<std::string_view> known;
    for (const auto& target : snapshot->targets) known.push_back(target->name);
    return fail("no route of " + wanted.config + " has the target '" + wanted.target + "'" + did_you_mean(wanted.target, known));
  }
  if (wanted.format == "table") {
    std::cout << "At " << iso_8601_us(at) << ", for " << wanted.input_tokens << " input tokens:\n\n"
              << table_text(all, *snapshot, at);
    return 0;
  }
  Json json{{"at", iso_8601_us(at)}, {"input_tokens", wanted.input_tokens}, {"targets", Json::array()}};
  for (const Listed& listed : all) json["targets"].push_back(json_of(listed, *snapshot, at));
  std::cout << json.dump(2, ' ', false, Json::error_handler_t::replace) << '\n';
  return 0;
}

}  // namespace

void add_prices(CLI::App& app, int& exit_code) {
  auto* command = app.add_subcommand("prices", "List what each target charges at a time, why, and when that changes");
  auto wanted = std::make_shared<PricesWanted>();
  command->add_option("target", wanted->target, "One target, as provider/model; without it, all that routes name");
  command->add_option("--config,-c", wanted->config, "The configuration file")->capture_default_str();
  command->add_option("--at", wanted->at, "The time (UTC); without it, now")->check(CLI::Validator(check_time, "TIME"));
  command->add_option("--input-tokens", wanted->input_tokens, "The input of the request, for prices by its length")
      ->check(CLI::Range(std::int64_t{0}, std::int64_t{1'000'000'000}))
      ->capture_default_str();
  command->add_flag("--thinking", wanted->thinking, "For a request that thinks");
  command->add_option("--service-tier", wanted->service_tier, "For a request that is served in this tier")
      ->check(CLI::IsMember({"standard", "flex", "priority", "batch"}))
      ->capture_default_str();
  command->add_option("--format", wanted->format, "The format of the list")
      ->check(CLI::IsMember({"table", "json"}))
      ->capture_default_str();
  command->add_option("--bill", wanted->bill,
                      "Instead of a list: what the usages in this file cost, a JSON object a line, - for standard input");
  command->callback([wanted, &exit_code] { exit_code = prices(*wanted); });
}

}  // namespace fairlead::cli
