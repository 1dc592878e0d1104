#include "store/sqlite/file.h"

#include "store/sqlite/schema.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <map>
#include <mutex>
#include <string_view>
#include <utility>

namespace fairlead::sqlite {
namespace {

constexpr std::size_t header_bytes = 100;  // of SQLite's file format
constexpr std::size_t application_id_at = 68;
constexpr std::string_view magic("SQLite format 3\0", 16);

Error unavailable(std::string message) { return {ErrorKind::ledger_unavailable, ErrorOrigin::fairlead, std::move(message)}; }

Error failed(const std::string& doing, const std::string& path, int code) {
  const std::string folder = path.substr(0, path.find_last_of('/') + 1);
  if (code == ENOENT && ::access(folder.empty() ? "." : folder.c_str(), F_OK) != 0)
    return unavailable("cannot " + doing + " the ledger " + path + ": the folder " + folder + " does not exist");
  return unavailable("cannot " + doing + " the ledger " + path + ": " + std::generic_category().message(code));
}

struct File {
  int number;
  ~File() {
    if (number >= 0) ::close(number);
  }
};

/// A descriptor of the file that is never closed: with any that is, the kernel drops all locks that this process has on the file
/// (POSIX), and so those of SQLite's connections. Another program would then take itself for the last one, and remove the
/// write-ahead log under us. One for each file; below 0: errno tells.
int lasting_descriptor(const std::string& path) {
  static std::mutex mutex;
  static std::map<std::pair<dev_t, ino_t>, int> known;
  const std::lock_guard lock(mutex);
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return -1;
  if (const auto found = known.find({status.st_dev, status.st_ino}); found != known.end()) return found->second;
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (file < 0) return -1;
  if (::fstat(file, &status) == 0) known.emplace(std::pair(status.st_dev, status.st_ino), file);
  return file;
}

std::uint32_t big_endian(const char* bytes) {
  std::uint32_t value = 0;
  for (int i = 0; i < 4; ++i) value = value << 8 | static_cast<unsigned char>(bytes[i]);
  return value;
}

}  // namespace

Result<FileKind> identify(const std::string& path) {
  const int file = lasting_descriptor(path);
  if (file < 0) {
    if (errno == ENOENT) return FileKind::missing;
    return failed("open", path, errno);
  }
  struct stat status {};
  if (::fstat(file, &status) != 0) return failed("open", path, errno);
  if (!S_ISREG(status.st_mode)) return unavailable("the ledger " + path + " is not a file");
  if (status.st_size == 0) return FileKind::empty;
  std::array<char, header_bytes> header{};
  const ssize_t got = ::pread(file, header.data(), header.size(), 0);
  if (got < 0) return failed("read", path, errno);
  if (static_cast<std::size_t>(got) < header.size() || std::string_view(header.data(), magic.size()) != magic)
    return unavailable(path + " is not a ledger: it is not an SQLite database. Nothing was changed");
  if (big_endian(header.data() + application_id_at) != application_id)
    return unavailable(path + " is not a ledger: it is an SQLite database of another program. Nothing was changed");
  return FileKind::ours;
}

Result<void> create_private(const std::string& path) {
  const File file{::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, S_IRUSR | S_IWUSR)};
  if (file.number < 0) return failed("create", path, errno);
  return {};
}

Result<WriterLock> WriterLock::take(const std::string& path) {
  const std::string lock_path = path + ".lock";
  const int file = ::open(lock_path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, S_IRUSR | S_IWUSR);
  if (file < 0) return failed("lock", path, errno);
  WriterLock lock(file);
  if (::flock(file, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return failed("lock", path, errno);
    std::array<char, 20> pid{};
    const ssize_t got = ::pread(file, pid.data(), pid.size() - 1, 0);
    const std::string who = got > 0 ? " (process " + std::string(pid.data(), static_cast<std::size_t>(got)) + ")" : "";
    return unavailable("another fairlead" + who + " writes to the ledger " + path +
                       ": stop it first, or give this one a ledger of its own");
  }
  const std::string pid = std::to_string(::getpid());
  if (::ftruncate(file, 0) != 0 || ::pwrite(file, pid.data(), pid.size(), 0) != static_cast<ssize_t>(pid.size())) {
    // Only a help for people: the lock holds without it, also on a full disk.
  }
  return lock;
}

WriterLock::WriterLock(WriterLock&& other) noexcept : file_(std::exchange(other.file_, -1)) {}

WriterLock::~WriterLock() {
  if (file_ >= 0) ::close(file_);
}

}  // namespace fairlead::sqlite
