#pragma once
// Tells when files change, however that is done: written in place, put there by rename, or reached by a link that was led elsewhere
// (as editors, package managers and orchestrators do it). So it looks at directories, not at files. One thread.
#include "net/task.h"

#include <boost/asio/posix/basic_stream_descriptor.hpp>

#include <chrono>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace fairlead::daemon {

/// Names by the directory that is to be looked at: of each file, the last part of its path, every link on the way, and whatever is
/// not there yet. Directories come without links in them.
using Places = std::map<std::string, std::set<std::string>>;
Places places_of(const std::vector<std::string>& files);

class Watch {
 public:
  /// What comes together is told once: when nothing has come, and none of the files was written, for as long as `quiet`, so that a
  /// file that is written in steps is whole; but no later than `delay_max` after the first.
  struct Pace {
    std::chrono::milliseconds quiet{700}, delay_max{5'000};
  };

  /// `changed` is called from the executor's thread, never from within a call of this class.
  Watch(Executor executor, std::function<void()> changed, Pace pace);
  Watch(Executor executor, std::function<void()> changed) : Watch(executor, std::move(changed), Pace{}) {}
  ~Watch();
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;

  /// From now on these files. If there is any place that was not looked at before, `changed` is called too, since a file may have
  /// changed before it was looked at. Errors: io, with the directory that cannot be looked at; the others are.
  Result<void> look_at(const std::vector<std::string>& files);
  void stop();

 private:
  struct Directory {
    std::string path;
    std::set<std::string> names;
  };
  void wait();
  void read_events();
  bool matters(int directory, std::uint32_t what, const std::string& name);
  void tell_soon();
  void tell_after(std::chrono::milliseconds quiet);
  std::chrono::milliseconds still_settling() const;

  std::function<void()> changed_;
  Pace pace_;
  std::vector<std::string> files_;
  asio::posix::basic_stream_descriptor<Executor> inotify_;
  Timer timer_;
  bool telling_ = false;
  SteadyTime tell_at_most_;
  std::map<int, Directory> directories_;  ///< by watch descriptor
};

}  // namespace fairlead::daemon
