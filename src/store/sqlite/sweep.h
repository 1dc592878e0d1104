#pragma once
// Takes away what recurs in lines (texts, asks and so on) once no line refers to it any more. In small steps, while a daemon
// writes.
//
// The daemon remembers the numbers of rows that it stored, and refers to them without looking. So a sweep begins by raising the one
// number in `sweeps`, which the daemon reads in each of its transactions: when it has changed, it forgets them all (LineWriter).
// From then on no line comes to refer to what was there before, and what no line refers to then can go at any time.
#include "store/sqlite/columns.h"
#include "store/sqlite/database.h"

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace fairlead::sqlite {

class Sweep {
 public:
  /// `rows_max`: that a step looks at, and may take away.
  Sweep(Database& database, std::int64_t rows_max);
  /// The next step, outside of any transaction. False: all is done, and the next step begins anew. So it does after an error.
  Result<bool> step();

 private:
  struct Table {
    Refers refers;
    std::string name, text;           ///< `text`: its column that refers to texts; "0": none
    std::int64_t bound = 0;           ///< its last number at the beginning. It stays, so that no number is given twice
    std::vector<bool> referred = {};  ///< by number
  };

  Result<bool> next();
  Result<void> begin();
  Result<void> look();
  Result<void> read_lines();
  Result<void> sweep_some(Table& table);
  /// What rows of the table whose `key` is behind at_ and up to `to` refer to.
  Result<void> read(const std::string& table, const std::string& key, std::span<const LineColumn> columns, std::int64_t to);
  void refer(Refers to, std::int64_t number);

  Database& database_;
  const std::int64_t rows_max_;
  std::vector<Table> tables_;  ///< texts last, as the others refer to them
  bool begun_ = false, lines_read_ = false;
  std::int64_t last_line_ = 0;
  std::size_t swept_ = 0;  ///< tables
  std::int64_t at_ = 0;    ///< the last number of lines or of a table that was looked at
};

}  // namespace fairlead::sqlite
