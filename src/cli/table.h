#pragma once
// Rows of cells for people and for spreadsheets. Pure; used by the commands that report.
#include <fairlead/near.h>
#include <fairlead/time.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <iosfwd>
#include <string>
#include <string_view>
#include <vector>

namespace fairlead::cli {

struct Column {
  std::string title;
  bool right = false;  ///< figures stand to the right
};

struct Table {
  std::vector<Column> columns;
  std::vector<std::vector<std::string>> rows;
  std::vector<std::string> total;  ///< under a line of its own; empty: none
};

/// One of any length, whose rows are made as they are written.
struct LongTable {
  std::vector<Column> columns;
  std::size_t rows = 0;
  std::function<void(std::size_t row, std::vector<std::string>& cells)> fill;  ///< `cells` are empty. Two threads call it at once
  std::vector<std::string> total;
};

/// As to_text() and to_csv().
void write_text(std::ostream& to, const LongTable& table, int indent = 0);
void write_csv(std::ostream& to, const LongTable& table);

/// Aligned columns, each line after `indent` spaces. Columns without any value are left out. Control characters become '?', so that
/// no name of an app or a provider can speak to the terminal.
std::string to_text(const Table& table, int indent = 0);

/// RFC 4180 without the total: CRLF, quotes where needed. A cell that a spreadsheet would take for a formula begins with a "'".
std::string to_csv(const Table& table);

/// For people: "2026-11-01T12:00Z", with the minute that has begun.
std::string minute_text(TimePoint at);

/// Microseconds for people: "850 us", "12.3 ms", "2.31 s".
std::string duration_text(std::int64_t us);

/// "1 request", "2 requests"
std::string counted(std::int64_t count, std::string_view what);

}  // namespace fairlead::cli
