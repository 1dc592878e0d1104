#include "daemon/watch.h"

#include <sys/inotify.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <deque>
#include <filesystem>
#include <system_error>
#include <utility>

namespace fairlead::daemon {
namespace {

namespace fs = std::filesystem;

constexpr int links_max = 40;  // on the way to one file, as Linux has it
/// Writing is over with the close; a link appears by CREATE alone; rights may come later than the file.
constexpr std::uint32_t told_events =
    IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_CREATE | IN_DELETE | IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR;

void add_places(const std::string& file, Places& places) {
  std::error_code error;
  const auto prepend = [](std::deque<std::string>& parts, const fs::path& path) {
    std::vector<std::string> fresh;
    for (const fs::path& part : path.relative_path()) fresh.push_back(part.string());
    parts.insert(parts.begin(), fresh.begin(), fresh.end());
  };
  std::deque<std::string> rest;
  prepend(rest, fs::absolute(file, error));
  fs::path at = "/";
  for (int links = 0; !rest.empty();) {
    const std::string name = std::move(rest.front());
    rest.pop_front();
    if (name.empty() || name == ".") continue;
    if (name == "..") {
      at = at.parent_path();
      continue;
    }
    const fs::file_status found = fs::symlink_status(at / name, error);
    const bool link = fs::is_symlink(found);
    if (rest.empty() || link || !fs::exists(found)) places[at.string()].insert(name);
    if (!fs::exists(found)) return;
    if (!link) {
      at /= name;
      continue;
    }
    const fs::path target = fs::read_symlink(at / name, error);
    if (error || ++links > links_max) return;
    if (target.is_absolute()) at = "/";
    prepend(rest, target);
  }
}

/// A plain file that was just made is still being written, and its close will be told; another name of an old one is there at once.
bool is_being_written(const fs::path& path) {
  std::error_code error;
  return fs::symlink_status(path, error).type() == fs::file_type::regular && fs::hard_link_count(path, error) == 1;
}

}  // namespace

Places places_of(const std::vector<std::string>& files) {
  Places places;
  for (const std::string& file : files) add_places(file, places);
  return places;
}

Watch::Watch(Executor executor, std::function<void()> changed, Pace pace)
    : changed_(std::move(changed)), pace_(pace), inotify_(executor), timer_(executor) {}

Watch::~Watch() = default;

Result<void> Watch::look_at(const std::vector<std::string>& files) {
  const auto failed = [](const std::string& what) {
    return Error(ErrorKind::io, ErrorOrigin::fairlead, what + ": " + std::generic_category().message(errno));
  };
  if (!inotify_.is_open()) {
    const int opened = ::inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (opened < 0) return failed("files cannot be watched");
    inotify_.assign(opened);
    wait();
  }
  files_ = files;
  Result<void> outcome;
  bool fresh = false;
  std::map<int, Directory> next;
  for (const auto& [path, names] : places_of(files)) {
    const int number = ::inotify_add_watch(inotify_.native_handle(), path.c_str(), told_events);
    if (number < 0) {
      if (outcome) outcome = failed("the directory " + path + " cannot be watched");
      continue;
    }
    Directory& directory = next[number];
    directory.path = path;
    directory.names.insert(names.begin(), names.end());
    const auto before = directories_.find(number);
    fresh = fresh || before == directories_.end() ||
            !std::includes(before->second.names.begin(), before->second.names.end(), names.begin(), names.end());
  }
  for (const auto& [number, directory] : directories_)
    if (next.count(number) == 0) ::inotify_rm_watch(inotify_.native_handle(), number);
  directories_ = std::move(next);
  if (fresh) tell_soon();
  return outcome;
}

void Watch::stop() {
  boost::system::error_code ignored;
  inotify_.close(ignored);
  timer_.cancel();
  telling_ = false;
  directories_.clear();
}

void Watch::wait() {
  inotify_.async_wait(asio::posix::descriptor_base::wait_read, [this](boost::system::error_code error) {
    if (error || !inotify_.is_open()) return;
    read_events();
    wait();
  });
}

void Watch::read_events() {
  alignas(inotify_event) std::array<char, 16 << 10> bytes{};
  while (true) {
    const ssize_t size = ::read(inotify_.native_handle(), bytes.data(), bytes.size());
    if (size <= 0) return;
    for (std::size_t at = 0; at < static_cast<std::size_t>(size);) {
      inotify_event event{};
      std::memcpy(&event, bytes.data() + at, sizeof event);
      const char* name = event.len > 0 ? bytes.data() + at + sizeof event : "";
      if (matters(event.wd, event.mask, name)) tell_soon();
      at += sizeof event + event.len;
    }
  }
}

bool Watch::matters(int directory, std::uint32_t what, const std::string& name) {
  if ((what & IN_Q_OVERFLOW) != 0) return true;
  const auto found = directories_.find(directory);
  if (found == directories_.end()) return false;
  if ((what & IN_IGNORED) != 0) {  // it is gone, and its number with it
    directories_.erase(found);
    return true;
  }
  if ((what & (IN_DELETE_SELF | IN_MOVE_SELF)) != 0) return true;
  if (found->second.names.count(name) == 0) return false;
  return (what & IN_CREATE) == 0 || !is_being_written(fs::path(found->second.path) / name);
}

void Watch::tell_soon() {
  if (!telling_) tell_at_most_ = std::chrono::steady_clock::now() + pace_.delay_max;
  telling_ = true;
  tell_after(pace_.quiet);
}

void Watch::tell_after(std::chrono::milliseconds quiet) {
  timer_.expires_at(std::min<SteadyTime>(std::chrono::steady_clock::now() + quiet, tell_at_most_));
  timer_.async_wait([this](boost::system::error_code error) {
    if (error || !telling_) return;
    const auto rest = still_settling();
    if (rest.count() > 0 && std::chrono::steady_clock::now() < tell_at_most_) return tell_after(rest);
    telling_ = false;
    changed_();
  });
}

/// Who writes tells nothing before the close, so it is seen by the time of the last write. 0: no file was written of late.
std::chrono::milliseconds Watch::still_settling() const {
  const auto now = fs::file_time_type::clock::now();
  std::chrono::milliseconds rest{0};
  for (const std::string& file : files_) {
    std::error_code error;
    const auto written = fs::last_write_time(file, error);
    if (error || written > now) continue;
    rest = std::max(rest, std::chrono::ceil<std::chrono::milliseconds>(written + pace_.quiet - now));
  }
  return rest;
}

}  // namespace fairlead::daemon
