#include "ledger/archive.h"

#include "wire/csv_line.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <iterator>
#include <system_error>
#include <utility>

namespace fairlead {
namespace {

constexpr std::int64_t removed_at_once_max = 500, swept_at_once_max = 2'000;
constexpr std::chrono::milliseconds rest_ms_min{5};
constexpr std::size_t buffer_bytes = 256 << 10;

Error archive_error(const std::string& doing, const std::string& path) {
  return {ErrorKind::ledger_unavailable, ErrorOrigin::fairlead, "the archive cannot be written",
          "cannot " + doing + " " + path + ": " + std::generic_category().message(errno)};
}

/// An empty file for this process alone, until it is closed; what one that died left there is overwritten, unless it has its last
/// name too.
Result<int> open_alone(const std::string& path) {
  for (;;) {
    const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, S_IRUSR | S_IWUSR);
    if (file < 0) return archive_error("create", path);
    struct stat ours;
    struct stat there;
    if (::flock(file, LOCK_EX | LOCK_NB) != 0) {
      Error error = errno == EWOULDBLOCK
                        ? Error(ErrorKind::ledger_unavailable, ErrorOrigin::fairlead, "the archive is being written",
                                "another fairlead writes " + path + " at the moment: wait until it has ended")
                        : archive_error("lock", path);
      ::close(file);
      return error;
    }
    // Who had it before may have removed it since it was opened here.
    if (::fstat(file, &ours) == 0 && ::stat(path.c_str(), &there) == 0 && ours.st_dev == there.st_dev &&
        ours.st_ino == there.st_ino) {
      const bool finished = ours.st_nlink > 1;
      if (finished ? ::unlink(path.c_str()) != 0 : ::ftruncate(file, 0) != 0) {
        Error error = archive_error(finished ? "remove" : "write", path);
        ::close(file);
        return error;
      }
      if (!finished) return file;
    }
    ::close(file);
  }
}

/// CSV into a gzip file, which is gone at the end unless it was given a name.
class ArchiveFile final : public CellSink {
 public:
  static Result<std::unique_ptr<ArchiveFile>> create(const std::string& path, const Rest& rest) {
    const Result<int> opened = open_alone(path);
    if (!opened) return opened.error();
    const int file = *opened;
    const int other = ::dup(file);
    gzFile zipped = other < 0 ? nullptr : ::gzdopen(other, "wb");
    if (zipped == nullptr) {
      Error error = archive_error("write", path);
      ::close(file);
      if (other >= 0) ::close(other);
      return error;
    }
    return std::unique_ptr<ArchiveFile>(new ArchiveFile(path, file, zipped, rest));
  }
  ArchiveFile(const ArchiveFile&) = delete;
  ArchiveFile& operator=(const ArchiveFile&) = delete;
  ~ArchiveFile() override {
    if (zipped_ != nullptr) (void)::gzclose(zipped_);
    if (!path_.empty()) ::unlink(path_.c_str());  // while nobody else can have it
    ::close(file_);
  }

  Result<void> row(std::span<const std::string_view> cells) override {
    append_csv_line(buffer_, cells);
    if (buffer_.size() < buffer_bytes) return {};
    if (!rest_(std::chrono::milliseconds(0)))
      return Error(ErrorKind::ledger_unavailable, ErrorOrigin::fairlead, "the archive waits", "told to stop");
    return flush();
  }

  /// All of it is on the disk then.
  Result<void> finish() {
    if (auto done = flush(); !done) return done;
    if (::gzclose(std::exchange(zipped_, nullptr)) != Z_OK || ::fsync(file_) != 0) return archive_error("write", path_);
    return {};
  }

  /// It has another name.
  Result<void> forget_name() {
    const std::string path = std::exchange(path_, {});
    if (::unlink(path.c_str()) != 0) return archive_error("remove", path);
    return {};
  }

 private:
  ArchiveFile(std::string path, int file, gzFile zipped, const Rest& rest)
      : path_(std::move(path)), file_(file), zipped_(zipped), rest_(rest) {}

  Result<void> flush() {
    const auto size = static_cast<unsigned>(buffer_.size());
    if (size > 0 && ::gzwrite(zipped_, buffer_.data(), size) != static_cast<int>(size)) return archive_error("write", path_);
    buffer_.clear();
    return {};
  }

  std::string path_;
  int file_;
  gzFile zipped_;
  const Rest& rest_;
  std::string buffer_;
};

Result<void> sync_folder(const std::string& folder) {
  const int file = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (file < 0) return archive_error("open", folder);
  const bool synced = ::fsync(file) == 0;
  Error error = archive_error("sync", folder);
  ::close(file);
  if (!synced) return error;
  return {};
}

bool same_bytes(const std::string& one, const std::string& other) {
  std::ifstream a(one, std::ios::binary), b(other, std::ios::binary);
  using Bytes = std::istreambuf_iterator<char>;
  return a && b && std::equal(Bytes(a), Bytes(), Bytes(b), Bytes());
}

/// `step` until it says false, with rests as long as it took, so that whoever else writes comes in between. False: it was told to
/// stop.
template <class Step>
Result<bool> in_steps(Step step, const Rest& rest) {
  for (;;) {
    const auto began = std::chrono::steady_clock::now();
    const Result<bool> more = step();
    if (!more) return more.error();
    if (!*more) return true;
    const auto took = std::chrono::ceil<std::chrono::milliseconds>(std::chrono::steady_clock::now() - began);
    if (!rest(std::max(rest_ms_min, took))) return false;
  }
}

/// Removes what was let go. False: it was told to stop.
Result<bool> remove_what_went(Bookkeeper& books, OldRowsGone& gone, const Rest& rest) {
  return in_steps(
      [&]() -> Result<bool> {
        const auto removed = books.remove(removed_at_once_max);
        if (!removed) return removed.error();
        gone.requests += *removed;
        return *removed > 0;
      },
      rest);
}

/// Takes away what only those rows had.
Result<void> sweep(Bookkeeper& books, const OldRowsGone& gone, const Rest& rest) {
  if (gone.requests == 0) return {};
  const auto done = in_steps([&] { return books.sweep(swept_at_once_max); }, rest);
  return done ? Result<void>() : done.error();
}

}  // namespace

Result<std::string> archive_rows(Bookkeeper& books, const std::string& folder, const OldRows& rows, const Rest& rest) {
  if (::mkdir(folder.c_str(), S_IRWXU) != 0 && errno != EEXIST) return archive_error("create", folder);
  const std::string stem = folder + "/fairlead-" + day_text(rows.day), temporary = stem + ".unfinished";
  auto file = ArchiveFile::create(temporary, rest);
  if (!file) return file.error();
  if (auto told = books.read_rows(rows, **file); !told) return told.error();
  if (auto done = (*file)->finish(); !done) return done.error();
  for (int number = rows.part;; ++number) {
    const std::string path = stem + (number == 1 ? "" : "-" + std::to_string(number)) + ".csv.gz";
    if (::link(temporary.c_str(), path.c_str()) != 0) {
      if (errno != EEXIST) return archive_error("create", path);
      if (!same_bytes(temporary, path)) continue;
    }
    // Before the rows go: a name that comes back would lead the next part into this file.
    if (auto forgotten = (*file)->forget_name(); !forgotten) return forgotten.error();
    if (auto synced = sync_folder(folder); !synced) return synced.error();
    return path;
  }
}

Result<OldRowsGone> let_old_rows_go(Bookkeeper& books, const std::string& folder, TimePoint until, TimePoint now,
                                    const Rest& rest) {
  OldRowsGone gone;
  for (;;) {
    const auto all = remove_what_went(books, gone, rest);
    if (!all) return all.error();
    if (!*all) return gone;
    const auto rows = books.old_rows(until);
    if (!rows) return rows.error();
    if (!*rows) {
      if (auto swept = sweep(books, gone, rest); !swept) return swept.error();
      return gone;
    }
    std::string path;
    if (!folder.empty()) {
      auto written = archive_rows(books, folder, **rows, rest);
      if (!written && !rest(std::chrono::milliseconds(0))) return gone;
      if (!written) return written.error();
      path = std::move(*written);
      gone.files.push_back(path);
    }
    // Beyond this point the rows may go: their file is on the disk.
    if (auto done = books.let_go(**rows, path, now); !done) return done.error();
  }
}

}  // namespace fairlead
