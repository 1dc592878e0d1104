#include "store/sqlite/chain.h"

#include "store/sqlite/line_digests.h"
#include "store/sqlite/removals.h"

#include <algorithm>

namespace fairlead::sqlite {
namespace {

/// The first byte of each link's own: one kind can never be taken for another.
constexpr char batch_mark = 'b', removal_mark = 'r', entry_mark = 'e';

void put_number(std::string& bytes, std::int64_t value) {
  for (int shift = 0; shift < 64; shift += 8) bytes.push_back(static_cast<char>(static_cast<std::uint64_t>(value) >> shift));
}

std::string link_head(char mark, const Digest& before, std::int64_t n) {
  std::string bytes(1, mark);
  bytes.append(bytes_of(before));
  put_number(bytes, n);
  return bytes;
}

struct End {
  std::int64_t n = 0;
  Digest hash{};
};

Result<End> end_of(Statement& statement) {
  statement.bind();
  const auto row = statement.step();
  if (!row) return row.error();
  End end;
  if (!*row) return end;
  end.n = statement.integer(0);
  const std::string hash = statement.text(1);
  std::copy_n(hash.begin(), std::min(hash.size(), end.hash.size()), end.hash.begin());
  statement.reset();
  return end;
}

constexpr std::string_view end_sql = "SELECT n, hash FROM chain ORDER BY n DESC LIMIT 1";

/// The next link, which has a note: `hash_of` gives its hash from that of the one before and its number, which is returned.
template <class HashOf>
Result<std::int64_t> add_noted_link(Database& database, std::int64_t lines, std::string_view note, HashOf hash_of) {
  Statement last(database.handle(), end_sql);
  const auto end = end_of(last);
  if (!end) return end.error();
  const std::int64_t n = end->n + 1;
  const Digest hash = hash_of(end->hash, n);
  Statement link(database.handle(), "INSERT INTO chain (n, lines, note, hash) VALUES (?, ?, ?, ?)");
  if (auto done = link.run(n, lines, note, Blob{bytes_of(hash)}); !done) return done.error();
  return n;
}

class Remover {
 public:
  Remover(Database& database, const std::string& where) : database_(database), where_("(" + where + ") AND batch IS NOT NULL") {}

  Result<std::int64_t> run(std::int64_t day, std::int64_t part) {
    if (auto done = find_batches(); !done) return done.error();
    if (removals_.empty()) return lines_;
    const auto note = removal_note(database_, day, part, removals_);
    if (!note) return note.error();
    if (auto done = add_link(*note); !done) return done.error();
    return lines_;
  }

 private:
  Result<void> find_batches() {
    Statement batches(database_.handle(), "SELECT batch, count(*) FROM lines WHERE " + where_ + " GROUP BY batch ORDER BY batch");
    // Of a batch that goes in parts, what went before is among the removals.
    Statement left(
        database_.handle(),
        "SELECT lines - (SELECT count(*) FROM removals WHERE first_batch = ?1 AND line IS NOT NULL) FROM chain WHERE n = ?1");
    for (;;) {
      const auto row = batches.step();
      if (!row) return row.error();
      if (!*row) return {};
      const std::int64_t batch = batches.integer(0), taken = batches.integer(1);
      lines_ += taken;
      left.bind(batch);
      const auto known = left.step();
      if (!known) return known.error();
      const bool whole = *known && left.integer(0) == taken;
      left.reset();
      if (whole)
        add_whole(batch);
      else if (auto done = add_part(batch); !done)
        return done;
    }
  }

  void add_whole(std::int64_t batch) {
    if (!removals_.empty() && !removals_.back().line && removals_.back().last_batch == batch - 1)
      removals_.back().last_batch = batch;
    else
      removals_.push_back({batch, batch, {}});
  }

  Result<void> add_part(std::int64_t batch) {
    LineDigests lines(database_, "batch = " + std::to_string(batch) + " AND " + where_);
    for (LineDigests::Line line;;) {
      const auto found = lines.next(line);
      if (!found) return found.error();
      if (!*found) return {};
      removals_.push_back({batch, batch, SealedLine(line.n, line.digest)});
    }
  }

  Result<void> add_link(std::string_view note) {
    const auto n = add_noted_link(database_, lines_, note, [&](const Digest& before, std::int64_t number) {
      Sha256 sha;
      return removal_hash(sha, before, number, note, removals_);
    });
    if (!n) return n.error();
    Statement removal(database_.handle(),
                      "INSERT INTO removals (link, first_batch, last_batch, line, digest) VALUES (?, ?, ?, ?, ?)");
    for (const Removal& r : removals_) {
      auto done = r.line ? removal.run(*n, r.first_batch, r.last_batch, r.line->first, Blob{bytes_of(r.line->second)})
                         : removal.run(*n, r.first_batch, r.last_batch, std::nullopt, std::nullopt);
      if (!done) return done;
    }
    return {};
  }

  Database& database_;
  const std::string where_;
  std::vector<Removal> removals_;
  std::int64_t lines_ = 0;
};

}  // namespace

Digest batch_hash(Sha256& sha, const Digest& before, std::int64_t n, std::vector<SealedLine>& lines) {
  std::sort(lines.begin(), lines.end());
  std::string bytes = link_head(batch_mark, before, n);
  for (const auto& [line, digest] : lines) {
    put_number(bytes, line);
    bytes.append(bytes_of(digest));
  }
  return sha.of(bytes);
}

Digest removal_hash(Sha256& sha, const Digest& before, std::int64_t n, std::string_view note,
                    const std::vector<Removal>& removals) {
  std::string bytes = link_head(removal_mark, before, n);
  put_number(bytes, static_cast<std::int64_t>(note.size()));
  bytes.append(note);
  for (const Removal& r : removals) {
    put_number(bytes, r.first_batch);
    put_number(bytes, r.last_batch);
    put_number(bytes, r.line ? r.line->first : 0);
    if (r.line) bytes.append(bytes_of(r.line->second));
  }
  return sha.of(bytes);
}

Digest entry_hash(Sha256& sha, const Digest& before, std::int64_t n, std::string_view note) {
  return sha.of(link_head(entry_mark, before, n).append(note));
}

ChainWriter::ChainWriter(sqlite3* connection)
    : head_(connection, end_sql), insert_(connection, "INSERT INTO chain (n, lines, hash) VALUES (?, ?, ?)") {}

Result<std::int64_t> ChainWriter::batch() {
  if (!end_) {
    const auto end = end_of(head_);
    if (!end) return end.error();
    end_.emplace(end->n, end->hash);
  }
  return end_->first + 1;
}

Result<void> ChainWriter::close() {
  Result<void> done;
  if (!lines_.empty()) {
    const std::int64_t n = end_->first + 1;
    const Digest hash = batch_hash(sha_, end_->second, n, lines_);
    done = insert_.run(n, lines_.size(), Blob{bytes_of(hash)});
  }
  forget();
  return done;
}

void ChainWriter::forget() {
  end_.reset();
  lines_.clear();
}

Result<std::int64_t> record_removal(Database& database, const std::string& where, std::int64_t day, std::int64_t part) {
  return Remover(database, where).run(day, part);
}

Result<void> record_entry(Database& database, std::string_view note) {
  const auto n = add_noted_link(database, 0, note, [&](const Digest& before, std::int64_t number) {
    Sha256 sha;
    return entry_hash(sha, before, number, note);
  });
  return n ? Result<void>() : n.error();
}

}  // namespace fairlead::sqlite
