#pragma once
// Lets old rows go, now and then, on a thread of its own which no request waits for.
#include <fairlead/snapshot.h>

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>

namespace fairlead::daemon {

class RetentionJob {
 public:
  /// `snapshot`: the one that holds; called on the job's thread.
  explicit RetentionJob(std::function<std::shared_ptr<const Snapshot>()> snapshot) : snapshot_(std::move(snapshot)) {}
  ~RetentionJob() { stop(); }
  RetentionJob(const RetentionJob&) = delete;
  RetentionJob& operator=(const RetentionJob&) = delete;

  /// Looks at once, and every hour.
  void start();
  /// After the step that it is in: a batch of rows, or a day's file.
  void stop();

 private:
  void run();
  void look();
  /// False: it is to stop.
  bool rest(std::chrono::milliseconds time);

  std::function<std::shared_ptr<const Snapshot>()> snapshot_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace fairlead::daemon
