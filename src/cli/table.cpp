#include "cli/table.h"

#include "wire/csv_line.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <future>
#include <ostream>
#include <sstream>
#include <utility>

namespace fairlead::cli {
namespace {

constexpr std::size_t block_rows = 8'192;  ///< that a thread writes at a time

/// All that printable() changes begins with one.
bool is_suspect(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f || c == '\xc2'; }

/// As printable(). `room`: where the text is changed.
std::string_view shown_of(std::string_view cell, std::string& room) {
  if (std::none_of(cell.begin(), cell.end(), is_suspect)) return cell;
  return room = printable(cell);
}

/// Characters, not bytes: every byte but UTF-8's continuations.
std::size_t width(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xc0) != 0x80; }));
}

/// Of the rows, by number, from..until.
template <class Visit>
void each_row(const LongTable& table, std::size_t from, std::size_t until, Visit visit) {
  std::vector<std::string> cells;
  for (std::size_t row = from; row < until; ++row) {
    cells.clear();
    table.fill(row, cells);
    visit(cells);
  }
}

/// What `work` makes of the rows in `from`..`until`, in two parts, by two threads if they are many.
template <class Work>
auto halves(std::size_t from, std::size_t until, Work work) {
  const std::size_t middle = until - from < block_rows ? until : from + (until - from) / 2;
  auto second = std::async(middle < until ? std::launch::async : std::launch::deferred, [&] { return work(middle, until); });
  auto first = work(from, middle);
  return std::pair(std::move(first), second.get());
}

/// What `text_of` makes of the rows between two.
template <class TextOf>
void write_rows(std::ostream& to, const LongTable& table, TextOf text_of) {
  for (std::size_t row = 0; row < table.rows; row += 2 * block_rows) {
    const auto [first, second] = halves(row, std::min(row + 2 * block_rows, table.rows), text_of);
    to << first << second;
  }
}

/// A column in which any row has a value.
struct Shown {
  std::size_t number, width;
  bool right;
};

/// The widths of the columns' values; 0: there are none.
std::vector<std::size_t> widths(const LongTable& table, std::size_t from, std::size_t until) {
  std::vector<std::size_t> widest(table.columns.size());
  std::string room;
  each_row(table, from, until, [&](const std::vector<std::string>& cells) {
    for (std::size_t i = 0; i < cells.size(); ++i) widest[i] = std::max(widest[i], width(shown_of(cells[i], room)));
  });
  return widest;
}

std::vector<Shown> shown(const LongTable& table) {
  const auto [some, more] = halves(0, table.rows, [&](std::size_t from, std::size_t until) { return widths(table, from, until); });
  std::vector<Shown> columns;
  for (std::size_t number = 0; number < table.columns.size(); ++number) {
    std::size_t widest = std::max(some[number], more[number]);
    if (widest == 0) continue;
    widest = std::max(widest, width(printable(table.columns[number].title)));
    if (!table.total.empty()) widest = std::max(widest, width(printable(table.total[number])));
    columns.push_back({number, widest, table.columns[number].right});
  }
  return columns;
}

void append_line(std::string& text, const std::vector<Shown>& columns, const std::vector<std::string>& cells, std::size_t indent) {
  std::string room;
  text.append(indent, ' ');
  for (const Shown& column : columns) {
    const std::string_view cell = shown_of(cells[column.number], room);
    const std::size_t padding = column.width - width(cell);
    if (column.right) text.append(padding, ' ');
    text += cell;
    if (!column.right) text.append(padding, ' ');
    text += "  ";
  }
  text.erase(text.find_last_not_of(' ') + 1);
  text += '\n';
}

std::vector<std::string> titles(const LongTable& table) {
  std::vector<std::string> texts;
  for (const Column& column : table.columns) texts.push_back(column.title);
  return texts;
}

LongTable long_table(const Table& table) {
  const auto fill = [&table](std::size_t row, std::vector<std::string>& cells) { cells = table.rows[row]; };
  return {table.columns, table.rows.size(), fill, table.total};
}

}  // namespace

void write_text(std::ostream& to, const LongTable& table, int indent) {
  const std::vector<Shown> columns = shown(table);
  const auto margin = static_cast<std::size_t>(indent);
  const auto line = [&](const std::vector<std::string>& cells) {
    std::string text;
    append_line(text, columns, cells, margin);
    return text;
  };
  to << line(titles(table));
  write_rows(to, table, [&](std::size_t from, std::size_t until) {
    std::string text;
    each_row(table, from, until, [&](const std::vector<std::string>& cells) { append_line(text, columns, cells, margin); });
    return text;
  });
  if (table.total.empty()) return;
  std::size_t wide = columns.empty() ? 0 : 2 * (columns.size() - 1);
  for (const Shown& column : columns) wide += column.width;
  to << std::string(margin, ' ') << std::string(wide, '-') << '\n' << line(table.total);
}

void write_csv(std::ostream& to, const LongTable& table) {
  std::string first;
  std::vector<std::string_view> names;
  for (const Column& column : table.columns) names.emplace_back(column.title);
  append_csv_line(first, names);
  to << first;
  write_rows(to, table, [&](std::size_t from, std::size_t until) {
    std::string text;
    std::vector<std::string_view> views;
    each_row(table, from, until, [&](const std::vector<std::string>& cells) {
      views.assign(cells.begin(), cells.end());
      append_csv_line(text, views);
    });
    return text;
  });
}

std::string to_text(const Table& table, int indent) {
  std::ostringstream text;
  write_text(text, long_table(table), indent);
  return std::move(text).str();
}

std::string to_csv(const Table& table) {
  std::ostringstream text;
  write_csv(text, long_table(table));
  return std::move(text).str();
}

std::string minute_text(TimePoint at) { return iso_8601(at).substr(0, 16) + "Z"; }

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
