#include "store/sqlite/line_digests.h"

namespace fairlead::sqlite {
namespace {

std::string names_of(std::span<const LineColumn> columns) {
  std::string text;
  for (const LineColumn& column : columns) text.append(text.empty() ? "" : ", ").append(column.name);
  return text;
}

constexpr int before_request = 3;  // n, batch, seal
constexpr int before_attempt = before_request + static_cast<int>(request_columns.size());
constexpr int at_ending = before_request + 6;
static_assert(request_columns[6].refers == Refers::endings);
constexpr int at_started = before_request + 2, at_sent = before_attempt + 1;
static_assert(request_columns[2].name == "started_at" && attempt_columns[1].name == "sent_at");

}  // namespace

LineDigests::Dictionary::Dictionary(Database& database, const char* table, std::span<const LineColumn> its_columns)
    : columns(its_columns), row(database.handle(), "SELECT " + names_of(columns) + " FROM " + table + " WHERE id = ?") {}

LineDigests::LineDigests(Database& database, const std::string& where)
    : lines_(database.handle(), "SELECT n, batch, seal, " + names_of(request_columns) + ", " + names_of(attempt_columns) +
                                    " FROM lines WHERE " + where + " ORDER BY n"),
      retries_(database.handle(), "SELECT number, " + names_of(attempt_columns) + " FROM retries WHERE line = ? ORDER BY number") {
  const auto add_table = [&](Refers table, const char* name, std::span<const LineColumn> columns) {
    dictionaries_.try_emplace(table, database, name, columns);
  };
  add_table(Refers::texts, "texts", text_columns);
  add_table(Refers::asks, "asks", ask_columns);
  add_table(Refers::endings, "endings", ending_columns);
  add_table(Refers::terms, "terms", terms_columns);
  add_table(Refers::outcomes, "outcomes", outcome_columns);
}

/// A row that is not there has no digest: what refers to it then differs from what was sealed.
Result<Ref> LineDigests::row_of(Refers table, std::int64_t number) {
  Dictionary& dictionary = dictionaries_.at(table);
  if (const auto known = dictionary.known.find(number); known != dictionary.known.end()) return Ref{number, known->second};
  dictionary.row.bind(number);
  const auto row = dictionary.row.step();
  if (!row) return row.error();
  Digest digest{};
  if (*row) {
    Canon canon;
    if (auto done = add(canon, dictionary.row, 0, dictionary.columns); !done) return done.error();
    digest = sha_.of(canon.bytes());
    dictionary.row.reset();
  }
  dictionary.known.emplace(number, digest);
  return Ref{number, digest};
}

Result<void> LineDigests::add(Canon& canon, const Statement& row, int from, std::span<const LineColumn> columns) {
  for (const LineColumn& column : columns) {
    const int at = from++;
    if (row.is_null(at)) {
      canon.add(std::nullopt);
    } else if (column.refers != Refers::none) {
      const auto its_row = row_of(column.refers, row.integer(at));
      if (!its_row) return its_row.error();
      canon.add(*its_row);
    } else if (row.is_text(at)) {
      canon.add(row.view(at));
    } else {
      canon.add(row.integer(at));
    }
  }
  return {};
}

Result<bool> LineDigests::next(Line& line) {
  auto row = lines_.step();
  if (!row || !*row) return row;
  line.n = lines_.integer(0);
  line.batch = lines_.maybe_integer(1);
  line.seal = lines_.maybe_integer(2);
  line.id = lines_.text(before_request);
  line.ended = lines_.integer(at_ending) != 0;
  line.at = lines_.integer(lines_.is_null(at_sent) ? at_started : at_sent);
  canon_.clear();
  if (auto done = add(canon_, lines_, before_request, request_columns); !done) return done.error();
  if (auto done = add(canon_, lines_, before_attempt, attempt_columns); !done) return done.error();
  retries_.bind(line.n);
  for (;;) {
    const auto retry = retries_.step();
    if (!retry) return retry.error();
    if (!*retry) break;
    canon_.add(retries_.integer(0));
    if (auto done = add(canon_, retries_, 1, attempt_columns); !done) return done.error();
  }
  line.digest = sha_.of(canon_.bytes());
  return true;
}

}  // namespace fairlead::sqlite
