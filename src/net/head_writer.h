#pragma once
// Writes a head into a string whose room was made before: an append for each part would ask again and again whether it fits.
#include <cassert>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace fairlead::net {

class HeadWriter {
 public:
  /// `bytes_max`: of all that will be written, until end() cuts the head to what was.
  HeadWriter(std::string& head, std::size_t bytes_max) : head_(head) {
    head_.resize(bytes_max);
    at_ = head_.data();
  }
  /// The empty line, and no more.
  void end() {
    text("\r\n");
    head_.resize(static_cast<std::size_t>(at_ - head_.data()));
  }

  HeadWriter& text(std::string_view text) {
    assert(text.size() <= left());
    at_ += text.copy(at_, text.size());
    return *this;
  }
  HeadWriter& number(std::uint64_t number) {
    at_ = std::to_chars(at_, at_ + left(), number).ptr;
    return *this;
  }
  HeadWriter& field(std::string_view name, std::string_view value) { return text(name).text(": ").text(value).text("\r\n"); }
  /// What field() writes.
  static std::size_t bytes_of_field(std::string_view name, std::string_view value) { return name.size() + value.size() + 4; }

 private:
  std::size_t left() const { return head_.size() - static_cast<std::size_t>(at_ - head_.data()); }

  std::string& head_;
  char* at_;
};

}  // namespace fairlead::net
