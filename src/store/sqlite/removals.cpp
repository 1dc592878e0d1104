#include "store/sqlite/removals.h"

#include <fairlead/hex.h>
#include <fairlead/time.h>

#include <algorithm>
#include <chrono>
#include <iterator>

namespace fairlead::sqlite {
namespace {

constexpr std::string_view note_begin = R"({"let_go":)";
constexpr std::int64_t let_go_day_us = 86'400'000'000;

/// Of a row `g` of let_go. What of it changes (`removed`) is not in it.
std::string note_text(const std::string& late, const std::string& links) {
  return "json_object('let_go', g.day, 'part', g.part, 'n_min', g.n_min, 'n_max', g.n_max, 'requests', g.requests, "
         "'file', g.file, 'at', g.at, 'late', " +
         late + ", 'links', " + links + ")";
}

/// Of a removal's whole links: their numbers, how many lines each sealed, and their hashes.
Result<std::string> links_digest(Database& database, const std::vector<Removal>& removals) {
  Canon canon;
  Statement links(database.handle(), "SELECT n, lines, hash FROM chain WHERE n BETWEEN ? AND ? ORDER BY n");
  for (const Removal& removal : removals) {
    if (removal.line) continue;
    links.bind(removal.first_batch, removal.last_batch);
    for (;;) {
      const auto row = links.step();
      if (!row) return row.error();
      if (!*row) break;
      canon.add(links.integer(0), links.integer(1), links.view(2));
    }
  }
  Sha256 sha;
  return hex(bytes_of(sha.of(canon.bytes())));
}

}  // namespace

Result<std::string> removal_note(Database& database, std::int64_t day, std::int64_t part, const std::vector<Removal>& removals) {
  const auto links = links_digest(database, removals);
  if (!links) return links.error();
  Statement note(database.handle(),
                 "SELECT " +
                     note_text("(SELECT max(b.booked_at) FROM late b JOIN lines l ON l.n = b.line WHERE b.line BETWEEN g.n_min AND "
                               "g.n_max AND coalesce(l.sent_at, l.started_at) / 86400000000 * 86400000000 = g.day)",
                               "?3") +
                     " FROM let_go g WHERE g.day = ?1 AND g.part = ?2");
  note.bind(day, part, std::string_view(*links));
  const auto row = note.step();
  if (!row) return row.error();
  if (!*row) return Error(ErrorKind::internal, ErrorOrigin::fairlead, "rows cannot go that were not let go");
  return note.text(0);
}

std::string notes_of_removals() {
  return "(SELECT json_extract(note, '$.let_go') AS day, json_extract(note, '$.part') AS part, json_extract(note, '$.late') AS "
         "late "
         "FROM chain WHERE lines > 0 AND substr(note, 1, " +
         std::to_string(note_begin.size()) + ") = '" + std::string(note_begin) + "' AND json_valid(note))";
}

RemovalCheck::RemovalCheck(Database& database, Find find)
    : database_(database),
      find_(std::move(find)),
      note_(database.handle(),
            "SELECT " + note_text("json_extract(s.note, '$.late')", "json_extract(s.note, '$.links')") +
                ", g.removed, json_extract(s.note, '$.let_go'), json_extract(s.note, '$.part'), json_extract(s.note, '$.n_min'), "
                "json_extract(s.note, '$.n_max'), json_extract(s.note, '$.requests'), json_extract(s.note, '$.file'), "
                "json_extract(s.note, '$.links') FROM (SELECT iif(json_valid(?1), ?1, '{}') AS note) s LEFT JOIN let_go g "
                "ON g.day = json_extract(s.note, '$.let_go') AND g.part = json_extract(s.note, '$.part')"),
      count_(database.handle(), "SELECT coalesce(sum(lines), 0) FROM chain WHERE n BETWEEN ? AND ?") {}

Result<std::string> RemovalCheck::take(std::int64_t link, std::int64_t lines, std::string_view note,
                                       const std::vector<Removal>& removals) {
  if (auto done = compare_count(link, lines, removals); !done) return done.error();
  const bool noted = note.starts_with(note_begin);
  const std::int64_t record = noted ? link : 0;
  for (const Removal& removal : removals) {
    if (removal.last_batch >= link) continue;  // nobody can know of what is sealed later
    if (removal.line)
      parts_[removal.first_batch].try_emplace(removal.line->first, Part{removal.line->second, record});
    else
      runs_.try_emplace(removal.first_batch, Run{removal.last_batch, record});
  }
  if (noted) return compare_note(link, lines, note, removals);
  older_.push_back({link, lines, std::string(note)});
  return std::string(note);
}

Result<std::string> RemovalCheck::compare_note(std::int64_t link, std::int64_t lines, std::string_view note,
                                               const std::vector<Removal>& removals) {
  note_.bind(note);
  if (const auto row = note_.step(); !row) return row.error();
  const bool same = note_.view(0) == note, leaving = !note_.is_null(1) && note_.integer(1) == 0;
  const std::int64_t day = note_.integer(2), part = note_.integer(3), requests = note_.integer(6);
  if (leaving) leaving_.push_back({link, day, note_.integer(4), note_.integer(5)});
  std::string file = note_.text(7);
  const std::string links = note_.text(8);
  note_.reset();
  noted_.emplace(day, part);
  if (!same) find_(link, "what was let go is not in the table let_go, or says something else: " + std::string(note));
  if (requests != lines)
    find_(link, "it says that " + std::to_string(lines) + " were archived, and its record " + std::to_string(requests));
  const auto now = links_digest(database_, removals);
  if (!now) return now.error();
  if (*now != links) find_(link, "of the links that were archived whole, one is not what it was then");
  return file;
}

/// What a link counts is what its batches had, without what of these went before in part.
Result<void> RemovalCheck::compare_count(std::int64_t link, std::int64_t lines, const std::vector<Removal>& removals) {
  std::int64_t went = 0;
  for (const Removal& removal : removals) {
    if (removal.line) {
      ++went;
      continue;
    }
    count_.bind(removal.first_batch, removal.last_batch);
    if (const auto row = count_.step(); !row) return row.error();
    went += count_.integer(0);
    count_.reset();
    for (auto part = parts_.lower_bound(removal.first_batch); part != parts_.end() && part->first <= removal.last_batch; ++part)
      went -= static_cast<std::int64_t>(part->second.size());
  }
  if (went != lines)
    find_(link,
          "it says that " + std::to_string(lines) + " were archived, and the links that it names had " + std::to_string(went));
  return {};
}

/// What was let go without a note in the chain: each row goes with one of the older links, as far as these tell.
Result<void> RemovalCheck::end() {
  Statement rows(database_.handle(), "SELECT day, part, n_min, n_max, requests, file, removed FROM let_go ORDER BY day, part");
  for (;;) {
    const auto row = rows.step();
    if (!row) return row.error();
    if (!*row) break;
    const std::int64_t day = rows.integer(0);
    if (noted_.contains({day, rows.integer(1)})) continue;
    const auto its_link = std::find_if(older_.begin(), older_.end(), [&](const Older& older) {
      return older.file == rows.view(5) && older.lines == rows.integer(4);
    });
    if (its_link == older_.end()) {
      find_(0, "the table let_go says that rows of " + day_text(TimePoint(std::chrono::microseconds(day))) +
                   " were let go, and no link has a record of it");
      continue;
    }
    older_.erase(its_link);
    if (rows.integer(6) == 0) leaving_.push_back({0, day, rows.integer(2), rows.integer(3)});
  }
  for (const Older& older : older_) find_(older.link, "what was let go is not in the table let_go, or says something else");
  return {};
}

const RemovalCheck::Run* RemovalCheck::run_of(std::int64_t batch) const {
  const auto after = runs_.upper_bound(batch);
  if (after == runs_.begin()) return nullptr;
  const Run& run = std::prev(after)->second;
  return batch <= run.last_batch ? &run : nullptr;
}

bool RemovalCheck::is_back(const LineDigests::Line& line) const {
  const auto went = [&](std::int64_t record) {
    return std::none_of(leaving_.begin(), leaving_.end(), [&](const Leaving& leaving) {
      return leaving.record == record && leaving.n_min <= line.n && line.n <= leaving.n_max && leaving.day <= line.at &&
             line.at < leaving.day + let_go_day_us;
    });
  };
  if (const Run* run = run_of(*line.batch)) return went(run->record);
  const auto parts = parts_.find(*line.batch);
  if (parts == parts_.end()) return false;
  const auto part = parts->second.find(line.n);
  return part != parts->second.end() && went(part->second.record);
}

}  // namespace fairlead::sqlite
