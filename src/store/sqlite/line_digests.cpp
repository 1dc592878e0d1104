#include "store/sqlite/line_digests.h"

namespace fairlead::sqlite {
namespace {

template <class Columns>
std::string names_of(const Columns& columns) {
  std::string text;
  for (const LineColumn& column : columns) text.append(text.empty() ? "" : ", ").append(column.name);
  return text;
}

constexpr int before_request = 3;  // n, batch, seal
constexpr int before_attempt = before_request + static_cast<int>(request_columns.size());

}  // namespace

LineDigests::LineDigests(Database& database, const std::string& where)
    : lines_(database.handle(), "SELECT n, batch, seal, " + names_of(request_columns) + ", " + names_of(attempt_columns) +
                                    " FROM lines WHERE " + where + " ORDER BY n"),
      retries_(database.handle(), "SELECT number, " + names_of(attempt_columns) + " FROM retries WHERE line = ? ORDER BY number") {}

Result<LineDigests> LineDigests::open(Database& database, const std::string& where) {
  LineDigests digests(database, where);
  // Texts first: the others refer to them.
  for (const auto& [table, name] :
       {std::pair(Refers::texts, "texts"), std::pair(Refers::asks, "asks"), std::pair(Refers::endings, "endings"),
        std::pair(Refers::terms, "terms"), std::pair(Refers::outcomes, "outcomes")})
    if (auto done = digests.load(database, table, name); !done) return done.error();
  return digests;
}

Result<void> LineDigests::load(Database& database, Refers table, const char* name) {
  Digests& digests = dictionaries_[table];
  const auto read = [&](const auto& columns) -> Result<void> {
    Statement rows(database.handle(), "SELECT id, " + names_of(columns) + " FROM " + name);
    for (;;) {
      const auto row = rows.step();
      if (!row) return row.error();
      if (!*row) return {};
      canon_.clear();
      add(rows, 1, columns);
      digests.emplace(rows.integer(0), sha_.of(canon_.bytes()));
    }
  };
  switch (table) {
    case Refers::texts: return read(text_columns);
    case Refers::asks: return read(ask_columns);
    case Refers::endings: return read(ending_columns);
    case Refers::terms: return read(terms_columns);
    case Refers::outcomes: return read(outcome_columns);
    case Refers::none: break;
  }
  return {};
}

template <class Columns>
void LineDigests::add(const Statement& row, int from, const Columns& columns) {
  for (const LineColumn& column : columns) {
    const int at = from++;
    if (row.is_null(at))
      canon_.add(std::nullopt);
    else if (column.refers != Refers::none) {
      // A row that is not there has no digest: what refers to it then differs from what was sealed.
      const Digests& rows = dictionaries_.at(column.refers);
      const auto found = rows.find(row.integer(at));
      canon_.add(found == rows.end() ? Ref() : Ref{found->first, found->second});
    } else if (row.is_text(at))
      canon_.add(row.view(at));
    else
      canon_.add(row.integer(at));
  }
}

Result<bool> LineDigests::next(Line& line) {
  const auto row = lines_.step();
  if (!row || !*row) return row;
  line.n = lines_.integer(0);
  line.batch = lines_.maybe_integer(1);
  line.seal = lines_.maybe_integer(2);
  line.id = lines_.text(before_request);
  line.ended = lines_.integer(before_request + 6) != 0;
  canon_.clear();
  add(lines_, before_request, request_columns);
  add(lines_, before_attempt, attempt_columns);
  retries_.bind(line.n);
  for (;;) {
    const auto retry = retries_.step();
    if (!retry) return retry.error();
    if (!*retry) break;
    canon_.add(retries_.integer(0));
    add(retries_, 1, attempt_columns);
  }
  line.digest = sha_.of(canon_.bytes());
  return true;
}

}  // namespace fairlead::sqlite
