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

/// For each text, how many different ones of its column are before it.
std::vector<std::vector<std::uint32_t>> ranks_of(const std::vector<std::vector<std::string>>& lines) {
  std::vector<std::vector<std::uint32_t>> ranks(lines.size());
  for (std::size_t column = 0; !lines.empty() && column < lines.front().size(); ++column) {
    std::map<std::string_view, std::uint32_t> rank_of;
    for (const auto& line : lines) rank_of.emplace(line[column], 0);
    std::uint32_t rank = 0;
    for (auto& [text, its] : rank_of) its = rank++;
    for (std::size_t i = 0; i < lines.size(); ++i) ranks[i].push_back(rank_of[lines[i][column]]);
  }
  return ranks;
}

void nothing(sqlite3_context*) {}

}  // namespace

/// By the texts of times and groups, in the order of their columns. In each column, only times or only groups have any.
class Tally::Order {
 public:
  Order(const std::vector<std::vector<std::string>>& times, const std::vector<std::vector<std::string>>& groups)
      : times_(ranks_of(times)), groups_(ranks_of(groups)) {}

  bool is_before(const Part& a, const Part& b) const {
    const auto &time = times_[a.time], &time_b = times_[b.time], &group = groups_[a.group], &group_b = groups_[b.group];
    for (std::size_t column = 0; column < time.size(); ++column) {
      const std::uint32_t rank = time[column] + group[column], rank_b = time_b[column] + group_b[column];
      if (rank != rank_b) return rank < rank_b;
    }
    return false;
  }

 private:
  std::vector<std::vector<std::uint32_t>> times_, groups_;
};

Tally::Tally(const ReportQuery& query, ReportTimes& times)
    : query_(query), times_(times), cuts_(query.cut && query.cut->by_request ? 2 * (query.cut->input_above.size() + 1) : 1) {}

std::uint32_t Tally::place(const Names& names) {
  std::string key;
  for (const std::string& name : names) key.append(std::to_string(name.size())).append(" ").append(name);
  if (const auto known = by_names_.find(key); known != by_names_.end()) return known->second;
  const std::string &source = names[usage_source_name], &currency = names[currency_name];
  Place place{group(names), {}, source == "estimated" || source == "invalid", !source.empty() && currency.empty()};
  if (!currency.empty()) {
    const auto parsed = parse_currency(currency);
    if (parsed)
      place.currency = *parsed;
    else if (!error_)
      error_ = parsed.error();
  }
  const std::string kind = currency + (place.estimated ? " estimated" : "") + (place.unpriced ? " unpriced" : "");
  const auto [same, added] = kinds_.emplace(std::pair(place.group, kind), static_cast<std::uint32_t>(places_.size()));
  if (added) places_.push_back(place);
  return by_names_.emplace(std::move(key), same->second).first->second;
}

std::size_t Tally::group(const Names& names) {
  std::vector<std::string> texts = group_of(query_, names, std::vector<std::string>(texts_count(query_)));
  const auto [same, added] = numbers_.emplace(texts, groups_.size());
  if (!added) return same->second;
  for (std::size_t cut = 0; cut < cuts_; ++cut) {
    if (cuts_ > 1) {
      texts.end()[-2] = cut < 2 ? "0" : std::to_string(query_.cut->input_above[cut / 2 - 1]);
      texts.end()[-1] = cut % 2 == 0 ? "0" : "1";
    }
    groups_.push_back(texts);
  }
  return same->second;
}

void Tally::add(TimePoint at, std::uint32_t place, const Figures& figures) {
  if (const std::size_t time = times_.number(at); time != time_) {
    end_time();
    time_ = time;
  }
  const std::size_t where = place * cuts_ + cut_of(figures.usage);
  if (where >= figures_.size()) figures_.resize(places_.size() * cuts_);
  std::optional<Figures>& sum = figures_[where];
  if (sum) return sum->add(figures);
  sum = figures;
  used_.push_back(where);
}

/// Twice the number of the bound that the input is above, and 1 if it thought.
std::size_t Tally::cut_of(const Usage& usage) const {
  if (cuts_ == 1) return 0;
  const auto& bounds = query_.cut->input_above;
  const auto above = std::lower_bound(bounds.begin(), bounds.end(), usage.input_total()) - bounds.begin();
  return static_cast<std::size_t>(2 * above + (usage.reasoning.value_or(0) > 0 ? 1 : 0));
}

void Tally::end_time() {
  const std::size_t before = parts_.size();
  newest_.resize(groups_.size());
  for (const std::size_t where : used_) {
    const Place& place = places_[where / cuts_];
    const std::size_t group = place.group + where % cuts_;
    if (newest_[group] <= before) {
      parts_.push_back({time_, group, {}});
      newest_[group] = parts_.size();
    }
    add(parts_[newest_[group] - 1].figures, place, *figures_[where]);
    figures_[where].reset();
  }
  used_.clear();
}

Result<std::vector<ReportRow>> Tally::take_rows() {
  if (error_) return *error_;
  end_time();
  const Order order(times_.all_texts(), groups_);
  const auto is_before = [&order](const Part* a, const Part* b) { return order.is_before(*a, *b); };
  std::vector<Part*> parts;
  parts.reserve(parts_.size());
  for (Part& part : parts_) parts.push_back(&part);
  if (!std::is_sorted(parts.begin(), parts.end(), is_before)) std::sort(parts.begin(), parts.end(), is_before);
  std::vector<ReportRow> rows;
  rows.reserve(parts.size());
  const Part* last = nullptr;
  for (Part* part : parts) {
    if (last != nullptr && !is_before(last, part)) {
      add_figures(rows.back(), part->figures);
      continue;
    }
    rows.push_back(std::move(part->figures));
    rows.back().group = texts_of(*part);
    last = part;
  }
  parts_.clear();
  newest_.clear();
  return rows;
}

std::vector<std::string> Tally::texts_of(const Part& part) const {
  std::vector<std::string> texts = times_.texts(part.time);
  for (std::size_t i = 0; i < texts.size(); ++i)
    if (texts[i].empty()) texts[i] = groups_[part.group][i];
  return texts;
}

void Tally::add(ReportRow& row, const Place& place, const Figures& figures) {
  row.requests += figures.requests;
  row.attempts += figures.attempts;
  row.failed_attempts += figures.failed;
  add_tokens(row.usage, figures.usage);
  if (place.unpriced) row.unpriced_attempts += figures.attempts;
  if (place.currency) add_money(row, {figures.cost_pico, *place.currency});
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
