#pragma once
// The snapshot in force. Written by the main thread on reload, read by every worker through its own Reader.
// A mutex and a shared_ptr: std::atomic<std::shared_ptr> of libstdc++ 12 races under TSan.
#include <fairlead/snapshot.h>

#include <atomic>
#include <memory>
#include <mutex>
#include <utility>

namespace fairlead::config {

class Cell {
 public:
  explicit Cell(std::shared_ptr<const Snapshot> first) : snapshot_(std::move(first)) {}

  void swap_in(std::shared_ptr<const Snapshot> next) {
    const std::lock_guard lock(mutex_);
    snapshot_ = std::move(next);
    version_.fetch_add(1, std::memory_order_release);
  }
  std::shared_ptr<const Snapshot> get() const {
    const std::lock_guard lock(mutex_);
    return snapshot_;
  }

  /// One thread's view: takes the lock only after a swap.
  class Reader {
   public:
    explicit Reader(const Cell& cell) : cell_(cell) {}
    const std::shared_ptr<const Snapshot>& get() {
      const auto version = cell_.version_.load(std::memory_order_acquire);
      if (!cached_ || version != seen_) {
        cached_ = cell_.get();
        seen_ = version;
      }
      return cached_;
    }

   private:
    const Cell& cell_;
    std::shared_ptr<const Snapshot> cached_;
    unsigned seen_ = 0;
  };

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<const Snapshot> snapshot_;
  std::atomic<unsigned> version_{0};
};

}  // namespace fairlead::config
