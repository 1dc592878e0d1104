#include "store/sqlite/tally.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

namespace fairlead::sqlite {
namespace {

/// Of sums.
constexpr std::array<std::string_view, 18> columns = {"at",
                                                      "sum_group",
                                                      "requests",
                                                      "attempts",
                                                      "failed",
                                                      "input_tokens",
                                                      "cached_input_tokens",
                                                      "cache_write_tokens",
                                                      "output_tokens",
                                                      "reasoning_tokens",
                                                      "audio_tokens",
                                                      "image_tokens",
                                                      "cost_milli",
                                                      "cost_rest_pico",
                                                      "usd_milli",
                                                      "usd_rest_pico",
                                                      "charge_milli",
                                                      "charge_rest_pico"};
constexpr int columns_count = columns.size(), names_count = name_dimensions.size();

Int128 both_parts(sqlite3_value** parts) { return Int128{sqlite3_value_int64(parts[0])} * milli + sqlite3_value_int64(parts[1]); }

void add_money(std::vector<Money>& all, const Money& more) {
  const auto at = std::lower_bound(all.begin(), all.end(), more.currency,
                                   [](const Money& money, const Currency& currency) { return money.currency < currency; });
  if (at != all.end() && at->currency == more.currency)
    at->pico += more.pico;
  else
    all.insert(at, more);
}

void nothing(sqlite3_context*) {}

}  // namespace

void add_figures(ReportRow& row, const ReportRow& more) {
  row.requests += more.requests;
  row.attempts += more.attempts;
  row.failed_attempts += more.failed_attempts;
  add_tokens(row.usage, more.usage);
  row.estimated_attempts += more.estimated_attempts;
  row.unpriced_attempts += more.unpriced_attempts;
  for (const Money& cost : more.cost) add_money(row.cost, cost);
  row.usd_pico += more.usd_pico;
  row.charge_usd_pico += more.charge_usd_pico;
  row.estimated_usd_pico += more.estimated_usd_pico;
}

std::uint32_t Tally::place(const Names& names) {
  std::string key;
  for (const std::string& name : names) key.append(std::to_string(name.size())).append(" ").append(name);
  if (const auto known = by_names_.find(key); known != by_names_.end()) return known->second;
  const std::string &source = names[usage_source_name], &currency = names[currency_name];
  Place place{names, {}, source == "estimated" || source == "invalid", !source.empty() && currency.empty()};
  if (!currency.empty()) {
    const auto parsed = parse_currency(currency);
    if (parsed)
      place.currency = *parsed;
    else if (!error_)
      error_ = parsed.error();
  }
  std::vector<std::string> told_apart = group_of(query_, names, std::vector<std::string>(query_.by.size()));
  told_apart.insert(told_apart.end(), {currency, place.estimated ? "estimated" : "", place.unpriced ? "unpriced" : ""});
  const auto [same, added] = told_apart_.emplace(std::move(told_apart), static_cast<std::uint32_t>(places_.size()));
  if (added) places_.push_back(std::move(place));
  return by_names_.emplace(std::move(key), same->second).first->second;
}

void Tally::add(TimePoint at, std::uint32_t place, const Figures& figures) {
  const At where{static_cast<std::uint32_t>(times_.number(at)), place, cut_of(figures.usage)};
  Place& there = places_[place];
  if (there.last == nullptr || there.last_at != where) {
    there.last_at = where;
    there.last = &figures_[where];
  }
  there.last->add(figures);
}

/// Twice the number of the bound that the input is above, and 1 if it thought.
std::uint32_t Tally::cut_of(const Usage& usage) const {
  if (!query_.cut || !query_.cut->by_request) return 0;
  const std::int64_t input = usage.input.value_or(0) + usage.cached_input.value_or(0) + usage.cache_write.value_or(0);
  const auto& bounds = query_.cut->input_above;
  const auto above = std::lower_bound(bounds.begin(), bounds.end(), input) - bounds.begin();
  return static_cast<std::uint32_t>(2 * above + (usage.reasoning.value_or(0) > 0 ? 1 : 0));
}

std::vector<std::string> Tally::group_at(const At& at) const {
  std::vector<std::string> group = group_of(query_, places_[at.place].names, times_.texts(at.time));
  if (!query_.cut || !query_.cut->by_request) return group;
  group.push_back(at.cut < 2 ? "0" : std::to_string(query_.cut->input_above[at.cut / 2 - 1]));
  group.push_back(at.cut % 2 == 0 ? "0" : "1");
  return group;
}

Result<std::vector<ReportRow>> Tally::take_rows() {
  if (error_) return *error_;
  using Part = std::pair<std::vector<std::string>, const std::pair<const At, Figures>*>;
  std::vector<Part> parts;  // those of a group are neighbours once they are sorted
  parts.reserve(figures_.size());
  for (const auto& part : figures_) parts.emplace_back(group_at(part.first), &part);
  std::sort(parts.begin(), parts.end(), [](const Part& a, const Part& b) { return a.first < b.first; });
  std::vector<ReportRow> rows;
  rows.reserve(parts.size());
  for (auto& [group, part] : parts) {
    if (rows.empty() || rows.back().group != group) rows.emplace_back().group = std::move(group);
    add(rows.back(), places_[part->first.place], part->second);
  }
  for (Place& place : places_) place.last = nullptr;
  figures_.clear();
  return rows;
}

void Tally::add(ReportRow& row, const Place& place, const Figures& figures) {
  row.requests += figures.requests;
  row.attempts += figures.attempts;
  row.failed_attempts += figures.failed;
  add_tokens(row.usage, figures.usage);
  if (place.unpriced) row.unpriced_attempts += figures.attempts;
  if (place.currency) add_money(row.cost, {figures.cost_pico, *place.currency});
  row.usd_pico += figures.usd_pico;
  row.charge_usd_pico += figures.charge_usd_pico;
  if (!place.estimated) return;
  row.estimated_attempts += figures.attempts;
  row.estimated_usd_pico += figures.usd_pico;
}

std::string tally_of(const SumTable& table) {
  std::string sql = "SELECT tally_sums(";
  for (const std::string_view column : columns) sql.append(column).append(column == columns.back() ? ") FROM " : ", ");
  return sql.append(table.name).append(" WHERE at >= ? AND at < ?");
}

TallyFunctions::TallyFunctions(sqlite3* connection, Tally& tally) : connection_(connection), tally_(tally) {
  const int codes[] = {
      sqlite3_create_function(connection_, "tally_sums", columns_count, SQLITE_UTF8, this, nullptr, add_sums, nothing),
      sqlite3_create_function(connection_, "tally_rows", columns_count, SQLITE_UTF8, this, nullptr, add_rows, nothing),
      sqlite3_create_function(connection_, "place", names_count, SQLITE_UTF8, this, place, nullptr, nullptr)};
  taken_ = std::all_of(std::begin(codes), std::end(codes), [](int code) { return code == SQLITE_OK; });
}

TallyFunctions::~TallyFunctions() {
  sqlite3_create_function(connection_, "tally_sums", columns_count, SQLITE_UTF8, nullptr, nullptr, nullptr, nullptr);
  sqlite3_create_function(connection_, "tally_rows", columns_count, SQLITE_UTF8, nullptr, nullptr, nullptr, nullptr);
  sqlite3_create_function(connection_, "place", names_count, SQLITE_UTF8, nullptr, nullptr, nullptr, nullptr);
}

void TallyFunctions::add(sqlite3_value** values, Tally& tally, std::uint32_t place) {
  Figures figures;
  figures.requests = sqlite3_value_int64(values[2]);
  figures.attempts = sqlite3_value_int64(values[3]);
  figures.failed = sqlite3_value_int64(values[4]);
  for (std::size_t i = 0; i < std::size(token_kinds); ++i)
    if (sqlite3_value* const tokens = values[5 + i]; sqlite3_value_type(tokens) != SQLITE_NULL)
      figures.usage.*token_kinds[i] = sqlite3_value_int64(tokens);
  figures.cost_pico = both_parts(values + 12);
  figures.usd_pico = both_parts(values + 14);
  figures.charge_usd_pico = both_parts(values + 16);
  tally.add(TimePoint(std::chrono::microseconds(sqlite3_value_int64(values[0]))), place, figures);
}

void TallyFunctions::add_sums(sqlite3_context* context, int /*count*/, sqlite3_value** values) {
  auto& self = *static_cast<TallyFunctions*>(sqlite3_user_data(context));
  const auto known = self.places_.find(sqlite3_value_int64(values[1]));
  if (known != self.places_.end()) add(values, self.tally_, known->second);
}

void TallyFunctions::add_rows(sqlite3_context* context, int /*count*/, sqlite3_value** values) {
  const auto& self = *static_cast<TallyFunctions*>(sqlite3_user_data(context));
  add(values, self.tally_, static_cast<std::uint32_t>(sqlite3_value_int64(values[1])));
}

void TallyFunctions::place(sqlite3_context* context, int count, sqlite3_value** values) {
  auto& self = *static_cast<TallyFunctions*>(sqlite3_user_data(context));
  Names names;
  for (int i = 0; i < count; ++i)
    if (const auto* text = reinterpret_cast<const char*>(sqlite3_value_text(values[i])))
      names.at(static_cast<std::size_t>(i)).assign(text, static_cast<std::size_t>(sqlite3_value_bytes(values[i])));
  sqlite3_result_int64(context, self.tally_.place(names));
}

}  // namespace fairlead::sqlite
