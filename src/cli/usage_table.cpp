// `usage` for people and for spreadsheets.
#include "cli/usage_report.h"

#include "cli/table.h"

#include <ostream>
#include <string_view>
#include <utility>

namespace fairlead::cli {
namespace {

std::string count_cell(const std::optional<std::int64_t>& count) { return count ? std::to_string(*count) : ""; }

std::string billed_in(const ReportRow& row, Currency currency) {
  for (const Money& cost : row.cost)
    if (cost.currency == currency) return format_decimal(cost.pico);
  return "";
}

/// Of the change; empty where there was nothing before.
std::string change_share(const UsageRow& row, bool for_people) {
  const Int128 before = row.before->usd_pico, change = row.change_usd_pico();
  if (before <= 0) return "";
  const std::int64_t units = for_people ? 1'000 : 10'000, size = share_of(change < 0 ? -change : change, before, units);
  const std::int64_t share = change < 0 ? -size : size;
  return for_people ? (share > 0 ? "+" : "") + percent_text(share) : format_decimal(Int128{share} * (pico_per_unit / units));
}

/// One row of cells behind `cells`, and of titles behind `columns`, if there are such. `for_people`: words, and columns that can be
/// told from others are left out.
class Line {
 public:
  Line(const UsageReport& report, bool for_people, std::vector<std::string>& cells, std::vector<Column>* columns = nullptr)
      : report_(report), people_(for_people), cells_(cells), columns_(columns) {}

  void add(std::string_view for_people, std::string_view for_machines, std::string cell) {
    if (columns_ != nullptr) columns_->push_back({std::string(people_ ? for_people : for_machines), true});
    cells_.push_back(std::move(cell));
  }
  void figures(const UsageRow& row);

 private:
  void money(const UsageRow& row);

  const UsageReport& report_;
  bool people_;
  std::vector<std::string>& cells_;
  std::vector<Column>* columns_;
};

void Line::figures(const UsageRow& of) {
  const ReportRow& row = of.now;
  const Usage& u = row.usage;
  const bool correction = !row.correction.empty();
  const auto number = [&](std::int64_t count) { return correction ? std::string() : std::to_string(count); };
  add("requests", "requests", number(row.requests));
  add("attempts", "attempts", number(row.attempts));
  add("failed", "failed_attempts", number(row.failed_attempts));
  add("input", "input_tokens", count_cell(u.input));
  add("cached", "cached_input_tokens", count_cell(u.cached_input));
  add("cache write", "cache_write_tokens", count_cell(u.cache_write));
  add("output", "output_tokens", count_cell(u.output));
  add("reasoning", "reasoning_tokens", count_cell(u.reasoning));
  add("audio", "audio_tokens", count_cell(u.audio));
  add("image", "image_tokens", count_cell(u.image));
  if (people_)
    add("estimated", "", correction ? "" : percent_text(share_of(row.estimated_attempts, row.attempts, 1'000)));
  else {
    add("", "estimated_attempts", number(row.estimated_attempts));
    add("", "estimated_share", correction ? "" : share_text(row.estimated_attempts, row.attempts));
  }
  add("unpriced", "unpriced_attempts", number(row.unpriced_attempts));
  money(of);
}

void Line::money(const UsageRow& of) {
  const ReportRow& row = of.now;
  for (const Currency currency : report_.currencies) {
    const std::string code(currency.view());
    add("billed " + code, "billed_" + code, billed_in(row, currency));
  }
  add("cost USD", "cost_usd", format_decimal(row.usd_pico));
  if (!people_) add("", "estimated_usd", format_decimal(row.estimated_usd_pico));
  // A team without a markup is charged the cost: then the column says nothing new.
  const bool marked_up = report_.total.now.charge_usd_pico != report_.total.now.usd_pico;
  if (!people_ || marked_up) add("charge USD", "charge_usd", format_decimal(row.charge_usd_pico));
  if (report_.shown) {
    const std::string code(report_.shown->currency.view());
    add("cost " + code, "cost_in_" + code, format_decimal(report_.shown->amount_of(row.usd_pico)));
    if (!people_ || marked_up)
      add("charge " + code, "charge_in_" + code, format_decimal(report_.shown->amount_of(row.charge_usd_pico)));
  }
  if (report_.before_since) {
    add("before USD", "before_usd", format_decimal(of.before->usd_pico));
    add("change USD", "change_usd", format_decimal(of.change_usd_pico()));
    add("change", "change_share", change_share(of, people_));
  }
  if (!report_.elsewhere.empty()) {
    const bool known = of.elsewhere && !of.elsewhere->unpriced;
    add("elsewhere USD", "elsewhere_usd", known ? format_decimal(of.elsewhere->usd_pico) : "");
    const auto saved = of.saved_usd_pico();
    add("saved USD", "saved_usd", saved ? format_decimal(*saved) : "");
  }
}

LongTable table_of_usage(const UsageReport& report, bool for_people) {
  LongTable table;
  for (const std::string& dimension : report.query.by) table.columns.push_back({dimension, false});
  table.columns.push_back({"correction", false});
  table.rows = report.rows.size();
  table.fill = [&report, for_people](std::size_t number, std::vector<std::string>& cells) {
    const UsageRow& row = report.rows[number];
    cells.insert(cells.end(), row.now.group.begin(), row.now.group.end());
    cells.push_back(row.now.correction);
    Line(report, for_people, cells).figures(row);
  };
  std::vector<std::string> total(table.columns.size());
  if (!report.query.by.empty()) total.front() = "total";
  Line(report, for_people, total, &table.columns).figures(report.total);
  if (!report.query.by.empty() || table.rows > 1) table.total = std::move(total);
  return table;
}

/// What is to be known of the table above.
std::string notes_on(const UsageReport& report) {
  std::string text;
  const ReportRow& total = report.total.now;
  if (report.left_out > 0) text += "\n" + counted(static_cast<std::int64_t>(report.left_out), "more group") + " in the total.\n";
  if (total.estimated_attempts > 0)
    text += "\n" + std::to_string(total.estimated_attempts) + " of " + counted(total.attempts, "attempt") + " (" +
            percent_text(share_of(total.estimated_attempts, total.attempts, 1'000)) + "), and " +
            percent_text(share_of(total.estimated_usd_pico, total.usd_pico - report.total.corrections_usd_pico, 1'000)) +
            " of their cost, could only be estimated: no provider's figures came, or none that can be.\n";
  if (total.unpriced_attempts > 0)
    text += "\n" + counted(total.unpriced_attempts, "attempt") + " without a price: the cost is unknown, and in no sum above.\n";
  if (report.before_since)
    text += "\nCompared with " + minute_text(*report.before_since) + " to " + minute_text(*report.before_until) + ".\n";
  if (report.shown) text += "\n" + report.shown->rate_text() + "\n";
  if (!report.elsewhere.empty()) {
    text += "\nElsewhere: all of these tokens at " + report.elsewhere + ", at its prices of each time.\n";
    if (report.total.elsewhere && report.total.elsewhere->unpriced)
      text += "It has no price for a part of them, so there is no sum where that part is.\n";
  }
  return text;
}

}  // namespace

void write_usage_csv(std::ostream& to, const UsageReport& report) { write_csv(to, table_of_usage(report, false)); }

void write_usage_text(std::ostream& to, const UsageReport& report) {
  if (report.rows.empty()) {
    to << "No attempts in this period.\n";
    return;
  }
  write_text(to, table_of_usage(report, true));
  to << notes_on(report);
}

}  // namespace fairlead::cli
