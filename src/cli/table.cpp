#include "cli/table.h"

#include "wire/csv_line.h"

#include <algorithm>
#include <array>
#include <cstdio>

namespace fairlead::cli {
namespace {

/// Characters, not bytes: every byte but UTF-8's continuations.
std::size_t width(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xc0) != 0x80; }));
}

/// A column in which any row has a value.
struct Shown {
  std::size_t number, width;
  bool right;
};

std::vector<Shown> shown(const Table& table) {
  std::vector<Shown> columns;
  for (std::size_t number = 0; number < table.columns.size(); ++number) {
    const bool used = std::any_of(table.rows.begin(), table.rows.end(), [&](const auto& row) { return !row[number].empty(); });
    if (!used) continue;
    std::size_t widest = 0;
    const auto measure = [&](const std::string& cell) { widest = std::max(widest, width(printable(cell))); };
    measure(table.columns[number].title);
    for (const auto& row : table.rows) measure(row[number]);
    if (!table.total.empty()) measure(table.total[number]);
    columns.push_back({number, widest, table.columns[number].right});
  }
  return columns;
}

void append_line(std::string& text, const std::vector<Shown>& columns, const std::vector<std::string>& cells, std::size_t indent) {
  text.append(indent, ' ');
  for (const Shown& column : columns) {
    const std::string cell = printable(cells[column.number]);
    const std::size_t padding = column.width - width(cell);
    if (column.right) text.append(padding, ' ');
    text += cell;
    if (!column.right) text.append(padding, ' ');
    text += "  ";
  }
  text.erase(text.find_last_not_of(' ') + 1);
  text += '\n';
}

}  // namespace

std::string printable(std::string_view text) {
  std::string safe(text);
  for (std::size_t i = 0; i < safe.size(); ++i) {
    const auto byte = static_cast<unsigned char>(safe[i]);
    const bool c1 = byte == 0xc2 && i + 1 < safe.size() && static_cast<unsigned char>(safe[i + 1]) < 0xa0;  // U+0080 to U+009F
    if (byte < 0x20 || byte == 0x7f) safe[i] = '?';
    if (c1) safe.replace(i, 2, "?");
  }
  return safe;
}

std::string to_text(const Table& table, int indent) {
  const std::vector<Shown> columns = shown(table);
  const auto margin = static_cast<std::size_t>(indent);
  std::size_t wide = columns.empty() ? 0 : 2 * (columns.size() - 1);
  for (const Shown& column : columns) wide += column.width;
  std::string text;
  std::vector<std::string> titles;
  for (const Column& column : table.columns) titles.push_back(column.title);
  append_line(text, columns, titles, margin);
  for (const auto& row : table.rows) append_line(text, columns, row, margin);
  if (table.total.empty()) return text;
  text.append(margin, ' ').append(wide, '-').append("\n");
  append_line(text, columns, table.total, margin);
  return text;
}

std::string to_csv(const Table& table) {
  std::string text;
  std::vector<std::string_view> cells;
  for (const Column& column : table.columns) cells.emplace_back(column.title);
  append_csv_line(text, cells);
  for (const auto& row : table.rows) {
    cells.assign(row.begin(), row.end());
    append_csv_line(text, cells);
  }
  return text;
}

std::string utc_text(TimePoint at) {
  using namespace std::chrono;
  const auto day = floor<days>(at);
  const year_month_day date(day);
  const hh_mm_ss time(at - day);
  std::array<char, 80> text{};
  std::snprintf(text.data(), text.size(), "%04d-%02u-%02uT%02d:%02d:%02d.%06dZ", int{date.year()}, unsigned{date.month()},
                unsigned{date.day()}, static_cast<int>(time.hours().count()), static_cast<int>(time.minutes().count()),
                static_cast<int>(time.seconds().count()), static_cast<int>(time.subseconds().count()));
  return text.data();
}

std::string duration_text(std::int64_t us) {
  std::array<char, 40> text{};
  if (us < 1'000)
    std::snprintf(text.data(), text.size(), "%d us", static_cast<int>(us));
  else if (us < 1'000'000)
    std::snprintf(text.data(), text.size(), "%.1f ms", static_cast<double>(us) / 1e3);
  else
    std::snprintf(text.data(), text.size(), "%.2f s", static_cast<double>(us) / 1e6);
  return text.data();
}

std::string counted(std::int64_t count, std::string_view what) {
  return std::to_string(count) + " " + std::string(what) + (count == 1 ? "" : "s");
}

}  // namespace fairlead::cli
