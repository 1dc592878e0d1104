#pragma once
// Texts that go out as one. Used by Stream alone.
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace fairlead::net {

/// The rest of the pieces that are still to be written.
class Remainder {
 public:
  static constexpr std::size_t pieces_at_once = 64;

  explicit Remainder(std::span<const std::string_view> pieces) : pieces_(pieces) { skip_empty(); }

  bool empty() const { return pieces_.empty(); }
  std::string_view front() const { return pieces_.front().substr(offset_); }
  bool is_last() const { return pieces_.size() == 1; }

  std::size_t fill(std::array<iovec, pieces_at_once>& vectors) const {
    std::size_t used = 0;
    for (std::size_t i = 0; i < pieces_.size() && used < vectors.size(); ++i) {
      const std::string_view bytes = i == 0 ? front() : pieces_[i];
      if (!bytes.empty()) vectors[used++] = {const_cast<char*>(bytes.data()), bytes.size()};
    }
    return used;
  }

  /// The first bytes, `most` at most, in one place.
  void gather(std::size_t most, std::string& bytes) const {
    bytes.clear();
    for (std::size_t i = 0; i < pieces_.size() && bytes.size() < most; ++i)
      bytes.append(i == 0 ? front() : pieces_[i], 0, most - bytes.size());
  }

  void advance(std::size_t bytes) {
    while (bytes > 0) {
      const std::size_t step = std::min(bytes, front().size());
      offset_ += step;
      bytes -= step;
      skip_empty();
    }
  }

 private:
  void skip_empty() {
    while (!pieces_.empty() && offset_ == pieces_.front().size()) {
      pieces_ = pieces_.subspan(1);
      offset_ = 0;
    }
  }

  std::span<const std::string_view> pieces_;
  std::size_t offset_ = 0;
};

}  // namespace fairlead::net
