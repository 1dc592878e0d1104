#include "store/sqlite/long_report.h"

#include <future>
#include <iterator>
#include <optional>
#include <tuple>
#include <utility>

namespace fairlead::sqlite {
namespace {

/// A moment is shared unless a commit falls into some 50 microseconds. If so many do, one thread reads.
constexpr int moments_max = 8;

/// Is another one after a commit of anybody else. In a transaction: of what that sees.
Result<std::int64_t> version_of(Database& database) { return database.integer("PRAGMA data_version"); }

bool is_before(const ReportRow& a, const ReportRow& b) {
  using Place = std::tuple<bool, const std::vector<std::string>&>;
  const auto place = [](const ReportRow& row) { return Place(!row.correction.empty(), row.group); };
  return place(a) < place(b);
}

/// In the order in which they are both.
std::vector<ReportRow> merged(std::vector<ReportRow> some, std::vector<ReportRow> more) {
  std::vector<ReportRow> all;
  all.reserve(some.size() + more.size());
  auto next = some.begin();
  for (ReportRow& row : more) {
    for (; next != some.end() && !is_before(row, *next); ++next) all.push_back(std::move(*next));
    if (row.correction.empty() && !all.empty() && all.back().group == row.group)
      add_figures(all.back(), row);
    else
      all.push_back(std::move(row));
  }
  std::move(next, some.end(), std::back_inserter(all));
  return all;
}

}  // namespace

Result<bool> share_moment(Database& first, Database& second) {
  auto before = version_of(first);
  if (!before) return before.error();
  for (int moments = 0; moments < moments_max; ++moments) {
    const bool begun = sqlite3_get_autocommit(second.handle()) == 0;
    if (auto done = second.execute(begun ? "ROLLBACK; BEGIN" : "BEGIN"); !done) return done.error();
    if (auto reads = version_of(second); !reads) return reads.error();  // only now it sees a state, and keeps to it
    if (auto done = first.execute("ROLLBACK; BEGIN"); !done) return done.error();
    const auto after = version_of(first);
    if (!after) return after.error();
    if (*after == *before) return true;  // nothing was committed since the version before, so the second sees the same
    before = after;
  }
  return false;
}

Result<std::vector<ReportRow>> read_halves(Database& first, Database& second, const ReportQuery& query, TimePoint middle) {
  ReportQuery before = query, after = query;
  before.until = after.since = middle;
  auto reading = std::async(std::launch::async, [&] { return read_report(second, after); });
  auto rows = read_report(first, before), more = reading.get();
  if (!rows || !more) return !rows ? rows : more;
  return merged(std::move(*rows), std::move(*more));
}

Result<std::vector<ReportRow>> read_long_report(Database& database, const std::string& path, const ReportQuery& query) {
  const auto middle = middle_of(database, query);
  if (!middle) return middle.error();
  if (!*middle) return read_report(database, query);
  auto another = Database::open_to_read(path);
  if (!another) return read_report(database, query);
  const auto shared = share_moment(database, *another);
  if (!shared) return shared.error();
  return *shared ? read_halves(database, *another, query, **middle) : read_report(database, query);
}

}  // namespace fairlead::sqlite
