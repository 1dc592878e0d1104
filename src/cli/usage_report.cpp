#include "cli/usage_report.h"

#include "cli/time.h"

#include <algorithm>
#include <chrono>
#include <iterator>
#include <map>
#include <set>
#include <utility>

namespace fairlead::cli {
namespace {

using std::chrono_literals::operator""h;
using std::chrono_literals::operator""us;

constexpr std::string_view time_dimensions[] = {"month", "week", "day", "hour"};

bool has_time(const std::vector<std::string>& by) {
  return std::any_of(by.begin(), by.end(), [](const std::string& name) {
    return std::find(std::begin(time_dimensions), std::end(time_dimensions), name) != std::end(time_dimensions);
  });
}

/// As many months before, if both ends are the first of a month; else as long before. All by the clocks of one place.
TimePoint begin_before(TimePoint since, TimePoint until) {
  using namespace std::chrono;
  const auto is_first = [](TimePoint at) { return at == floor<days>(at) && year_month_day(floor<days>(at)).day() == day(1); };
  if (!is_first(since) || !is_first(until)) return since - (until - since);
  const year_month_day from(floor<days>(since)), to(floor<days>(until));
  const months length = (to.year() / to.month()) - (from.year() / from.month());
  return sys_days(((from.year() / from.month()) - length) / 1);
}

Error wrong_question(std::string message) { return {ErrorKind::config, ErrorOrigin::fairlead, std::move(message)}; }

/// Puts the rows of the period before beside those of the same groups.
Result<void> compare_with_before(UsageReport& report, Store& store) {
  const ReportQuery& query = report.query;
  if (!query.since || !query.until) return wrong_question("to compare, say from when to when: --since and --until, or --month");
  if (has_time(query.by)) return wrong_question("what is compared cannot be grouped by time");
  const Zone* zone = query.zone.get();
  report.before_since = zone ? zone->first_at(begin_before(zone->local(*query.since), zone->local(*query.until)))
                             : begin_before(*query.since, *query.until);
  report.before_until = query.since;
  auto before = store.report({query.by, report.before_since, report.before_until, query.from_rows});
  if (!before) return before.error();
  std::map<std::vector<std::string>, std::size_t> places;
  for (std::size_t i = 0; i < report.rows.size(); ++i) {
    report.rows[i].before = std::make_unique<ReportRow>();
    if (report.rows[i].now.correction.empty()) places[report.rows[i].now.group] = i;
  }
  report.total.before = std::make_unique<ReportRow>();
  for (ReportRow& row : *before) {
    add_figures(*report.total.before, row);
    auto place = places.end();
    if (row.correction.empty()) place = places.find(row.group);
    if (place != places.end()) {
      *report.rows[place->second].before = std::move(row);
      continue;
    }
    UsageRow gone;
    gone.now.group = row.group;
    gone.now.correction = row.correction;
    gone.before = std::make_unique<ReportRow>(std::move(row));
    report.rows.push_back(std::move(gone));
  }
  std::stable_sort(report.rows.begin(), report.rows.end(), [](const UsageRow& a, const UsageRow& b) {
    const auto size = [](Int128 change) { return change < 0 ? -change : change; };
    return size(a.change_usd_pico()) > size(b.change_usd_pico());
  });
  return {};
}

bool is_within_day(const std::optional<TimePoint>& at) { return at && *at != std::chrono::floor<std::chrono::days>(*at); }

/// What the target's prices depend on, of those that may hold for it, and their rate to USD.
PriceCut cut_for(const Target& target, const Snapshot& snapshot) {
  PriceCut cut;
  for (const auto* shares : {&target.provider->discounts, &target.provider->surcharges})
    for (const DatedShare& share : *shares) cut.hourly |= is_within_day(share.from) || is_within_day(share.until);
  std::set<std::int64_t> input_above;
  for (const auto* prices : {&target.contract, &target.model->prices})
    for (const Price& price : *prices) {
      if (!is_for(price, account_of(*target.provider))) continue;
      cut.hourly |= !price.windows.empty() || is_within_day(price.from) || is_within_day(price.until);
      if (const auto rates = snapshot.usd_per.find(std::string(price.currency.view())); rates != snapshot.usd_per.end())
        for (const UsdRate& rate : rates->second.dated) cut.hourly |= is_within_day(rate.from);
      cut.by_request |= !price.tiers.empty() || price.thinking != Rates{};
      for (const PriceWindow& window : price.windows) cut.by_request |= window.thinking != Rates{};
      for (const PriceTier& tier : price.tiers) input_above.insert(tier.above_input_tokens);
    }
  cut.input_above.assign(input_above.begin(), input_above.end());
  return cut;
}

}  // namespace

Int128 ShownCurrency::amount_of(Int128 usd_pico) const {
  const Int128 half = usd_pico < 0 ? -rate.usd / 2 : rate.usd / 2;
  return (usd_pico * pico_per_unit + half) / rate.usd;
}

std::string ShownCurrency::rate_text() const {
  return "One " + std::string(currency.view()) + " is " + format_decimal(rate.usd) + " USD" +
         (rate.from ? " since " + day_text(*rate.from) : "") + ".";
}

std::optional<Int128> UsageRow::saved_usd_pico() const {
  if (!elsewhere || elsewhere->unpriced || now.unpriced_attempts > 0) return std::nullopt;
  return elsewhere->usd_pico - (now.usd_pico - corrections_usd_pico);
}

std::int64_t share_of(Int128 part, Int128 whole, std::int64_t units) {
  return whole == 0 ? 0 : static_cast<std::int64_t>((part * 2 * units + whole) / (2 * whole));
}

std::string share_text(Int128 part, Int128 whole) {
  return format_decimal(Int128{share_of(part, whole)} * (pico_per_unit / 10'000));
}

std::string percent_text(std::int64_t thousandths) {
  const std::int64_t size = thousandths < 0 ? -thousandths : thousandths;
  return (thousandths < 0 ? "-" : "") + std::to_string(size / 10) + "." + std::to_string(size % 10) + " %";
}

Result<UsageReport> read_usage(Store& store, ReportQuery query, bool compare) {
  auto rows = store.report(query);
  if (!rows) return rows.error();
  UsageReport report;
  report.query = std::move(query);
  report.rows.reserve(rows->size());
  std::set<Currency> currencies;
  for (ReportRow& row : *rows) {
    add_figures(report.total.now, row);
    if (!row.correction.empty()) report.total.corrections_usd_pico += row.usd_pico;
    for (const Money& cost : row.cost) currencies.insert(cost.currency);
    report.rows.emplace_back().now = std::move(row);
  }
  report.currencies.assign(currencies.begin(), currencies.end());
  if (compare)
    if (auto done = compare_with_before(report, store); !done) return done.error();
  return report;
}

void keep_top(UsageReport& report, std::size_t count) {
  if (!report.before_since)
    std::stable_sort(report.rows.begin(), report.rows.end(),
                     [](const UsageRow& a, const UsageRow& b) { return a.now.usd_pico > b.now.usd_pico; });
  if (report.rows.size() <= count) return;
  report.left_out = report.rows.size() - count;
  report.rows.resize(count);
}

Result<void> price_elsewhere(UsageReport& report, Store& store, const Target& target, const Snapshot& snapshot) {
  report.elsewhere = target.name;
  ReportQuery query = report.query;
  query.cut = cut_for(target, snapshot);
  auto rows = store.report(query);
  if (!rows) {
    Error error = rows.error();
    if (query.cut->by_request)
      error.set_message("what a request costs at " + target.name + " depends on its length, and " + error.message());
    return error;
  }
  std::map<std::vector<std::string>, Elsewhere> sums;
  Elsewhere total;
  for (ReportRow& row : *rows) {
    if (!row.correction.empty()) continue;
    const auto number = [&, cut = row.group.begin() + static_cast<std::ptrdiff_t>(query.by.size())](int place) {
      return std::stoll(cut[place]);
    };
    const TimePoint at(std::chrono::microseconds(number(0)));
    // A price asks for the whole input, of which the cut tells between which tiers it is.
    const PricedBy by = query.cut->by_request ? PricedBy(number(1) + 1, number(2) != 0) : PricedBy(0);
    row.group.resize(query.by.size());
    Elsewhere& sum = sums[row.group];
    auto price = price_of(target, by, at);
    if (!price) price = price_of(target, by, at + (query.cut->hourly ? 1h : 24h) - 1us);  // its first began in between
    const auto cost = price ? cost_of(row.usage, *price) : Result<Money>(Error(ErrorKind::internal, ErrorOrigin::fairlead, ""));
    const UsdRate* rate = price ? snapshot.usd_rate(price->entry->currency, at) : nullptr;
    if (!cost || rate == nullptr) {
      sum.unpriced = total.unpriced = true;
      continue;
    }
    const Int128 usd = multiply_pico(cost->pico, rate->usd);
    sum.usd_pico += usd;
    total.usd_pico += usd;
  }
  for (UsageRow& row : report.rows)
    if (row.now.correction.empty()) row.elsewhere = sums[row.now.group];
  report.total.elsewhere = total;
  return {};
}

}  // namespace fairlead::cli
