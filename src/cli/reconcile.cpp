// `fairlead reconcile INVOICE.csv`: a provider's bill against the ledger, by day, model and kind of token; also while the daemon
// runs.
#include "cli/books.h"
#include "cli/commands.h"
#include "cli/reconcile/reconciliation.h"
#include "cli/table.h"
#include "cli/time.h"

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <fstream>
#include <iostream>
#include <iterator>
#include <memory>
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

struct Reconciled {
  Bill bill;
  Reconciliation result;
  std::string first, last, provider;
  std::int64_t attempts = 0, estimated_attempts = 0, unpriced = 0, other_currency = 0;
  /// What is of no one line, and keeps the two from agreeing.
  bool agrees() const { return result.agrees() && other_currency == 0; }
};

Result<std::string> text_of_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(file), {}};
  if (!file) return Error(ErrorKind::io, ErrorOrigin::fairlead, "'" + path + "' cannot be read");
  return text;
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
  std::string text = "bill      " + r.bill.format + ", " + r.first + " to " + r.last +
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
      {"first_day", r.first},
      {"last_day", r.last},
      {"provider", r.provider.empty() ? ReconcileJson(nullptr) : ReconcileJson(r.provider)},
      {"currency", r.bill.currency.empty() ? ReconcileJson(nullptr) : ReconcileJson(r.bill.currency)},
      {"attempts", r.attempts},
      {"estimated_attempts", r.estimated_attempts},
      {"unpriced_attempts", r.unpriced},
      {"other_currency_attempts", r.other_currency},
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
  std::string first = "9999-12-31", last = "0000-01-01";
  for (const auto& line : r.bill.lines) {
    first = std::min(first, line.first.day);
    last = std::max(last, line.first.day);
  }
  r.first = wanted.since.empty() ? first : wanted.since;
  r.last = wanted.until.empty() ? last : wanted.until;
  std::erase_if(r.bill.lines, [&](const auto& line) { return line.first.day < r.first || line.first.day > r.last; });
}

/// All that can have been sent on those days: a request may be up to a day older than an attempt of it.
Period period_of(const Reconciled& r) {
  using std::chrono::days, std::chrono::minutes;
  const minutes zone(r.bill.zone_minutes);
  Period period;
  if (const auto first = parse_time(r.first)) period.since = *first - zone - days(1);
  if (const auto last = parse_time(r.last)) period.until = *last - zone + days(1);
  return period;
}

Result<Tolerance> tolerance_of(const ReconcileWanted& wanted) {
  const auto percent = parse_figure(wanted.percent);
  if (!percent) return percent.error();
  const auto tokens = parse_figure(wanted.tokens);
  if (!tokens) return tokens.error();
  const auto cost = parse_figure(wanted.cost);
  if (!cost) return cost.error();
  return Tolerance{*percent / 100, *tokens, *cost};
}

Result<Reconciled> reconciled(Store& store, const ReconcileWanted& wanted) {
  const auto invoice = text_of_file(wanted.invoice);
  if (!invoice) return invoice.error();
  std::string mapping;
  if (!wanted.mapping.empty()) {
    auto text = text_of_file(wanted.mapping);
    if (!text) return text.error();
    mapping = std::move(*text);
  }
  const auto tolerance = tolerance_of(wanted);
  if (!tolerance) return tolerance.error();
  auto bill = read_bill(*invoice, mapping);
  if (!bill) return Error(bill.error().kind, ErrorOrigin::fairlead, wanted.invoice + ":" + bill.error().message());
  if (bill->lines.empty()) return Error(ErrorKind::config, ErrorOrigin::fairlead, wanted.invoice + ": the bill has no lines");
  Reconciled r;
  r.bill = std::move(*bill);
  choose_days(r, wanted);
  r.provider = wanted.provider;
  BookSums books(r.bill, wanted.provider, r.first, r.last);
  if (auto done = store.visit(period_of(r), [&](const RequestRecord& record) { books.add(record); }); !done) return done.error();
  if (wanted.provider.empty() && !r.bill.by_attempt && books.providers().size() > 1) {
    std::string names;
    for (const std::string& name : books.providers()) names += (names.empty() ? "" : ", ") + name;
    return Error(ErrorKind::config, ErrorOrigin::fairlead, "whose bill is it? Name one with --provider: " + names);
  }
  for (const auto& [key, line] : books.lines()) {
    r.attempts += line.attempts;
    r.estimated_attempts += line.estimated_attempts;
  }
  r.unpriced = books.unpriced();
  r.other_currency = books.other_currency();
  r.result = reconcile(r.bill, books, *tolerance);
  return r;
}

int reconcile_command(const ReconcileWanted& wanted) {
  const auto store = open_books(wanted.books);
  if (!store) return 1;
  const auto r = reconciled(*store, wanted);
  if (!r) {
    fail(r.error());
    return r.error().kind == ErrorKind::config ? 2 : 1;
  }
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
  command->add_option("--tolerance", wanted->percent, "Differences up to this share of the bill's figure agree, in percent")
      ->capture_default_str();
  command->add_option("--tolerance-tokens", wanted->tokens, "Differences up to so many tokens or requests agree")
      ->capture_default_str();
  command->add_option("--tolerance-cost", wanted->cost, "Differences up to this amount of the bill's currency agree")
      ->capture_default_str();
  command->add_flag("--all", wanted->all, "Show what is equal too");
  command->add_option("--format", wanted->format, "The form of the answer")
      ->check(CLI::IsMember({"table", "json"}))
      ->capture_default_str();
  command->callback([wanted, &exit_code] { exit_code = reconcile_command(*wanted); });
}

}  // namespace fairlead::cli
