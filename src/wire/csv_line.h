#pragma once
// Lines of CSV (RFC 4180) that are safe to open with a spreadsheet. Pure; used by reports and the archive.
#include <span>
#include <string>
#include <string_view>

namespace fairlead {

/// One line, with CRLF; quotes where needed. A cell that a spreadsheet would take for a formula, or that begins with a "'", begins
/// with one more "'": without it, it is what it was. Numbers are left alone, negative ones too.
void append_csv_line(std::string& to, std::span<const std::string_view> cells);

}  // namespace fairlead
