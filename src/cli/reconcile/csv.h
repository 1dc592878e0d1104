#pragma once
// A strict reader of CSV (RFC 4180): commas, quotes, CRLF or LF, a byte order mark at the start. Pure.
#include <fairlead/result.h>

#include <string>
#include <string_view>
#include <vector>

namespace fairlead::cli {

struct CsvCell {
  std::string text;
  int line = 0, column = 0;  ///< where it begins, from 1; the column counts characters' bytes
};

using CsvRow = std::vector<CsvCell>;

/// All rows, the titles among them; empty lines are none. Errors: config, with line and column: a quote where none may be, one that
/// never ends, a row with another number of cells than the first.
Result<std::vector<CsvRow>> read_csv(std::string_view text);

}  // namespace fairlead::cli
