#pragma once
// Finds the mock's time stamps ('@' and 19 digits) in the bytes of a stream, however they are cut.
#include <cstdint>
#include <string>
#include <string_view>

class TokenClock {
 public:
  /// Calls on_token(sent_ns) for each stamp that ends in these bytes.
  template <class OnToken>
  void feed(std::string_view bytes, OnToken&& on_token) {
    while (!bytes.empty()) {
      if (!within_) {
        const std::size_t at = bytes.find('@');
        if (at == std::string_view::npos) return;
        bytes.remove_prefix(at + 1);
        within_ = true;
        digits_.clear();
      }
      const std::string_view piece = bytes.substr(0, wanted - digits_.size());
      digits_.append(piece);
      bytes.remove_prefix(piece.size());
      if (digits_.size() < wanted) return;
      within_ = false;
      on_token(value());
    }
  }

 private:
  static constexpr std::size_t wanted = 19;

  std::uint64_t value() const {
    std::uint64_t ns = 0;
    for (const char digit : digits_) ns = ns * 10 + static_cast<std::uint64_t>(digit - '0');
    return ns;
  }

  bool within_ = false;
  std::string digits_;
};
