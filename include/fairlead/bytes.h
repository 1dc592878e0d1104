#pragma once
// A run of bytes that grows where it lies: room is not filled before it is written, and a large run moves without a second copy.
// For the bodies of requests. Plain value; not shared between threads.
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>
#include <string>
#include <string_view>
#include <utility>

namespace fairlead {

class Bytes {
 public:
  Bytes() = default;
  Bytes(std::string_view text) { append(text); }                     // NOLINT: a text is bytes
  Bytes(const std::string& text) : Bytes(std::string_view(text)) {}  // NOLINT
  Bytes(const char* text) : Bytes(std::string_view(text)) {}         // NOLINT
  Bytes(Bytes&& other) noexcept
      : data_(std::move(other.data_)), size_(std::exchange(other.size_, 0)), capacity_(std::exchange(other.capacity_, 0)) {}
  Bytes& operator=(Bytes&& other) noexcept {
    data_ = std::move(other.data_);
    size_ = std::exchange(other.size_, 0);
    capacity_ = std::exchange(other.capacity_, 0);
    return *this;
  }

  std::string_view view() const { return {data_.get(), size_}; }
  operator std::string_view() const { return view(); }  // NOLINT
  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }

  /// Room for so many bytes in all, and no more than that.
  void reserve(std::size_t bytes) {
    if (bytes <= capacity_) return;
    char* grown = static_cast<char*>(std::realloc(data_.get(), bytes));
    if (grown == nullptr) throw std::bad_alloc();
    static_cast<void>(data_.release());
    data_.reset(grown);
    capacity_ = bytes;
  }
  /// Makes it so many bytes longer, and returns where these begin; they are not set.
  char* grow(std::size_t bytes) {
    if (size_ + bytes > capacity_) reserve(size_ + bytes + size_ / 2);
    size_ += bytes;
    return data_.get() + size_ - bytes;
  }
  /// Cuts it to at most so many bytes.
  void cut(std::size_t bytes) { size_ = bytes < size_ ? bytes : size_; }
  void append(std::string_view text) {
    if (!text.empty()) std::memcpy(grow(text.size()), text.data(), text.size());
  }

 private:
  struct Free {
    void operator()(char* bytes) const { std::free(bytes); }
  };
  std::unique_ptr<char, Free> data_;
  std::size_t size_ = 0, capacity_ = 0;
};

}  // namespace fairlead
