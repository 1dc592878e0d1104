#pragma once
// From host names to addresses. Used by connect. One worker's thread, but for the look-ups themselves.
#include <fairlead/result.h>

#include "net/task.h"

#include <boost/asio/ip/address.hpp>

#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

namespace fairlead::net {

using AddressList = std::vector<asio::ip::address>;

/// Looks a name up, and blocks meanwhile; called on threads that may outlive everything else. A list is never empty.
/// Errors: upstream_connect; overloaded, if what it needs of descriptors or memory is not to be had.
using LookUp = std::function<Result<AddressList>(const std::string& host)>;

/// getaddrinfo, which nothing can interrupt.
Result<AddressList> look_up_address(const std::string& host);

/// What names meant when they were last looked up. Each look-up has a thread of its own, one for a host at a time, so that one name
/// that takes long holds up no other. getaddrinfo tells no time to live: after 30 s a name is looked up again when it is needed.
class Addresses {
 public:
  explicit Addresses(const Executor& executor, LookUp look_up = look_up_address);
  ~Addresses();
  Addresses(const Addresses&) = delete;
  Addresses& operator=(const Addresses&) = delete;

  /// However old they are; empty: nothing is known. Valid until the next look-up ends.
  const AddressList& known(const std::string& host) const;
  /// False: what is known is fresh. Else a look-up is under way, and `answered` is called with what it finds, once that is known.
  bool refresh(const std::string& host, SteadyTime now, const void* who, std::function<void(const Result<AddressList>&)> answered);
  /// `who` waits no longer.
  void leave(const std::string& host, const void* who);
  /// None of them could be reached: they are not fresh any more.
  void doubt(const std::string& host);

 private:
  struct Host {
    AddressList addresses;
    SteadyTime fresh_until;
    bool is_looked_up = false;
    std::unordered_map<const void*, std::function<void(const Result<AddressList>&)>> waiting;
  };
  /// Where a look-up's thread finds out whether anybody still wants to know.
  struct Desk;
  static void hand_over(const std::shared_ptr<Desk>& desk, const std::string& host, Result<AddressList> found);
  void look_up_apart(const std::string& host);
  void take(const std::string& host, const Result<AddressList>& found);

  LookUp look_up_;
  std::unordered_map<std::string, Host> hosts_;
  std::shared_ptr<Desk> desk_;
};

}  // namespace fairlead::net
