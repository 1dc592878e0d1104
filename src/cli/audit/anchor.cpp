#include "cli/audit/anchor.h"

#include "cli/table.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <nlohmann/json.hpp>

#include <cerrno>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <string_view>
#include <system_error>

namespace fairlead::cli {
namespace {

/// While it lives no line is half written, nor one there that is taken back. Not every volume has locks.
class ReadLock {
 public:
  explicit ReadLock(const std::string& path) : file_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {
    if (file_ >= 0) (void)::flock(file_, LOCK_SH);
  }
  ReadLock(const ReadLock&) = delete;
  ReadLock& operator=(const ReadLock&) = delete;
  ~ReadLock() {
    if (file_ >= 0) ::close(file_);
  }

 private:
  int file_;
};

/// As one that was copied by hand may.
bool ends_within_line(int file, off_t bytes) {
  char last = '\n';
  return bytes > 0 && ::pread(file, &last, 1, bytes - 1) == 1 && last != '\n';
}

/// So that a file that has just been made is found again; as far as its folder may be opened, and its file system can.
void sync_folder_of(const std::string& path) {
  const std::filesystem::path folder = std::filesystem::path(path).parent_path();
  const int file = ::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (file < 0) return;
  (void)::fsync(file);
  ::close(file);
}

bool write_all(int file, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(file, bytes.data(), bytes.size());
    if (written <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

/// Whole and on the disk, or not at all: half a line would be no anchor, and fail every audit from then on.
bool append_line(int file, std::string line) {
  struct stat before {};
  (void)::flock(file, LOCK_EX);  // not every volume has locks
  if (::fstat(file, &before) != 0) return false;
  if (ends_within_line(file, before.st_size)) line.insert(0, 1, '\n');
  if (write_all(file, line) && ::fsync(file) == 0) return true;
  const int why = errno;
  const bool undone = ::ftruncate(file, before.st_size) == 0;
  if (undone) errno = why;
  return false;
}

}  // namespace

Result<std::vector<ChainLink>> read_anchors(const std::string& path) {
  std::vector<ChainLink> anchors;
  std::error_code error;
  if (!std::filesystem::exists(path, error)) return anchors;
  const ReadLock lock(path);
  std::ifstream file(path);
  const Error unreadable(ErrorKind::io, ErrorOrigin::fairlead, "the anchor file '" + path + "' cannot be read");
  if (!file || std::filesystem::is_directory(path, error)) return unreadable;
  std::string line;
  for (int number = 1; std::getline(file, line); ++number) {
    if (line.empty()) continue;
    const auto json = nlohmann::json::parse(line, nullptr, false);
    if (!json.is_object() || !json.contains("link") || !json["link"].is_number_integer() || !json.contains("hash") ||
        !json["hash"].is_string())
      return Error(ErrorKind::config, ErrorOrigin::fairlead,
                   path + ":" + std::to_string(number) + R"(: it is no anchor: {"at":...,"link":N,"hash":"..."})");
    anchors.push_back({json["link"].get<std::int64_t>(), json["hash"].get<std::string>()});
  }
  if (file.bad()) return unreadable;
  return anchors;
}

Result<void> add_anchor(const std::string& path, const ChainLink& head, TimePoint now) {
  const std::string line =
      R"({"at":")" + iso_8601_us(now) + R"(","link":)" + std::to_string(head.number) + R"(,"hash":")" + head.hash + "\"}\n";
  const int file = ::open(path.c_str(), O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
  const bool added = file >= 0 && append_line(file, line);
  const std::string why = std::generic_category().message(errno);
  if (file >= 0) ::close(file);
  if (!added) return Error(ErrorKind::io, ErrorOrigin::fairlead, "the anchor file '" + path + "' cannot be written (" + why + ")");
  sync_folder_of(path);
  return {};
}

}  // namespace fairlead::cli
