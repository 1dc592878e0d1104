#include "cli/reconcile/bill.h"

#include "cli/reconcile/csv.h"
#include "cli/reconcile/mapping.h"
#include "cli/time.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <chrono>
#include <utility>

namespace fairlead::cli {
namespace {

constexpr std::array<std::string_view, measure_count> measure_names{"requests",    "input",  "cached_input",
                                                                    "cache_write", "output", "cost"};

Error bill_error(int line, int column, const std::string& what) {
  return {ErrorKind::config, ErrorOrigin::fairlead, std::to_string(line) + ":" + std::to_string(column) + ": " + what};
}
Error bill_error(const CsvCell& cell, const std::string& what) { return bill_error(cell.line, cell.column, what); }

/// "08:00" in minutes; empty: it does not begin so.
std::optional<int> clock_minutes(std::string_view text) {
  const auto two_digits = [&](std::size_t at) {
    const bool there = at + 2 <= text.size() && text[at] >= '0' && text[at] <= '9' && text[at + 1] >= '0' && text[at + 1] <= '9';
    return there ? (text[at] - '0') * 10 + (text[at + 1] - '0') : -1;
  };
  const int hours = two_digits(0), minutes = two_digits(text.size() > 2 && text[2] == ':' ? 3 : 2);
  if (hours < 0) return std::nullopt;
  return hours * 60 + std::max(minutes, 0);
}

/// What "T23:30:00-05:00" behind a day is in minutes since that day's beginning in UTC. Empty: it does not say where it is so late;
/// " 13:00-14:00" are two times.
std::optional<int> utc_minutes(std::string_view time) {
  const std::size_t place = time.find_first_of("+-Z");
  constexpr std::size_t seconds_end = std::string_view(" 23:30:00").size();
  if (place == std::string_view::npos || (time[0] != 'T' && place < seconds_end)) return std::nullopt;
  const auto clock = clock_minutes(time.substr(1, place - 1));
  const auto offset = time[place] == 'Z' ? 0 : clock_minutes(time.substr(place + 1));
  if (!clock || !offset) return std::nullopt;
  return time[place] == '-' ? *clock + *offset : *clock - *offset;
}

/// "2026-11-01...", "20261101" or seconds since 1970. A time that states its distance from UTC is taken to the zone. Empty: it is
/// none.
std::string day_in(std::string_view text, int zone_minutes) {
  const bool digits = std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
  if (digits && text.size() == 10) return bill_day(TimePoint(std::chrono::seconds(std::stoll(std::string(text)))), zone_minutes);
  std::string day(text.substr(0, 10));
  if (digits && text.size() == 8)
    day = std::string(text.substr(0, 4)) + "-" + std::string(text.substr(4, 2)) + "-" + std::string(text.substr(6, 2));
  std::replace(day.begin(), day.end(), '/', '-');
  const auto begin = parse_time(day);
  if (!begin) return {};
  const auto minutes = text.size() > 10 ? utc_minutes(text.substr(10)) : std::nullopt;
  return minutes ? bill_day(*begin + std::chrono::minutes(*minutes), zone_minutes) : day;
}

/// Adds up a bill's figures, and takes none with which its sum of a measure, whatever their signs, were no longer far within 128
/// bits; so what is added up of its lines later, or subtracted, is too.
class BillSums {
 public:
  /// Errors: config.
  Result<void> add(Figures& figures, Measure measure, Int128 attos) {
    Int128& sum = sums_[static_cast<std::size_t>(measure)];
    sum += attos < -sum_max || attos > sum_max ? sum_max + 1 : attos < 0 ? -attos : attos;
    if (sum > sum_max)
      return Error(ErrorKind::config, ErrorOrigin::fairlead,
                   "the figures of " + std::string(to_string(measure)) + " are too large to be added up");
    add_figure(figures, measure, attos);
    return {};
  }

 private:
  static constexpr Int128 sum_max = Int128{1} << 124;
  std::array<Int128, measure_count> sums_{};
};

/// One export under one mapping.
class Export {
 public:
  Export(const std::vector<CsvRow>& rows, const Mapping& mapping) : rows_(rows), mapping_(mapping) {}

  /// Are all columns there that the mapping names?
  bool fits() const { return missing().empty(); }
  std::string missing() const {
    std::string names;
    const auto look = [&](const Titles& titles) {
      if (!titles.empty() && find(titles) < 0) names += (names.empty() ? "'" : ", '") + titles.front() + "'";
    };
    for (const Titles* titles :
         {&mapping_.day, &mapping_.model, &mapping_.kind, &mapping_.amount, &mapping_.unit, &mapping_.cost, &mapping_.currency})
      look(*titles);
    for (const auto& figure : mapping_.figures) look(figure.second);
    return names;
  }

  Result<Bill> read() {
    bill_.format = mapping_.name;
    bill_.zone_minutes = mapping_.zone_minutes;
    bill_.currency = mapping_.currency_always;
    for (const auto& [word, measure] : mapping_.kinds)
      if (measure) tells(*measure);
    for (const auto& figure : mapping_.figures) tells(figure.first);
    if (!mapping_.cost.empty()) tells(Measure::cost);
    for (std::size_t i = 1; i < rows_.size(); ++i)
      if (auto done = read_row(rows_[i]); !done) return done.error();
    return std::move(bill_);
  }

 private:
  void tells(Measure measure) { bill_.measures[static_cast<std::size_t>(measure)] = true; }

  int find(const Titles& titles) const {
    for (const std::string& title : titles)
      for (std::size_t i = 0; i < rows_.front().size(); ++i)
        if (rows_.front()[i].text == title) return static_cast<int>(i);
    return -1;
  }
  const CsvCell& cell(const CsvRow& row, const Titles& titles) const { return row[static_cast<std::size_t>(find(titles))]; }

  /// The nth part of a cell, from 1; the whole cell for 0.
  std::string part(const std::string& text, std::size_t n) const {
    if (n == 0 || mapping_.split.empty()) return text;
    std::size_t begin = 0;
    for (; n > 1; --n) {
      const std::size_t at = text.find(mapping_.split, begin);
      if (at == std::string::npos) return {};
      begin = at + mapping_.split.size();
    }
    return text.substr(begin, std::min(text.find(mapping_.split, begin), text.size()) - begin);
  }

  Result<void> read_row(const CsvRow& row) {
    const CsvCell& day = cell(row, mapping_.day);
    const CsvCell& model = cell(row, mapping_.model);
    BillKey key{day_in(day.text, mapping_.zone_minutes), part(model.text, mapping_.model_part), {}};
    if (key.day.empty()) return bill_error(day, "'" + day.text + "' is no day, such as 2026-11-01, nor a time");
    std::optional<Measure> kind;
    if (!mapping_.amount.empty()) {
      const std::string word = mapping_.kind.empty() ? part(model.text, mapping_.kind_part) : cell(row, mapping_.kind).text;
      const auto known = mapping_.kinds.find(word);
      if (known == mapping_.kinds.end())
        return bill_error(mapping_.kind.empty() ? model : cell(row, mapping_.kind),
                          "'" + word + "' is no kind that the mapping knows");
      if (!known->second) return {};
      kind = known->second;
    }
    if (key.model.empty()) return bill_error(model, "it names no model");
    Figures& figures = bill_.lines[key];
    if (kind)
      if (auto done = add_amount(row, figures, *kind); !done) return done;
    if (auto done = add_columns(row, figures); !done) return done;
    return add_cost(row, figures);
  }

  Result<Int128> figure(const CsvCell& cell) const {
    if (cell.text.empty()) return Int128{0};
    auto parsed = parse_figure(cell.text);
    if (!parsed) return bill_error(cell, parsed.error().message());
    return parsed;
  }

  Result<void> add(Figures& figures, Measure measure, Int128 attos, const CsvCell& cell) {
    if (auto done = sums_.add(figures, measure, attos); !done) return bill_error(cell, done.error().message());
    return {};
  }

  Result<void> add_amount(const CsvRow& row, Figures& figures, Measure kind) {
    const CsvCell& cell_of_amount = cell(row, mapping_.amount);
    auto amount = figure(cell_of_amount);
    if (!amount) return amount.error();
    if (!mapping_.unit.empty()) {
      const CsvCell& unit = cell(row, mapping_.unit);
      const auto known = mapping_.units.find(unit.text);
      if (known == mapping_.units.end()) return bill_error(unit, "'" + unit.text + "' is no unit that the mapping knows");
      if (__builtin_mul_overflow(*amount, Int128{known->second}, &*amount))
        return bill_error(cell_of_amount, "'" + cell_of_amount.text + "' in '" + unit.text + "' is too large");
    }
    return add(figures, kind, *amount, cell_of_amount);
  }

  Result<void> add_columns(const CsvRow& row, Figures& figures) {
    Int128 within = 0;  // of six figures at most
    for (const auto& [measure, titles] : mapping_.figures) {
      const CsvCell& one = cell(row, titles);
      const auto amount = figure(one);
      if (!amount) return amount.error();
      if (auto done = add(figures, measure, *amount, one); !done) return done;
      if (std::count(mapping_.within_input.begin(), mapping_.within_input.end(), measure) > 0) within += *amount;
    }
    return within == 0 ? Result<void>() : add(figures, Measure::input, -within, row.front());
  }

  Result<void> add_cost(const CsvRow& row, Figures& figures) {
    if (mapping_.cost.empty()) return {};
    const CsvCell& cell_of_cost = cell(row, mapping_.cost);
    const auto cost = figure(cell_of_cost);
    if (!cost) return cost.error();
    if (auto done = add(figures, Measure::cost, *cost, cell_of_cost); !done) return done;
    if (mapping_.currency.empty()) return {};
    const CsvCell& named = cell(row, mapping_.currency);
    const auto currency = currency_in(named.text);
    if (!currency) return bill_error(named, currency.error().message());
    if (!bill_.currency.empty() && bill_.currency != *currency)
      return bill_error(named, "the bill is in " + bill_.currency + " before, and in " + *currency + " here: reconcile each apart");
    bill_.currency = *currency;
    return {};
  }

  const std::vector<CsvRow>& rows_;
  const Mapping& mapping_;
  Bill bill_;
  BillSums sums_;
};

/// What `fairlead simulate --bill` writes: a JSON object for each attempt.
Result<Bill> read_simulated(std::string_view text) {
  Bill bill;
  bill.format = "simulator";
  bill.by_attempt = true;
  bill.currency = "USD";
  bill.measures.fill(true);
  bill.measures[static_cast<std::size_t>(Measure::requests)] = false;
  BillSums sums;
  int number = 0;
  while (!text.empty()) {
    ++number;
    const std::size_t end = std::min(text.find('\n'), text.size());
    const auto line = nlohmann::json::parse(text.substr(0, end), nullptr, false);
    text.remove_prefix(std::min(end + 1, text.size()));
    try {
      const auto count = [&](const char* name) { return Int128{line.at(name).get<std::int64_t>()} * attos_per_unit; };
      const BillKey key{line.at("at").get<std::string>().substr(0, 10), line.at("model").get<std::string>(),
                        line.at("client_request_id").get<std::string>()};
      Figures& figures = bill.lines[key];
      const Int128 cached = count("cached_tokens"), written = count("cache_write_tokens");
      const auto cost = parse_figure(line.at("cost").get<std::string>());
      if (!cost) return bill_error(number, 1, cost.error().message());
      for (const auto& [measure, attos] : {std::pair(Measure::input, count("prompt_tokens") - cached - written),
                                           {Measure::cached_input, cached},
                                           {Measure::cache_write, written},
                                           {Measure::output, count("completion_tokens")},
                                           {Measure::cost, *cost}})
        if (auto done = sums.add(figures, measure, attos); !done) return bill_error(number, 1, done.error().message());
    } catch (const nlohmann::json::exception&) {
      return bill_error(number, 1, "it is no line of the simulator's bill");
    }
  }
  return bill;
}

}  // namespace

std::string_view to_string(Measure measure) { return measure_names[static_cast<std::size_t>(measure)]; }

void add_figure(Figures& figures, Measure measure, Int128 attos) {
  auto& sum = figures[static_cast<std::size_t>(measure)];
  sum = sum.value_or(0) + attos;
}

std::string bill_day(TimePoint at, int zone_minutes) { return day_text(at + std::chrono::minutes(zone_minutes)); }

Result<Bill> read_bill(std::string_view text, const Mapping* mapping) {
  if (mapping == nullptr && text.starts_with('{')) return read_simulated(text);
  const auto rows = read_csv(text);
  if (!rows) return rows.error();
  if (rows->empty()) return bill_error(1, 1, "it is empty");
  if (mapping != nullptr) {
    Export one(*rows, *mapping);
    if (!one.fits()) return bill_error(1, 1, "the columns " + one.missing() + " are missing, which the mapping names");
    return one.read();
  }
  std::string names;
  for (const Mapping& known : built_in_mappings()) {
    Export one(*rows, known);
    if (one.fits()) return one.read();
    names += (names.empty() ? "" : ", ") + known.name + " (" + one.missing() + " missing)";
  }
  return bill_error(1, 1, "its columns are of no known export: " + names + ". Name the columns with --mapping");
}

}  // namespace fairlead::cli
