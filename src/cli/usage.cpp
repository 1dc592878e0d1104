// `fairlead usage`: what was consumed and what it cost, by any dimensions and period; exact, also while the daemon runs.
#include "cli/books.h"
#include "cli/commands.h"
#include "cli/time.h"
#include "cli/usage_report.h"
#include "config/zones.h"
#include "daemon/clock.h"

#include <fairlead/bookkeeper.h>

#include <CLI/CLI.hpp>

#include <algorithm>
#include <iostream>
#include <memory>
#include <optional>
#include <utility>

namespace fairlead::cli {
namespace {

struct UsageWanted {
  BooksChoice books;
  std::string by = "provider,model";
  bool by_given = false;
  std::string since, until, month, zone;
  std::string format = "table";
  bool compare = false, from_rows = false;
  int top = 0;  ///< 0: all
  std::string currency, elsewhere;
};

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

ReportQuery query_of(const UsageWanted& wanted) {
  ReportQuery query;
  query.by = names_in(wanted.by);
  if (!wanted.zone.empty()) query.zone = config::find_zone(wanted.zone);
  const auto instant = [&](TimePoint local) { return query.zone ? query.zone->first_at(local) : local; };
  const auto read = [&](const std::string& text) -> std::optional<TimePoint> {
    if (text.empty()) return std::nullopt;
    return text.back() == 'Z' ? *parse_time(text) : instant(*parse_time(text));
  };
  query.since = read(wanted.since);
  query.until = read(wanted.until);
  if (const auto month = parse_month(wanted.month)) query.since = instant(month->from), query.until = instant(month->until);
  if (wanted.format == "focus") query = focus_query(query.since, query.until);
  query.from_rows = wanted.from_rows;
  return query;
}

int tell(const Error& error) { return fail(error, error.kind == ErrorKind::config ? 2 : 1); }

/// The rate of the currency that is asked for. Empty: it said on stderr why.
std::optional<ShownCurrency> shown_currency(const UsageWanted& wanted, const Snapshot& snapshot) {
  const auto currency = parse_currency(wanted.currency);
  const TimePoint now = daemon::wall_clock();
  const UsdRate* rate = currency ? snapshot.usd_rate(*currency, now) : nullptr;
  if (rate != nullptr) return ShownCurrency{*currency, *rate};
  fail("there is no rate for '" + wanted.currency + "' in " + wanted.books.config + ": write it under `fx`");
  return std::nullopt;
}

void write(std::ostream& to, const UsageReport& report, const std::string& format) {
  if (format == "json") return write_usage_json(to, report);
  if (format == "csv") return write_usage_csv(to, report);
  if (format == "focus") return write_usage_focus(to, report);
  write_usage_text(to, report);
}

/// Adds what needs the configuration: rates of exchange, prices. The exit code.
int add_from_config(const UsageWanted& wanted, Store& store, UsageReport& report) {
  if (wanted.currency.empty() && wanted.elsewhere.empty()) return 0;
  if (!wanted.books.ledger.empty()) return fail("--currency and --elsewhere need the rates and prices of a --config", 2);
  const auto snapshot = books_snapshot(wanted.books);
  if (!snapshot) return 1;
  if (!wanted.currency.empty()) {
    report.shown = shown_currency(wanted, *snapshot);
    if (!report.shown) return 2;
  }
  if (wanted.elsewhere.empty()) return 0;
  const Target* target = snapshot->target(wanted.elsewhere);
  if (target == nullptr) return fail("no route of " + wanted.books.config + " has the target '" + wanted.elsewhere + "'", 2);
  if (const auto done = price_elsewhere(report, store, *target, *snapshot); !done) return tell(done.error());
  return 0;
}

/// What cannot be asked together. Empty: all can.
std::string contradiction(const UsageWanted& wanted, const ReportQuery& query) {
  if (wanted.format == "focus") {
    if (!wanted.zone.empty()) return "--format focus has days of UTC: leave --zone out";
    if (wanted.by_given) return "--format focus groups by all that it has columns for: leave --by out";
    if (!wanted.currency.empty() || !wanted.elsewhere.empty() || wanted.top > 0 || wanted.compare)
      return "--format focus has the columns and lines of FOCUS: leave --currency, --elsewhere, --top and --compare out";
  }
  for (std::size_t i = 0; i < query.by.size(); ++i) {
    if (query.by[i] == "total") return "--by total has no groups, so nothing goes with it";
    if (std::find(query.by.begin(), query.by.begin() + static_cast<std::ptrdiff_t>(i), query.by[i]) !=
        query.by.begin() + static_cast<std::ptrdiff_t>(i))
      return "--by has '" + query.by[i] + "' twice";
  }
  return "";
}

/// What a form without words leaves unsaid.
void note_beside(const UsageReport& report, const std::string& format) {
  if (format == "focus" && report.total.now.unpriced_attempts > 0)
    std::cerr << "fairlead: " << report.total.now.unpriced_attempts
              << " attempts without a price are left out: their cost is unknown\n";
  if (format != "csv") return;
  if (report.left_out > 0) std::cerr << "fairlead: " << report.left_out << " more groups are left out by --top\n";
  if (report.shown) std::cerr << "fairlead: " << report.shown->rate_text() << '\n';
}

int usage(const UsageWanted& wanted) {
  ReportQuery query = query_of(wanted);
  if (const std::string why = contradiction(wanted, query); !why.empty()) return fail(why, 2);
  if (query.since && query.until && *query.until <= *query.since)
    return fail("--until " + wanted.until + " is not after --since " + wanted.since + ": no time is between them", 2);
  const auto store = open_books(wanted.books);
  if (!store) return 1;
  auto report = read_usage(*store, std::move(query), wanted.compare);
  if (!report) return tell(report.error());
  if (const int code = add_from_config(wanted, *store, *report); code != 0) return code;
  if (wanted.top > 0) keep_top(*report, static_cast<std::size_t>(wanted.top));
  write(std::cout, *report, wanted.format);
  note_beside(*report, wanted.format);
  return 0;
}

void add_period_options(CLI::App& command, UsageWanted& wanted) {
  auto* since =
      command.add_option("--since", wanted.since, "What was sent at or after this time")->check(CLI::Validator(check_time, "TIME"));
  auto* until =
      command.add_option("--until", wanted.until, "What was sent before this time")->check(CLI::Validator(check_time, "TIME"));
  const auto check_month = [](const std::string& text) {
    return parse_month(text) ? std::string() : "'" + text + "' is not a month, such as 2026-11";
  };
  command.add_option("--month", wanted.month, "What was sent in this month, such as 2026-11")
      ->check(CLI::Validator(check_month, "MONTH"))
      ->excludes(since)
      ->excludes(until);
  const auto check_zone = [](const std::string& name) {
    return config::find_zone(name) ? std::string() : "there is no time zone '" + name + "' on this system (package tzdata)";
  };
  command
      .add_option("--zone", wanted.zone,
                  "The time zone of these times, and of months to hours in the report, e.g. Europe/Berlin; without it, UTC")
      ->check(CLI::Validator(check_zone, "ZONE"));
}

}  // namespace

void add_usage(CLI::App& app, int& exit_code) {
  auto* command = app.add_subcommand("usage", "Report tokens and cost from the ledger, also while the daemon runs");
  auto wanted = std::make_shared<UsageWanted>();
  add_books_options(*command, wanted->books);
  auto* by =
      command
          ->add_option(
              "--by", wanted->by,
              "Group by any of: provider, model, target, route, key, team, project, usage_source, currency; month, week, day, "
              "hour; or total")
          ->capture_default_str();
  add_period_options(*command, *wanted);
  command->add_flag("--compare", wanted->compare,
                    "Compare with the period before, of the same length; what changed most comes first");
  command->add_option("--top", wanted->top, "Only so many groups: those that changed most, or that cost most")
      ->check(CLI::Range(1, 1'000'000'000));
  command->add_option("--currency", wanted->currency,
                      "Show cost and charge in this currency too, at the configuration's rate of today");
  command->add_option("--elsewhere", wanted->elsewhere, "What all of it would have cost at this target (provider/model)");
  command->add_flag("--from-rows", wanted->from_rows, "Add up the rows themselves, not the sums that are kept of them");
  command->add_option("--format", wanted->format, "The format of the report; focus: FOCUS columns, by day, for finance systems")
      ->check(CLI::IsMember({"table", "csv", "json", "focus"}))
      ->capture_default_str();
  command->callback([wanted, by, &exit_code] {
    wanted->by_given = by->count() > 0;
    exit_code = usage(*wanted);
  });
}

}  // namespace fairlead::cli
