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

using Lines = std::vector<std::vector<std::string>>;

/// Title, rows and total, printable; columns without any value are gone.
struct Shown {
  std::vector<bool> right;
  std::vector<std::size_t> widths;
  Lines lines;
};

Shown shown(const Table& table) {
  Shown result;
  result.lines.resize(1 + table.rows.size() + (table.total.empty() ? 0 : 1));
  for (std::size_t column = 0; column < table.columns.size(); ++column) {
    const bool used = std::any_of(table.rows.begin(), table.rows.end(), [&](const auto& row) { return !row[column].empty(); });
    if (!used) continue;
    std::size_t widest = 0, line = 0;
    const auto add = [&](const std::string& cell) {
      result.lines[line].push_back(printable(cell));
      widest = std::max(widest, width(result.lines[line++].back()));
    };
    add(table.columns[column].title);
    for (const auto& row : table.rows) add(row[column]);
    if (!table.total.empty()) add(table.total[column]);
    result.right.push_back(table.columns[column].right);
    result.widths.push_back(widest);
  }
  return result;
}

std::string line_text(const std::vector<std::string>& cells, const Shown& table, int indent) {
  std::string text(static_cast<std::size_t>(indent), ' ');
  for (std::size_t i = 0; i < cells.size(); ++i) {
    const std::string padding(table.widths[i] - width(cells[i]), ' ');
    if (i > 0) text += "  ";
    text += table.right[i] ? padding + cells[i] : cells[i] + padding;
  }
  text.erase(text.find_last_not_of(' ') + 1);
  return text + '\n';
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
  const Shown result = shown(table);
  std::size_t wide = result.widths.empty() ? 0 : 2 * (result.widths.size() - 1);
  for (const std::size_t w : result.widths) wide += w;
  std::string text;
  for (std::size_t i = 0; i < result.lines.size(); ++i) {
    const bool total = !table.total.empty() && i + 1 == result.lines.size();
    if (total) text += std::string(static_cast<std::size_t>(indent), ' ') + std::string(wide, '-') + '\n';
    text += line_text(result.lines[i], result, indent);
  }
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
