#include "wire/csv_line.h"

#include <algorithm>

namespace fairlead {
namespace {

constexpr std::string_view digits = "0123456789";

/// -12 or -0.5
bool is_negative_number(std::string_view cell) {
  cell.remove_prefix(1);
  const std::size_t whole = std::min(cell.find_first_not_of(digits), cell.size());
  if (whole == 0) return false;
  if (whole == cell.size()) return true;
  return cell[whole] == '.' && whole + 1 < cell.size() && cell.find_first_not_of(digits, whole + 1) == std::string_view::npos;
}

bool may_do_something(std::string_view cell) {
  if (cell.empty() || std::string_view("=+-@\t\r'").find(cell.front()) == std::string_view::npos) return false;
  return cell.front() != '-' || !is_negative_number(cell);
}

}  // namespace

void append_csv_line(std::string& to, std::span<const std::string_view> cells) {
  bool first = true;
  for (const std::string_view cell : cells) {
    if (!first) to += ',';
    first = false;
    const bool guarded = may_do_something(cell), quoted = cell.find_first_of(",\"\r\n") != std::string_view::npos;
    if (quoted) to += '"';
    if (guarded) to += '\'';
    for (const char c : cell) to.append(quoted && c == '"' ? 2 : 1, c);
    if (quoted) to += '"';
  }
  to += "\r\n";
}

}  // namespace fairlead
