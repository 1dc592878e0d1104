// `fairlead reconcile INVOICE.csv`: a provider's bill against the ledger, by day, model and kind of token; also while the daemon
// runs.
#include "cli/books.h"
#include "cli/commands.h"
#include "cli/kept_rows.h"
#include "cli/reconcile/mapping.h"
#include "cli/reconcile/reconciliation.h"
#include "cli/table.h"
#include "cli/time.h"

#include <fairlead/near.h>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <fstream>
#include <iostream>
#include <iterator>
#include <map>
#include <memory>
#include <set>
#include <utility>

namespace fairlead::cli {
namespace {

using ReconcileJson = nlohmann::ordered_json;

constexpr std::size_t shown_max = 200;  // lines of the table; JSON has all

struct ReconcileWanted {
  BooksChoice books;
  std::string invoice, provider, mapping, since, until;
  std::string percent = "0", tokens = "0", cost = "0";
  std::string format = "table";
  bool all = false;
};

/// Days, both included.
struct Days {
  std::string first, last;
};

struct Reconciled {
  Bill bill;
  Reconciliation result;
  Days of_bill, compared;
  std::string provider;
  std::int64_t attempts = 0, estimated_attempts = 0, unpriced = 0, other_currency = 0;
  std::int64_t without_rows = 0;  ///< attempts of the first days whose requests began before, and went with that day's rows
  std::int64_t corrections = 0;   ///< that were booked by hand of the days that are compared: of no attempt, so on no side
  Int128 corrected_attos = 0;     ///< by these, in the bill's currency
  /// What is of no one line, and keeps the two from agreeing.
  bool agrees() const { return result.agrees() && other_currency == 0 && without_rows == 0; }
};

Result<std::string> text_of_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  (void)file.peek();  // finds what opens and cannot be read, of which the iterator would throw
  if (!file) return Error(ErrorKind::io, ErrorOrigin::fairlead, "'" + path + "' cannot be read");
  return std::string{std::istreambuf_iterator<char>(file), {}};
}

std::string side(const std::optional<Int128>& figure) { return figure ? figure_text(*figure) : "-"; }

std::string percent_of(Int128 part, Int128 whole) {
  if (whole == 0) return "";
  const auto tenths = static_cast<std::int64_t>((part / 1'000'000) * 1000 / std::max<Int128>(whole / 1'000'000, 1));
  return std::to_string(tenths / 10) + "." + std::to_string(tenths % 10) + " %";
}

std::vector<std::string> cells_of(const Compared& line, bool by_attempt) {
  std::vector<std::string> cells{line.key.day, line.key.model};
  if (by_attempt) cells.push_back(line.key.attempt);
  cells.insert(cells.end(), {std::string(to_string(line.measure)), side(line.billed), side(line.booked),
                             figure_text(line.booked.value_or(0) - line.billed.value_or(0)),
                             line.booked ? percent_of(line.estimated, *line.booked) : "", std::string(to_string(line.verdict))});
  return cells;
}

Table table_of(const Reconciled& r, bool all, std::size_t& hidden) {
  Table table;
  for (const char* title : {"day", "model"}) table.columns.push_back({title, false});
  if (r.bill.by_attempt) table.columns.push_back({"attempt", false});
  table.columns.push_back({"of", false});
  for (const char* title : {"bill", "ledger", "difference", "estimated"}) table.columns.push_back({title, true});
  table.columns.push_back({"verdict", false});
  for (const Compared& line : r.result.lines) {
    if (!all && (line.verdict == Verdict::equal || (r.bill.by_attempt && line.verdict == Verdict::tolerated))) continue;
    if (table.rows.size() < shown_max)
      table.rows.push_back(cells_of(line, r.bill.by_attempt));
    else
      ++hidden;
  }
  return table;
}

std::string text_of(const Reconciled& r, bool all) {
  std::string text = "bill      " + r.bill.format + ", " + r.compared.first + " to " + r.compared.last +
                     (r.bill.currency.empty() ? std::string() : ", in " + r.bill.currency) +
                     (r.provider.empty() ? std::string() : "; provider " + printable(r.provider)) + "\n";
  for (std::size_t i = 0; i < measure_count; ++i) {
    if (!r.bill.has(static_cast<Measure>(i))) continue;
    const Int128 billed = r.result.billed[i].value_or(0), booked = r.result.booked[i].value_or(0);
    std::string name(to_string(static_cast<Measure>(i)));
    name.resize(12, ' ');
    text += "  " + name + "  bill " + figure_text(billed) + ", ledger " + figure_text(booked) + ", difference " +
            figure_text(booked - billed) + "\n";
  }
  std::size_t hidden = 0;
  const Table table = table_of(r, all, hidden);
  if (!table.rows.empty()) text += "\n" + to_text(table) + "\n";
  if (hidden > 0) text += "and " + std::to_string(hidden) + " more lines (--format json has all)\n";
  for (std::size_t i = 0; i < verdict_count; ++i)
    text += (i == 0 ? "" : ", ") + std::to_string(r.result.counts[i]) + " " + std::string(to_string(static_cast<Verdict>(i)));
  text += "\n";
  if (r.estimated_attempts > 0)
    text += std::to_string(r.estimated_attempts) + " of " + counted(r.attempts, "attempt") +
            " in the ledger are our estimate, since the provider told no figures: there a difference is likely.\n";
  if (r.unpriced > 0) text += counted(r.unpriced, "attempt") + " without a price: their cost is unknown, and in no sum.\n";
  if (r.other_currency > 0)
    text += counted(r.other_currency, "attempt") + " of the ledger cost in another currency than " + r.bill.currency + ".\n";
  if (r.without_rows > 0)
    text +=
        counted(r.without_rows, "attempt") + " of " + r.compared.first +
        " followed requests of the day before, whose rows were let go: the sums have them, and the ledger's side here has not.\n";
  if (r.corrections > 0)
    text += counted(r.corrections, "correction") + " of these days, " + figure_text(r.corrected_attos) + " " + r.bill.currency +
            " in all, booked by hand and no part of the ledger's figures here.\n";
  return text + (r.agrees() ? "The bill and the ledger agree.\n" : "The bill and the ledger DIFFER.\n");
}

ReconcileJson figures_json(const Reconciled& r, const Figures& figures) {
  ReconcileJson json = ReconcileJson::object();
  for (std::size_t i = 0; i < measure_count; ++i)
    if (r.bill.has(static_cast<Measure>(i)))
      json[std::string(to_string(static_cast<Measure>(i)))] = figure_text(figures[i].value_or(0));
  return json;
}

std::string json_of(const Reconciled& r) {
  const auto figure = [](const std::optional<Int128>& value) {
    return value ? ReconcileJson(figure_text(*value)) : ReconcileJson(nullptr);
  };
  ReconcileJson lines = ReconcileJson::array(), counts = ReconcileJson::object();
  for (const Compared& line : r.result.lines) {
    ReconcileJson one{{"day", line.key.day}, {"model", line.key.model}};
    if (r.bill.by_attempt) one["attempt"] = line.key.attempt;
    one["of"] = to_string(line.measure);
    one["bill"] = figure(line.billed);
    one["ledger"] = figure(line.booked);
    one["difference"] = figure_text(line.booked.value_or(0) - line.billed.value_or(0));
    one["ledger_estimated"] = figure_text(line.estimated);
    one["verdict"] = to_string(line.verdict);
    lines.push_back(std::move(one));
  }
  for (std::size_t i = 0; i < verdict_count; ++i) counts[std::string(to_string(static_cast<Verdict>(i)))] = r.result.counts[i];
  const ReconcileJson json{
      {"agree", r.agrees()},
      {"format", r.bill.format},
      {"first_day", r.compared.first},
      {"last_day", r.compared.last},
      {"provider", r.provider.empty() ? ReconcileJson(nullptr) : ReconcileJson(r.provider)},
      {"currency", r.bill.currency.empty() ? ReconcileJson(nullptr) : ReconcileJson(r.bill.currency)},
      {"attempts", r.attempts},
      {"estimated_attempts", r.estimated_attempts},
      {"unpriced_attempts", r.unpriced},
      {"other_currency_attempts", r.other_currency},
      {"attempts_without_rows", r.without_rows},
      {"corrections", r.corrections},
      {"corrections_cost", figure_text(r.corrected_attos)},
      {"total",
       {{"bill", figures_json(r, r.result.billed)},
        {"ledger", figures_json(r, r.result.booked)},
        {"ledger_estimated", figures_json(r, r.result.estimated)}}},
      {"counts", counts},
      {"lines", lines},
  };
  return json.dump(2, ' ', false, ReconcileJson::error_handler_t::replace) + '\n';
}

/// The days that the bill is about, or those that were asked for: lines of others are left out.
void choose_days(Reconciled& r, const ReconcileWanted& wanted) {
  r.of_bill = {"9999-12-31", "0000-01-01"};
  for (const auto& line : r.bill.lines) {
    r.of_bill.first = std::min(r.of_bill.first, line.first.day);
    r.of_bill.last = std::max(r.of_bill.last, line.first.day);
  }
  r.compared.first = wanted.since.empty() ? r.of_bill.first : wanted.since;
  r.compared.last = wanted.until.empty() ? r.of_bill.last : wanted.until;
  std::erase_if(r.bill.lines,
                [&](const auto& line) { return line.first.day < r.compared.first || line.first.day > r.compared.last; });
}

/// When the first day begins, by the bill's zone.
TimePoint begin_of(const Reconciled& r) {
  return parse_time(r.compared.first).value_or(TimePoint()) - std::chrono::minutes(r.bill.zone_minutes);
}

/// All that can have been sent on those days: a request may be up to a day older than an attempt of it.
Period period_of(const Reconciled& r) {
  using std::chrono::days, std::chrono::minutes;
  const minutes zone(r.bill.zone_minutes);
  Period period;
  period.since = begin_of(r) - days(1);
  if (const auto last = parse_time(r.compared.last)) period.until = *last - zone + days(1);
  return period;
}

/// For CLI::Validator: what is wrong, or nothing.
std::string check_tolerance(const std::string& text) {
  const auto figure = parse_figure(text);
  if (!figure) return figure.error().message();
  return *figure < 0 ? "'" + text + "' is below 0" : std::string();
}

/// Of texts that were checked.
Tolerance tolerance_of(const ReconcileWanted& wanted) {
  const auto figure = [](const std::string& text) { return parse_figure(text).value(); };
  return {figure(wanted.percent) / 100, figure(wanted.tokens), figure(wanted.cost)};
}

Error refusal(const std::string& what) { return {ErrorKind::config, ErrorOrigin::fairlead, what}; }

Result<Bill> bill_of(const ReconcileWanted& wanted) {
  const auto invoice = text_of_file(wanted.invoice);
  if (!invoice) return invoice.error();
  std::optional<Mapping> mapping;
  if (!wanted.mapping.empty()) {
    const auto text = text_of_file(wanted.mapping);
    if (!text) return text.error();
    auto parsed = parse_mapping(wanted.mapping, *text);
    if (!parsed) return parsed.error();
    mapping = std::move(*parsed);
  }
  auto bill = read_bill(*invoice, mapping ? &*mapping : nullptr);
  if (!bill) return refusal(wanted.invoice + ":" + bill.error().message());
  if (bill->lines.empty()) return refusal(wanted.invoice + ": the bill has no lines");
  return bill;
}

/// Of each provider that attempts of the ledger went to, the days of these (UTC), by the sums that are kept for ever.
Result<std::map<std::string, Days>> booked_days(Store& store) {
  ReportQuery query;
  query.by = {"provider", "day"};
  const auto rows = store.report(query);
  if (!rows) return rows.error();
  std::map<std::string, Days> booked;
  for (const ReportRow& row : *rows) {
    if (row.attempts == 0) continue;  // a correction
    Days& days = booked.try_emplace(row.group[0], Days{row.group[1], row.group[1]}).first->second;
    days.first = std::min(days.first, row.group[1]);
    days.last = std::max(days.last, row.group[1]);
  }
  return booked;
}

/// The ledger or the configuration, where there is one, must know the provider.
Result<void> require_provider(const std::string& name, const std::map<std::string, Days>& booked, const Snapshot* snapshot) {
  std::set<std::string_view> known;
  for (const auto& provider : booked) known.insert(provider.first);
  if (snapshot != nullptr)
    for (const auto& provider : snapshot->providers) known.insert(provider->name);
  if (known.contains(name)) return {};
  std::string names;
  for (const std::string_view one : known) names.append(names.empty() ? "; known are " : ", ").append(one);
  return refusal((snapshot == nullptr ? "the ledger knows" : "neither the ledger nor the configuration knows") +
                 std::string(snapshot == nullptr ? " no" : " a") + " provider '" + name + "'" +
                 did_you_mean(name, {known.begin(), known.end()}, "; ", names));
}

/// Neither side has a line: that is no agreement.
Error nothing_compared(const Reconciled& r, const std::map<std::string, Days>& booked) {
  Days ledger;
  for (const auto& [provider, days] : booked) {
    if (!r.provider.empty() && provider != r.provider) continue;
    ledger.first = ledger.first.empty() ? days.first : std::min(ledger.first, days.first);
    ledger.last = std::max(ledger.last, days.last);
  }
  return refusal("nothing was compared: the bill has " + r.of_bill.first + " to " + r.of_bill.last + ", the ledger " +
                 (ledger.first.empty() ? "no attempts" : ledger.first + " to " + ledger.last + " (UTC)") +
                 (r.provider.empty() ? "" : " of " + r.provider) + ", and neither has a line of the days that were asked for");
}

/// Attempts of the first day that only the sums have still. Where the rows of the day before were let go, those are of requests
/// that began then and were tried again after midnight.
Result<std::int64_t> attempts_without_rows(Store& store, const Reconciled& r) {
  using std::chrono::days, std::chrono::hours;
  if (require_kept_rows(store, begin_of(r) - days(1))) return 0;
  ReportQuery query;
  query.by = {"provider"};
  query.since = std::chrono::floor<hours>(begin_of(r));
  query.until = *query.since + days(1);
  std::int64_t attempts[2] = {0, 0};
  for (const bool from_rows : {false, true}) {
    query.from_rows = from_rows;
    const auto rows = store.report(query);
    // What came when its month was closed counts on that day, and its row may be gone: then the two cannot be compared.
    if (!rows && rows.error().kind == ErrorKind::config) return 0;
    if (!rows) return rows.error();
    for (const ReportRow& row : *rows)
      if (row.correction.empty() && (r.provider.empty() || row.group[0] == r.provider)) attempts[from_rows ? 1 : 0] += row.attempts;
  }
  return std::max<std::int64_t>(attempts[0] - attempts[1], 0);
}

/// Of which day of the bill it is; empty: nobody knows any more.
std::string day_of(const CorrectedAt& corrected, int zone_minutes) {
  if (corrected.day) return day_text(*corrected.day);
  return corrected.sent_at ? bill_day(*corrected.sent_at, zone_minutes) : std::string();
}

/// What was booked by hand of the days that are compared, in the bill's currency.
Result<void> add_corrections(Store& store, Reconciled& r) {
  if (!r.bill.has(Measure::cost)) return {};
  ReportQuery query;
  query.by = {"provider"};
  const auto rows = store.report(query);
  if (!rows) return rows.error();
  for (const ReportRow& row : *rows) {
    if (row.correction.empty() || (!r.provider.empty() && row.group[0] != r.provider)) continue;
    const std::string day = day_of(row.corrected, r.bill.zone_minutes);
    const Money& amount = row.cost.front();
    if (day < r.compared.first || day > r.compared.last || amount.currency.view() != r.bill.currency || amount.pico == 0) continue;
    ++r.corrections;
    r.corrected_attos += amount.pico * attos_per_pico;
  }
  return {};
}

Result<Reconciled> reconciled(Store& store, const Snapshot* snapshot, const ReconcileWanted& wanted) {
  auto bill = bill_of(wanted);
  if (!bill) return bill.error();
  const auto booked = booked_days(store);
  if (!booked) return booked.error();
  if (!wanted.provider.empty())
    if (auto known = require_provider(wanted.provider, *booked, snapshot); !known) return known.error();
  Reconciled r;
  r.bill = std::move(*bill);
  choose_days(r, wanted);
  r.provider = wanted.provider;
  if (auto kept = require_kept_rows(store, begin_of(r)); !kept) return kept.error();
  const auto without_rows = attempts_without_rows(store, r);
  if (!without_rows) return without_rows.error();
  r.without_rows = *without_rows;
  BookSums books(r.bill, wanted.provider, r.compared.first, r.compared.last);
  if (auto done = store.visit(period_of(r), [&](const RequestRecord& record) { books.add(record); }); !done) return done.error();
  if (wanted.provider.empty() && !r.bill.by_attempt && books.providers().size() > 1) {
    std::string names;
    for (const std::string& name : books.providers()) names += (names.empty() ? "" : ", ") + name;
    return refusal("whose bill is it? Name one with --provider: " + names);
  }
  for (const auto& [key, line] : books.lines()) {
    r.attempts += line.attempts;
    r.estimated_attempts += line.estimated_attempts;
  }
  r.unpriced = books.unpriced();
  r.other_currency = books.other_currency();
  r.result = reconcile(r.bill, books, tolerance_of(wanted));
  if (auto done = add_corrections(store, r); !done) return done.error();
  if (r.result.lines.empty()) return nothing_compared(r, *booked);
  return r;
}

/// 0: they agree; 1: they differ; 2: they could not be compared.
int reconcile_command(ReconcileWanted wanted) {
  if (!wanted.since.empty() && !wanted.until.empty() && wanted.until < wanted.since)
    return fail("--until " + wanted.until + " is before --since " + wanted.since + ": no day is between them", 2);
  std::shared_ptr<const Snapshot> snapshot;
  if (wanted.books.ledger.empty()) {
    snapshot = books_snapshot(wanted.books);
    if (!snapshot) return 2;
    wanted.books.ledger = snapshot->ledger;
  }
  const auto store = open_books(wanted.books);
  if (!store) return 2;
  const auto r = reconciled(*store, snapshot.get(), wanted);
  if (!r) return fail(r.error(), 2);
  std::cout << (wanted.format == "json" ? json_of(*r) : text_of(*r, wanted.all));
  return r->agrees() ? 0 : 1;
}

}  // namespace

void add_reconcile(CLI::App& app, int& exit_code) {
  auto* command = app.add_subcommand("reconcile", "Compare a provider's bill with the ledger, by day, model and kind of token");
  auto wanted = std::make_shared<ReconcileWanted>();
  command
      ->add_option("invoice", wanted->invoice,
                   "The bill: an export of DeepSeek, OpenAI or Alibaba, any CSV with --mapping, or the simulator's")
      ->required()
      ->check(CLI::ExistingFile);
  add_books_options(*command, wanted->books);
  command->add_option("--provider", wanted->provider,
                      "Whose bill it is, as the configuration names it; needed where the ledger has several");
  command->add_option("--mapping", wanted->mapping, "A JSON file that says which column is what")->check(CLI::ExistingFile);
  const CLI::Validator day(
      [](const std::string& text) { return text.size() == 10 ? check_time(text) : std::string("a day, such as 2026-11-01"); },
      "DAY");
  command
      ->add_option("--since", wanted->since, "The first day that is compared, in the bill's own zone; without it, the bill's first")
      ->check(day);
  command->add_option("--until", wanted->until, "The last day that is compared; without it, the bill's last")->check(day);
  const CLI::Validator tolerance(check_tolerance, "FIGURE");
  command->add_option("--tolerance", wanted->percent, "Differences up to this share of the bill's figure agree, in percent")
      ->check(tolerance)
      ->capture_default_str();
  command->add_option("--tolerance-tokens", wanted->tokens, "Differences up to so many tokens or requests agree")
      ->check(tolerance)
      ->capture_default_str();
  command->add_option("--tolerance-cost", wanted->cost, "Differences up to this amount of the bill's currency agree")
      ->check(tolerance)
      ->capture_default_str();
  command->add_flag("--all", wanted->all, "Show what is equal too");
  command->add_option("--format", wanted->format, "The format of the answer")
      ->check(CLI::IsMember({"table", "json"}))
      ->capture_default_str();
  command->callback([wanted, &exit_code] { exit_code = reconcile_command(*wanted); });
}

}  // namespace fairlead::cli
