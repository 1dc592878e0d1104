#include "ledger/files.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <memory>
#include <utility>

namespace fairlead {
namespace {

std::string folder_of(const std::string& path) {
  const std::size_t slash = path.find_last_of('/');
  return slash == std::string::npos ? "." : path.substr(0, slash + 1);
}

/// `call` again for as long as a signal cuts it short.
template <class Call>
auto whole(Call call) -> decltype(call()) {
  for (;;) {
    const auto result = call();
    if (result >= 0 || errno != EINTR) return result;
  }
}

struct CloseFolder {
  void operator()(DIR* folder) const { ::closedir(folder); }
};

class SystemFiles final : public JournalFiles {
 public:
  int create(const std::string& path) override {
    return whole([&] { return ::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR); });
  }
  int open(const std::string& path) override {
    return whole([&] { return ::open(path.c_str(), O_RDONLY | O_CLOEXEC); });
  }
  void close(int file) override { ::close(file); }
  std::int64_t read(int file, void* bytes, std::size_t count, std::uint64_t offset) override {
    return whole([&] { return ::pread(file, bytes, count, static_cast<off_t>(offset)); });
  }
  std::int64_t write(int file, const void* bytes, std::size_t count, std::uint64_t offset) override {
    return whole([&] { return ::pwrite(file, bytes, count, static_cast<off_t>(offset)); });
  }
  int sync(int file) override {
    return whole([&] { return ::fdatasync(file); });
  }
  int remove(const std::string& path) override { return ::unlink(path.c_str()); }
  int rename(const std::string& from, const std::string& to) override { return std::rename(from.c_str(), to.c_str()); }
  int sync_folder_of(const std::string& path) override {
    const OpenFile folder(*this, ::open(folder_of(path).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    return folder && folder.sync() ? 0 : -1;
  }
  int list(const std::string& prefix, std::vector<std::string>& rests) override {
    const std::string folder = folder_of(prefix);
    const std::string start = prefix.substr(folder == "." ? 0 : folder.size());
    const std::unique_ptr<DIR, CloseFolder> open(::opendir(folder.c_str()));
    if (!open) return -1;
    while (const dirent* entry = ::readdir(open.get()))
      if (const std::string name = entry->d_name; name.rfind(start, 0) == 0) rests.push_back(name.substr(start.size()));
    return 0;
  }
};

}  // namespace

JournalFiles& system_files() {
  static SystemFiles files;
  return files;
}

OpenFile::OpenFile(OpenFile&& other) noexcept : files_(other.files_), number_(std::exchange(other.number_, -1)) {}

OpenFile& OpenFile::operator=(OpenFile&& other) noexcept {
  std::swap(files_, other.files_);
  std::swap(number_, other.number_);
  return *this;
}

OpenFile::~OpenFile() {
  if (number_ >= 0) files_->close(number_);
}

bool OpenFile::write(const void* bytes, std::size_t count, std::uint64_t offset) const {
  const auto* from = static_cast<const char*>(bytes);
  while (count > 0) {
    const std::int64_t written = files_->write(number_, from, count, offset);
    if (written <= 0) {
      if (written == 0) errno = ENOSPC;
      return false;
    }
    from += written;
    offset += static_cast<std::uint64_t>(written);
    count -= static_cast<std::size_t>(written);
  }
  return true;
}

std::int64_t OpenFile::read(void* bytes, std::size_t count, std::uint64_t offset) const {
  auto* to = static_cast<char*>(bytes);
  std::size_t done = 0;
  while (done < count) {
    const std::int64_t got = files_->read(number_, to + done, count - done, offset + done);
    if (got < 0) return -1;
    if (got == 0) break;
    done += static_cast<std::size_t>(got);
  }
  return static_cast<std::int64_t>(done);
}

}  // namespace fairlead
