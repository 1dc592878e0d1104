#pragma once
// How much memory the large bodies of all requests hold, over all workers, so that together they stay under a limit. Thread-safe,
// but for a share, which is one request's.
#include <atomic>
#include <cstddef>
#include <utility>

namespace fairlead::net {

class BodyMemory {
 public:
  /// Given back when it goes.
  class Share {
   public:
    Share() = default;
    explicit Share(BodyMemory& memory) : memory_(&memory) {}
    ~Share() { release(); }
    Share(Share&& other) noexcept : memory_(other.memory_), bytes_(std::exchange(other.bytes_, 0)) {}
    Share& operator=(Share&& other) noexcept {
      release();
      memory_ = other.memory_;
      bytes_ = std::exchange(other.bytes_, 0);
      return *this;
    }

    /// Takes what is missing to so many bytes. False: all shares together would hold more than `bytes_max`.
    bool cover(std::size_t bytes, std::size_t bytes_max) {
      if (bytes <= bytes_) return true;
      if (!memory_->take(bytes - bytes_, bytes_max)) return false;
      bytes_ = bytes;
      return true;
    }
    void release() {
      if (bytes_ > 0) memory_->bytes_.fetch_sub(std::exchange(bytes_, 0), std::memory_order_relaxed);
    }

   private:
    BodyMemory* memory_ = nullptr;
    std::size_t bytes_ = 0;
  };

  std::size_t bytes() const { return bytes_.load(std::memory_order_relaxed); }

 private:
  bool take(std::size_t bytes, std::size_t bytes_max) {
    std::size_t held = this->bytes();
    do
      if (held + bytes > bytes_max) return false;
    while (!bytes_.compare_exchange_weak(held, held + bytes, std::memory_order_relaxed));
    return true;
  }
  std::atomic<std::size_t> bytes_{0};
};

}  // namespace fairlead::net
