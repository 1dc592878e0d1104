#include "store/sqlite/chain_check.h"

#include <fairlead/hex.h>

#include "store/sqlite/chain.h"
#include "store/sqlite/entries.h"
#include "store/sqlite/line_digests.h"
#include "store/sqlite/removals.h"
#include "store/sqlite/schema.h"

#include <algorithm>
#include <set>
#include <unordered_map>

namespace fairlead::sqlite {
namespace {

std::optional<Digest> digest_in(std::string_view bytes) {
  Digest digest{};
  if (bytes.size() != digest.size()) return std::nullopt;
  std::copy(bytes.begin(), bytes.end(), digest.begin());
  return digest;
}

/// One link as the file has it.
struct Link {
  std::int64_t lines = 0;
  Digest hash{};
};

/// A set of numbers that mostly are all from 1 on.
class Numbers {
 public:
  void insert(std::int64_t n) {
    if (n < 0 || n > static_cast<std::int64_t>(low_.size()) + 1'000'000)
      others_.insert(n);
    else {
      if (n >= static_cast<std::int64_t>(low_.size())) low_.resize(static_cast<std::size_t>(n) + 1);
      low_[static_cast<std::size_t>(n)] = true;
    }
  }
  bool contains(std::int64_t n) const {
    return (n >= 0 && n < static_cast<std::int64_t>(low_.size()) && low_[static_cast<std::size_t>(n)]) || others_.contains(n);
  }

 private:
  std::vector<bool> low_;
  std::set<std::int64_t> others_;
};

class Check {
 public:
  Check(Database& database, const std::vector<ChainLink>& anchors)
      : database_(database),
        anchors_(anchors),
        link_(database.handle(), "SELECT lines, hash FROM chain WHERE n = ?"),
        removals_(database, [this](std::int64_t link, std::string what) { find({}, link, std::move(what)); }) {}

  Result<ChainCheck> run() {
    for (const auto part : {&Check::compare_schema, &Check::read_notes, &Check::read_lines, &Check::read_parts,
                            &Check::find_lost_retries, &Check::read_chain})
      if (auto done = (this->*part)(); !done) return done.error();
    compare_anchors();
    return std::move(result_);
  }

 private:
  /// Lines of a batch, until all are there.
  struct Batch {
    std::vector<SealedLine> lines;
    std::int64_t expected = -1;  ///< lines that its link sealed; below 0: not looked up yet
    bool told = false;           ///< a finding names what is wrong
  };

  void find(std::string request, std::int64_t link, std::string what) {
    if (++result_.findings_count <= static_cast<std::int64_t>(ChainCheck::findings_max))
      result_.findings.push_back({std::move(request), link, std::move(what)});
  }

  Result<std::optional<Link>> link(std::int64_t n) {
    if (n == 0) return std::optional(Link());
    link_.bind(n);
    const auto row = link_.step();
    if (!row) return row.error();
    if (!*row) return std::optional<Link>();
    const Link found{link_.integer(0), digest_in(link_.view(1)).value_or(Digest{})};
    link_.reset();
    return std::optional(found);
  }

  /// People and other commands read the views, and triggers keep what is closed.
  Result<void> compare_schema() {
    auto differences = schema_differences(database_);
    if (!differences) return differences.error();
    for (std::string& what : *differences) find({}, 0, std::move(what));
    return {};
  }

  /// Links that record what was taken away, or booked: what they say holds if their hash does.
  Result<void> read_notes() {
    auto entries = read_entries(database_);
    if (!entries) return entries.error();
    auto done = read_noted_links(*entries);
    if (done) done = removals_.end();
    if (!done) return done;
    for (const std::string& entry : *entries) find({}, 0, "it was not booked, or not so: " + entry);
    return {};
  }

  Result<void> read_noted_links(std::set<std::string>& entries) {
    Statement links(database_.handle(), "SELECT n, lines, note, hash FROM chain WHERE note IS NOT NULL ORDER BY n");
    for (;;) {
      const auto row = links.step();
      if (!row) return row.error();
      if (!*row) return {};
      const std::int64_t n = links.integer(0);
      const auto before = link(n - 1);
      if (!before) return before.error();
      done_.insert(n);
      if (links.integer(1) == 0) {
        check_entry(n, *before, links, entries);
        continue;
      }
      const auto removals = removals_of(n);
      if (!removals) return removals.error();
      if (!*before || digest_in(links.view(3)) != removal_hash(sha_, (*before)->hash, n, links.view(2), *removals)) {
        find({}, n, "the record of what was archived is not what it was");
        continue;
      }
      auto file = removals_.take(n, links.integer(1), links.view(2), *removals);
      if (!file) return file.error();
      result_.removals.push_back({n, links.integer(1), std::move(*file)});
    }
  }

  void check_entry(std::int64_t n, const std::optional<Link>& before, const Statement& row, std::set<std::string>& entries) {
    const std::string note = row.text(2);
    if (!before || digest_in(row.view(3)) != entry_hash(sha_, before->hash, n, note))
      find({}, n, "the record of what was booked is not what it was");
    else if (entries.erase(note) == 0)
      find({}, n, "what was booked is not there, or says something else: " + note);
    else
      ++result_.entries;
  }

  Result<std::vector<Removal>> removals_of(std::int64_t n) {
    Statement rows(database_.handle(), "SELECT first_batch, last_batch, line, digest FROM removals WHERE link = ? ORDER BY rowid");
    rows.bind(n);
    std::vector<Removal> removals;
    for (;;) {
      const auto row = rows.step();
      if (!row) return row.error();
      if (!*row) return removals;
      Removal removal{rows.integer(0), rows.integer(1), {}};
      if (!rows.is_null(2)) removal.line.emplace(rows.integer(2), digest_in(rows.view(3)).value_or(Digest{}));
      removals.push_back(removal);
    }
  }

  Result<void> read_lines() {
    LineDigests lines(database_, "true");
    for (LineDigests::Line line;;) {
      const auto found = lines.next(line);
      if (!found) return found.error();
      if (!*found) return {};
      if (auto done = take(line); !done) return done;
    }
  }

  Result<void> take(const LineDigests::Line& line) {
    if (!line.batch) {
      if (line.ended)
        find(line.id, 0, "it has ended, and was never sealed: it was added, or opened again");
      else
        ++result_.open;
      return {};
    }
    ++result_.sealed;
    if (done_.contains(*line.batch)) {
      find(line.id, *line.batch, "it was added: all that was sealed there is there without it");
      return {};
    }
    if (removals_.is_back(line)) {
      find(line.id, *line.batch, "it was added: what was archived of that link is gone");
      return {};
    }
    Batch& batch = batches_[*line.batch];
    if (line.seal != seal_of(line.digest)) {
      find(line.id, *line.batch, "it says something else than what was sealed");
      batch.told = true;
    }
    batch.lines.emplace_back(line.n, line.digest);
    return verify_if_whole(*line.batch, batch);
  }

  Result<void> verify_if_whole(std::int64_t n, Batch& batch) {
    if (removals_.parts().contains(n)) return {};  // what of it went is added in the end
    if (batch.expected < 0) {
      const auto its_link = link(n);
      if (!its_link) return its_link.error();
      if (!*its_link) return {};
      batch.expected = (*its_link)->lines;
    }
    return static_cast<std::int64_t>(batch.lines.size()) < batch.expected ? Result<void>() : verify(n, batch);
  }

  Result<void> verify(std::int64_t n, Batch& batch) {
    const auto its_link = link(n);
    if (!its_link) return its_link.error();
    const auto before = link(n - 1);
    if (!before) return before.error();
    if (*its_link && *before && batch_hash(sha_, (*before)->hash, n, batch.lines) != (*its_link)->hash && !batch.told)
      find({}, n, "its requests, or the link itself, are not what was sealed");
    batches_.erase(n);
    done_.insert(n);
    return {};
  }

  /// Links of which some lines were taken away with a record of it; what may go can still be there.
  Result<void> read_parts() {
    for (const auto& [n, parts] : removals_.parts()) {
      Batch& batch = batches_[n];
      std::set<std::int64_t> there;
      for (const SealedLine& line : batch.lines) there.insert(line.first);
      for (const auto& [line, part] : parts)
        if (!there.contains(line)) batch.lines.emplace_back(line, part.digest);
      const auto its_link = link(n);
      if (!its_link) return its_link.error();
      if (!*its_link || static_cast<std::int64_t>(batch.lines.size()) < (*its_link)->lines) continue;
      if (auto done = verify(n, batch); !done) return done;
    }
    return {};
  }

  Result<void> find_lost_retries() {
    Statement lost(database_.handle(), "SELECT DISTINCT line FROM retries WHERE line NOT IN (SELECT n FROM lines)");
    for (;;) {
      const auto row = lost.step();
      if (!row) return row.error();
      if (!*row) return {};
      find({}, 0, "there are attempts of line " + std::to_string(lost.integer(0)) + ", which is not there");
    }
  }

  /// Each link stands after the one before, and all that it sealed was there.
  Result<void> read_chain() {
    Statement links(database_.handle(), "SELECT n, lines, hash FROM chain ORDER BY n");
    std::int64_t expected = 1;
    for (;; ++expected) {
      const auto row = links.step();
      if (!row) return row.error();
      if (!*row) break;
      const std::int64_t n = links.integer(0);
      if (n != expected)
        find({}, expected, n - expected > 1 ? "links up to " + std::to_string(n - 1) + " are missing" : "it is missing");
      expected = n;
      result_.head = {n, hex(links.view(2))};
      for (const ChainLink& anchor : anchors_)
        if (anchor.number == n && anchor.hash != result_.head.hash)
          find({}, n, "its hash is not the anchor's, " + anchor.hash + ": the chain was written anew");
      if (!done_.contains(n) && !removals_.went_whole(n)) find_incomplete(n, links.integer(1));
    }
    for (const auto& [n, batch] : batches_)
      if (n >= expected || n < 1)
        find({}, n, counted_requests(batch.lines.size()) + " say that it sealed them, and it is not there");
    return {};
  }

  void find_incomplete(std::int64_t n, std::int64_t lines) {
    const auto batch = batches_.find(n);
    const std::size_t there = batch == batches_.end() ? 0 : batch->second.lines.size();
    find({}, n,
         "of " + counted_requests(static_cast<std::size_t>(lines)) + " sealed there, " +
             std::to_string(lines - static_cast<std::int64_t>(there)) + " are not there any more");
  }

  static std::string counted_requests(std::size_t count) { return std::to_string(count) + (count == 1 ? " request" : " requests"); }

  void compare_anchors() {
    for (const ChainLink& anchor : anchors_)
      if (anchor.number > result_.head.number)
        find({}, anchor.number,
             "an anchor names it, and the chain ends at " + std::to_string(result_.head.number) + ": its end was taken away");
  }

  Database& database_;
  const std::vector<ChainLink>& anchors_;
  Statement link_;
  Sha256 sha_;
  RemovalCheck removals_;
  std::unordered_map<std::int64_t, Batch> batches_;  ///< that are not whole yet
  Numbers done_;                                     ///< links that were compared
  ChainCheck result_;
};

}  // namespace

Result<ChainCheck> check_chain(Database& database, const std::vector<ChainLink>& anchors) { return Check(database, anchors).run(); }

}  // namespace fairlead::sqlite
