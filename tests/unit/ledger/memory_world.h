#pragma once
// A disk and a store in memory, where any call can fail, the process can die before any call, and the power can go.
#include <fairlead/store.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "ledger/files.h"
#include "ledger/segment.h"

namespace fairlead::test {

constexpr auto patience = std::chrono::seconds(20);  // for a test that is about to fail

/// Counts the calls of a run, of the journal's files and of the store alike, and says which of them fail.
class Faults {
 public:
  std::function<bool(int)> fails = [](int) { return false; };  ///< by the number of the call, from 1

  void set(std::function<bool(int)> rule) {
    const std::lock_guard lock(mutex);
    fails = std::move(rule);
    calls = 0;
  }
  /// With the lock held.
  bool hit() {
    ++calls;
    changed.notify_all();
    return fails(calls);
  }

  std::mutex mutex;
  std::condition_variable changed;
  int calls = 0;
  int whole = 0;  ///< if this call is a write that fails, all of it is there nevertheless
};

class MemoryFiles : public JournalFiles {
 public:
  explicit MemoryFiles(Faults& faults) : faults_(faults) {}

  /// Syncs wait until they are released.
  void hold() {
    const std::lock_guard lock(faults_.mutex);
    held_ = true;
  }
  void await_sync(int waiting = 1) {
    std::unique_lock lock(faults_.mutex);
    faults_.changed.wait_for(lock, patience, [&] { return waiting_ >= waiting; });
  }
  /// No frame can be written, but files can be begun.
  void refuse_frames() {
    const std::lock_guard lock(faults_.mutex);
    frames_refused_ = true;
  }
  void release() {
    const std::lock_guard lock(faults_.mutex);
    held_ = false;
    faults_.changed.notify_all();
  }
  /// What a power loss leaves: all that was synced, and of the rest whatever chance wants.
  void lose_power(std::mt19937& random) {
    const std::lock_guard lock(faults_.mutex);
    const auto chance = [&random] { return (random() & 1) != 0; };
    std::map<std::string, std::shared_ptr<File>> left;
    for (const auto& [path, file] : durable_names_)
      if (names_.count(path) != 0 || chance()) left[path] = file;
    for (const auto& [path, file] : names_)
      if (durable_names_.count(path) != 0 || chance()) left[path] = file;
    for (const auto& [path, file] : left) {
      for (const auto& [offset, bytes] : file->unsynced)
        if (chance()) put(file->durable, offset, bytes.substr(0, random() % (bytes.size() + 1)));
      file->content = file->durable;
      file->unsynced.clear();
    }
    names_ = durable_names_ = left;
    open_.clear();
  }
  std::vector<std::string> names() {
    const std::lock_guard lock(faults_.mutex);
    std::vector<std::string> all;
    for (const auto& [path, file] : names_) all.push_back(path);
    return all;
  }
  std::map<std::string, std::string> contents() {
    const std::lock_guard lock(faults_.mutex);
    std::map<std::string, std::string> all;
    for (const auto& [path, file] : names_) all[path] = file->content;
    return all;
  }
  void put_file(const std::string& path, const std::string& content) {
    const std::lock_guard lock(faults_.mutex);
    durable_names_[path] = names_[path] = std::make_shared<File>(File{content, content, {}});
  }

  int create(const std::string& path) override {
    const std::lock_guard lock(faults_.mutex);
    if (faults_.hit()) return fail(ENOSPC);
    if (names_.count(path) != 0) return fail(EEXIST);
    names_[path] = std::make_shared<File>();
    return add(names_[path]);
  }
  int open(const std::string& path) override {
    const std::lock_guard lock(faults_.mutex);
    if (faults_.hit()) return fail(EIO);
    if (names_.count(path) == 0) return fail(ENOENT);
    return add(names_[path]);
  }
  void close(int file) override {
    const std::lock_guard lock(faults_.mutex);
    open_.erase(file);
  }
  std::int64_t read(int file, void* bytes, std::size_t count, std::uint64_t offset) override {
    const std::lock_guard lock(faults_.mutex);
    if (faults_.hit()) return fail(EIO);
    const std::string& content = open_.at(file)->content;
    if (offset >= content.size()) return 0;
    count = std::min<std::size_t>({count, content.size() - offset, 1'000});  // a short read, as the system may make one
    std::copy_n(content.data() + offset, count, static_cast<char*>(bytes));
    return static_cast<std::int64_t>(count);
  }
  std::int64_t write(int file, const void* bytes, std::size_t count, std::uint64_t offset) override {
    const std::lock_guard lock(faults_.mutex);
    File& to = *open_.at(file);
    std::string written(static_cast<const char*>(bytes), count);
    const bool refused = frames_refused_ && offset >= segment_header_bytes && written.find_first_not_of('\0') != std::string::npos;
    const bool failed = faults_.hit() || refused;
    if (failed && faults_.calls != faults_.whole) written.resize(count / 2);  // a part of it is there
    put(to.content, offset, written);
    to.unsynced.emplace_back(offset, std::move(written));
    return failed ? fail(ENOSPC) : static_cast<std::int64_t>(count);
  }
  int sync(int file) override {
    std::unique_lock lock(faults_.mutex);
    const int turn = ++turns_;
    ++waiting_;
    faults_.changed.notify_all();
    faults_.changed.wait(lock, [&] { return !held_ && turn == turns_over_ + 1; });
    --waiting_;
    ++turns_over_;
    const bool failed = faults_.hit();
    File& synced = *open_.at(file);
    if (failed) {  // as with Linux: what could not be written is tried by no later sync, which is told of no error
      synced.unsynced.clear();
      return fail(EIO);
    }
    for (const auto& [offset, bytes] : synced.unsynced) put(synced.durable, offset, bytes);
    synced.unsynced.clear();
    return 0;
  }
  int remove(const std::string& path) override {
    const std::lock_guard lock(faults_.mutex);
    if (faults_.hit()) return fail(EIO);
    return names_.erase(path) != 0 ? 0 : fail(ENOENT);
  }
  int rename(const std::string& from, const std::string& to) override {
    const std::lock_guard lock(faults_.mutex);
    if (faults_.hit()) return fail(EIO);
    if (names_.count(from) == 0) return fail(ENOENT);
    names_[to] = names_[from];
    names_.erase(from);
    return 0;
  }
  int sync_folder_of(const std::string&) override {
    const std::lock_guard lock(faults_.mutex);
    if (faults_.hit()) return fail(EIO);
    durable_names_ = names_;
    return 0;
  }
  int list(const std::string& prefix, std::vector<std::string>& rests) override {
    const std::lock_guard lock(faults_.mutex);
    if (faults_.hit()) return fail(EIO);
    for (const auto& [path, file] : names_)
      if (path.rfind(prefix, 0) == 0) rests.push_back(path.substr(prefix.size()));
    return 0;
  }

 private:
  struct File {
    std::string content, durable;
    std::vector<std::pair<std::uint64_t, std::string>> unsynced;
  };

  static int fail(int code) {
    errno = code;
    return -1;
  }
  static void put(std::string& content, std::uint64_t offset, const std::string& bytes) {
    if (content.size() < offset + bytes.size()) content.resize(offset + bytes.size());
    content.replace(offset, bytes.size(), bytes);
  }
  int add(std::shared_ptr<File> file) {
    open_[++last_] = std::move(file);
    return last_;
  }

  Faults& faults_;
  std::map<std::string, std::shared_ptr<File>> names_, durable_names_;
  std::map<int, std::shared_ptr<File>> open_;
  int last_ = 2, waiting_ = 0;
  int turns_ = 0, turns_over_ = 0;  ///< of syncs, in the order in which they were called
  bool held_ = false, frames_refused_ = false;
};

/// What the store has, and what of it the disk has. Outlives the store.
struct Saved {
  std::map<std::string, RequestRecord> requests, durable;
  std::vector<std::string> wrong;  ///< what a ledger must not do
  int saves = 0;
  std::set<std::string> refused;  ///< ids that can never be saved
};

class MemoryStore final : public Store {
 public:
  MemoryStore(Faults& faults, Saved& saved) : faults_(faults), saved_(saved) {}

  Result<void> save(RecordSource& records) override {
    const std::lock_guard lock(faults_.mutex);
    if (faults_.hit()) return unavailable();
    auto next = saved_.requests;
    while (const RequestRecord* record = records.next()) {
      if (saved_.refused.count(record->open.id) != 0) return Error(ErrorKind::internal, ErrorOrigin::fairlead, "refused");
      if (record->open.id.empty()) saved_.wrong.push_back("a request without an id");
      const auto before = next.find(record->open.id);
      if (before == next.end() || before->second.state == RowState::open) next[record->open.id] = *record;
    }
    saved_.requests = std::move(next);
    ++saved_.saves;
    faults_.changed.notify_all();
    return {};
  }
  Result<void> sync() override {
    const std::lock_guard lock(faults_.mutex);
    if (faults_.hit()) return unavailable();
    saved_.durable = saved_.requests;
    return {};
  }
  Result<std::int64_t> next_number() override { return 1; }
  Result<void> keep_from(std::int64_t) override { return {}; }
  Result<std::int64_t> recover(TimePoint) override {
    const std::lock_guard lock(faults_.mutex);
    if (faults_.hit()) return unavailable();
    std::int64_t attempts = 0;
    for (auto& [id, request] : saved_.requests) {
      if (request.state != RowState::open) continue;
      request.state = RowState::interrupted;
      for (auto& attempt : request.attempts) {
        if (attempt.state != RowState::open) continue;
        attempt.state = RowState::interrupted;
        ++attempts;
      }
    }
    return attempts;
  }
  Result<std::vector<ReportRow>> report(const ReportQuery&) override { return std::vector<ReportRow>(); }
  Result<std::optional<RequestRecord>> request(std::string_view id) override {
    const std::lock_guard lock(faults_.mutex);
    const auto found = saved_.requests.find(std::string(id));
    return found == saved_.requests.end() ? std::nullopt : std::optional<RequestRecord>(found->second);
  }
  Result<ChainCheck> check_chain(const std::vector<ChainLink>&) override { return ChainCheck(); }
  Result<SumsCheck> check_sums() override { return SumsCheck(); }
  Result<void> visit(const Period&, const std::function<void(const RequestRecord&)>&) override { return {}; }
  Result<std::vector<ServedRequest>> served(std::string_view, TimePoint, std::size_t) override {
    return std::vector<ServedRequest>{};
  }
  Result<std::vector<Consumed>> consumed(TimePoint, std::chrono::microseconds, std::int64_t) override {
    return std::vector<Consumed>{};
  }
  std::string journal() const override { return "ledger.db.journal-"; }

 private:
  static Error unavailable() { return {ErrorKind::ledger_unavailable, ErrorOrigin::fairlead, "locked"}; }
  Faults& faults_;
  Saved& saved_;
};

}  // namespace fairlead::test
