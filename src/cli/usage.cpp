// `fairlead usage`: what was consumed and what it cost, by any dimensions and period; exact, also while the daemon runs.
#include "cli/books.h"
#include "cli/commands.h"
#include "cli/table.h"
#include "cli/time.h"

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <iostream>
#include <memory>
#include <optional>
#include <set>
#include <utility>

namespace fairlead::cli {
namespace {

using Json = nlohmann::ordered_json;

struct Wanted {
  BooksChoice books;
  std::string by = "provider,model";
  std::string since, until;
  std::string format = "table";
};

/// A report and the sum of all its rows.
struct Report {
  ReportQuery query;
  std::vector<ReportRow> rows;
  ReportRow total;
  std::vector<Currency> currencies;
};

void add(std::optional<std::int64_t>& sum, const std::optional<std::int64_t>& value) {
  if (value) sum = sum.value_or(0) + *value;
}

void add(ReportRow& total, const ReportRow& row) {
  total.attempts += row.attempts;
  total.failed_attempts += row.failed_attempts;
  total.estimated_attempts += row.estimated_attempts;
  total.unpriced_attempts += row.unpriced_attempts;
  total.usd_pico += row.usd_pico;
  for (auto kind :
       {&Usage::input, &Usage::cached_input, &Usage::cache_write, &Usage::output, &Usage::reasoning, &Usage::audio, &Usage::image})
    add(total.usage.*kind, row.usage.*kind);
  for (const Money& cost : row.cost) {
    auto same = std::find_if(total.cost.begin(), total.cost.end(), [&](const Money& m) { return m.currency == cost.currency; });
    if (same == total.cost.end()) same = total.cost.insert(same, Money{0, cost.currency});
    same->pico += cost.pico;
  }
}

/// Requests do not add up over groups (one may have gone to two providers), so their total is asked for.
Result<Report> read(Store& store, ReportQuery query) {
  auto rows = store.report(query);
  if (!rows) return rows.error();
  auto all = store.report({{}, query.since, query.until});
  if (!all) return all.error();
  Report report{std::move(query), std::move(*rows), {}, {}};
  std::set<Currency> currencies;
  for (const ReportRow& row : report.rows) {
    add(report.total, row);
    for (const Money& cost : row.cost) currencies.insert(cost.currency);
  }
  if (!all->empty()) report.total.requests = all->front().requests;
  report.currencies.assign(currencies.begin(), currencies.end());
  return report;
}

/// `part` of `whole` in 1/10,000, rounded half up.
std::int64_t share(std::int64_t part, std::int64_t whole) { return whole == 0 ? 0 : (part * 20'000 + whole) / (2 * whole); }

std::string decimal_share(const ReportRow& row) {
  return format_decimal(Int128{share(row.estimated_attempts, row.attempts)} * (pico_per_unit / 10'000));
}

std::string percent_estimated(const ReportRow& row) {
  const std::int64_t tenths = (share(row.estimated_attempts, row.attempts) + 5) / 10;
  return std::to_string(tenths / 10) + "." + std::to_string(tenths % 10) + " %";
}

std::string cell(const std::optional<std::int64_t>& count) { return count ? std::to_string(*count) : ""; }

std::string cost_in(const ReportRow& row, Currency currency) {
  for (const Money& cost : row.cost)
    if (cost.currency == currency) return format_decimal(cost.pico);
  return "";
}

std::vector<std::string> figures(const ReportRow& row, const Report& report, bool for_people) {
  const Usage& u = row.usage;
  std::vector<std::string> cells{std::to_string(row.requests),
                                 std::to_string(row.attempts),
                                 std::to_string(row.failed_attempts),
                                 cell(u.input),
                                 cell(u.cached_input),
                                 cell(u.cache_write),
                                 cell(u.output),
                                 cell(u.reasoning),
                                 cell(u.audio),
                                 cell(u.image)};
  if (for_people) {
    cells.push_back(percent_estimated(row));
  } else {
    cells.push_back(std::to_string(row.estimated_attempts));
    cells.push_back(decimal_share(row));
  }
  cells.push_back(std::to_string(row.unpriced_attempts));
  for (const Currency currency : report.currencies) cells.push_back(cost_in(row, currency));
  cells.push_back(format_decimal(row.usd_pico));
  return cells;
}

Table table_of(const Report& report, bool for_people) {
  Table table;
  for (const std::string& dimension : report.query.by) table.columns.push_back({dimension, false});
  const auto add_columns = [&](std::initializer_list<const char*> titles) {
    for (const char* title : titles) table.columns.push_back({title, true});
  };
  if (for_people)
    add_columns({"requests", "attempts", "failed", "input", "cached", "cache write", "output", "reasoning", "audio", "image",
                 "estimated", "unpriced"});
  else
    add_columns({"requests", "attempts", "failed_attempts", "input_tokens", "cached_input_tokens", "cache_write_tokens",
                 "output_tokens", "reasoning_tokens", "audio_tokens", "image_tokens", "estimated_attempts", "estimated_share",
                 "unpriced_attempts"});
  for (const Currency currency : report.currencies)
    table.columns.push_back({(for_people ? "billed " : "billed_") + std::string(currency.view()), true});
  table.columns.push_back({for_people ? "cost USD" : "cost_usd", true});

  const auto line = [&](std::vector<std::string> cells, const ReportRow& row) {
    for (std::string& figure : figures(row, report, for_people)) cells.push_back(std::move(figure));
    return cells;
  };
  for (const ReportRow& row : report.rows) table.rows.push_back(line(row.group, row));
  std::vector<std::string> label(report.query.by.size());
  if (!label.empty()) {
    label.front() = "total";
    table.total = line(std::move(label), report.total);
  }
  return table;
}

Json json_of(const ReportRow& row, const std::vector<std::string>& by) {
  Json json = Json::object();
  for (std::size_t i = 0; i < row.group.size(); ++i) json[by[i]] = row.group[i];
  const auto count = [](const std::optional<std::int64_t>& value) { return value ? Json(*value) : Json(nullptr); };
  json["requests"] = row.requests;
  json["attempts"] = row.attempts;
  json["failed_attempts"] = row.failed_attempts;
  const Usage& u = row.usage;
  json["usage"] = {{"input", count(u.input)},   {"cached_input", count(u.cached_input)}, {"cache_write", count(u.cache_write)},
                   {"output", count(u.output)}, {"reasoning", count(u.reasoning)},       {"audio", count(u.audio)},
                   {"image", count(u.image)}};
  json["estimated_attempts"] = row.estimated_attempts;
  json["estimated_share"] = decimal_share(row);
  json["unpriced_attempts"] = row.unpriced_attempts;
  json["billed"] = Json::object();
  for (const Money& cost : row.cost) json["billed"][std::string(cost.currency.view())] = format_decimal(cost.pico);
  json["cost_usd"] = format_decimal(row.usd_pico);
  return json;
}

std::string json_text(const Report& report) {
  const auto time = [](const std::optional<TimePoint>& at) { return at ? Json(utc_text(*at)) : Json(nullptr); };
  Json json{
      {"by", report.query.by}, {"since", time(report.query.since)}, {"until", time(report.query.until)}, {"rows", Json::array()}};
  for (const ReportRow& row : report.rows) json["rows"].push_back(json_of(row, report.query.by));
  json["total"] = json_of(report.total, report.query.by);
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + '\n';
}

std::string text_of(const Report& report) {
  if (report.rows.empty()) return "No attempts in this period.\n";
  std::string text = to_text(table_of(report, true));
  const ReportRow& total = report.total;
  if (total.estimated_attempts > 0)
    text += "\n" + std::to_string(total.estimated_attempts) + " of " + counted(total.attempts, "attempt") + " (" +
            percent_estimated(total) + ") could only be estimated: no provider's figures came.\n";
  if (total.unpriced_attempts > 0)
    text += "\n" + counted(total.unpriced_attempts, "attempt") + " without a price: the cost is unknown, and in no sum above.\n";
  return text;
}

/// "team,day" -> team, day; "total" -> no groups at all.
std::vector<std::string> names_in(const std::string& text) {
  std::vector<std::string> names;
  if (text == "total") return names;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t comma = std::min(text.find(',', at), text.size());
    names.push_back(text.substr(at, comma - at));
    at = comma + 1;
  }
  return names;
}

int usage(const Wanted& wanted) {
  ReportQuery query;
  query.by = names_in(wanted.by);
  if (!wanted.since.empty()) query.since = parse_time(wanted.since);
  if (!wanted.until.empty()) query.until = parse_time(wanted.until);
  if (query.since && query.until && *query.until <= *query.since) {
    std::cerr << "fairlead: --until " << wanted.until << " is not after --since " << wanted.since << ": no time is between them\n";
    return 2;
  }
  const auto store = open_books(wanted.books);
  if (!store) return 1;
  const auto report = read(*store, std::move(query));
  if (!report) {
    fail(report.error());
    return report.error().kind == ErrorKind::config ? 2 : 1;
  }
  std::cout << (wanted.format == "json"  ? json_text(*report)
                : wanted.format == "csv" ? to_csv(table_of(*report, false))
                                         : text_of(*report));
  return 0;
}

}  // namespace

void add_usage(CLI::App& app, int& exit_code) {
  auto* command = app.add_subcommand("usage", "Report tokens and cost from the ledger, also while the daemon runs");
  auto wanted = std::make_shared<Wanted>();
  add_books_options(*command, wanted->books);
  command->add_option("--by", wanted->by, "Group by: provider, model, target, route, key, team, project, day (UTC); or total")
      ->capture_default_str();
  command->add_option("--since", wanted->since, "Sent at or after this time (UTC)")->check(CLI::Validator(check_time, "TIME"));
  command->add_option("--until", wanted->until, "Sent before this time (UTC)")->check(CLI::Validator(check_time, "TIME"));
  command->add_option("--format", wanted->format, "The form of the report")
      ->check(CLI::IsMember({"table", "csv", "json"}))
      ->capture_default_str();
  command->callback([wanted, &exit_code] { exit_code = usage(*wanted); });
}

}  // namespace fairlead::cli
