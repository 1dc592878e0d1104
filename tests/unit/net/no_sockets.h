#pragma once
// Sockets that the system refuses for want of a descriptor. Taking away all descriptors would do too, but sanitizers need some.
#include <dlfcn.h>
#include <sys/socket.h>

#include <cerrno>
#include <functional>
#include <utility>

namespace fairlead::net::test {

/// As long as it lives, and while `lacking`, no socket of IPv4 can be made. One at a time.
class NoSockets {
 public:
  explicit NoSockets(std::function<bool()> lacking = [] { return true; }) { refused = std::move(lacking); }
  NoSockets(const NoSockets&) = delete;
  NoSockets& operator=(const NoSockets&) = delete;
  ~NoSockets() { refused = nullptr; }

  static inline std::function<bool()> refused;
};

}  // namespace fairlead::net::test

/// In front of the C library's.
extern "C" [[gnu::used]] inline int socket(int domain, int type, int protocol) noexcept {
  using fairlead::net::test::NoSockets;
  if (domain == AF_INET && NoSockets::refused && NoSockets::refused()) {
    errno = EMFILE;
    return -1;
  }
  static const auto real = reinterpret_cast<int (*)(int, int, int)>(::dlsym(RTLD_NEXT, "socket"));
  return real(domain, type, protocol);
}
