#pragma once
// The value of the Date field, made once a second. One worker's thread.
#include <chrono>
#include <string>
#include <string_view>

namespace fairlead::net {

class HttpDate {
 public:
  /// E.g. "Sun, 06 Nov 1994 08:49:37 GMT"; valid until the next call.
  std::string_view at(std::chrono::system_clock::time_point now);

 private:
  std::chrono::sys_seconds second_{std::chrono::seconds::min()};
  std::string text_;
};

}  // namespace fairlead::net
