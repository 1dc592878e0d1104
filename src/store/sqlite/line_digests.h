#pragma once
// The digests of lines as they stand in the file now, read raw: from the tables, not from the views or through the names of enums.
#include "store/sqlite/columns.h"
#include "store/sqlite/database.h"
#include "store/sqlite/digest.h"

#include <map>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>

namespace fairlead::sqlite {

class LineDigests {
 public:
  struct Line {
    std::int64_t n = 0;
    std::string id;
    std::optional<std::int64_t> batch, seal;
    bool ended = false;   ///< the line says so, sealed or not
    std::int64_t at = 0;  ///< when its first attempt was sent, or it began if it has none
    Digest digest{};
  };

  /// Of the lines for which `where` holds, by their number. Inside the caller's transaction.
  LineDigests(Database& database, const std::string& where);
  /// False: that was the last.
  Result<bool> next(Line& line);

 private:
  /// What lines refer to, each row of it read and hashed once.
  struct Dictionary {
    Dictionary(Database& database, const char* table, std::span<const LineColumn> columns);
    std::span<const LineColumn> columns;
    Statement row;
    std::unordered_map<std::int64_t, Digest> known;
  };

  Result<Ref> row_of(Refers table, std::int64_t number);
  Result<void> add(Canon& canon, const Statement& row, int from, std::span<const LineColumn> columns);

  Statement lines_, retries_;
  std::map<Refers, Dictionary> dictionaries_;
  Sha256 sha_;
  Canon canon_;
};

}  // namespace fairlead::sqlite
