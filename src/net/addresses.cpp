#include "net/addresses.h"

#include "net/upstream_error.h"

#include <netdb.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>

#include <cerrno>
#include <cstring>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>

namespace fairlead::net {

namespace {

constexpr std::chrono::seconds address_age_max{30};

Error no_address(const std::string& why, bool own_lack = false) {
  return upstream_error(own_lack ? ErrorKind::overloaded : ErrorKind::upstream_connect, "DNS: " + why);
}

/// getaddrinfo tells of that in many ways, as of a name that nobody knows too.
bool lacks_descriptors() {
  const int spare = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (spare < 0) return is_own_lack(errno);
  ::close(spare);
  return false;
}

asio::ip::address address_of(const addrinfo& entry) {
  asio::ip::tcp::endpoint endpoint;
  endpoint.resize(entry.ai_addrlen);
  std::memcpy(endpoint.data(), entry.ai_addr, entry.ai_addrlen);
  return endpoint.address();
}

}  // namespace

// Of libraries, libc alone: it may still run when the process is at its end, and the statics of others are gone.
Result<AddressList> look_up_address(const std::string& host) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* entries = nullptr;
  if (const int code = getaddrinfo(host.c_str(), nullptr, &hints, &entries); code != 0)
    return no_address(gai_strerror(code), code == EAI_MEMORY || lacks_descriptors());
  AddressList found;
  for (const addrinfo* entry = entries; entry != nullptr; entry = entry->ai_next) {
    if (entry->ai_family == AF_INET || entry->ai_family == AF_INET6) found.push_back(address_of(*entry));
  }
  freeaddrinfo(entries);
  if (found.empty()) return no_address("no address");
  return found;
}

struct Addresses::Desk {
  std::mutex mutex;
  Executor executor;
  Addresses* owner;  ///< null: gone, and the executor's loop too, perhaps
};

Addresses::Addresses(const Executor& executor, LookUp look_up)
    : look_up_(std::move(look_up)), desk_(new Desk{{}, executor, this}) {}

Addresses::~Addresses() {
  const std::lock_guard lock(desk_->mutex);
  desk_->owner = nullptr;
}

const AddressList& Addresses::known(const std::string& host) const {
  static const AddressList nothing;
  const auto found = hosts_.find(host);
  return found == hosts_.end() ? nothing : found->second.addresses;
}

bool Addresses::refresh(const std::string& host, SteadyTime now, const void* who,
                        std::function<void(const Result<AddressList>&)> answered) {
  Host& known = hosts_[host];
  if (now < known.fresh_until) return false;
  known.waiting.insert_or_assign(who, std::move(answered));
  if (!std::exchange(known.is_looked_up, true)) look_up_apart(host);
  return true;
}

void Addresses::leave(const std::string& host, const void* who) {
  if (const auto found = hosts_.find(host); found != hosts_.end()) found->second.waiting.erase(who);
}

void Addresses::doubt(const std::string& host) {
  if (const auto found = hosts_.find(host); found != hosts_.end()) found->second.fresh_until = {};
}

/// The thread belongs to nobody, since nothing can end it early; all that it shares is the desk.
void Addresses::look_up_apart(const std::string& host) {
  try {
    std::thread([desk = desk_, look_up = look_up_, host] {
      pthread_setname_np(pthread_self(), "look-up");
      hand_over(desk, host, look_up(host));
    }).detach();
  } catch (const std::system_error&) {
    hand_over(desk_, host, no_address("no thread for it", true));
  }
}

void Addresses::hand_over(const std::shared_ptr<Desk>& desk, const std::string& host, Result<AddressList> found) {
  const std::lock_guard lock(desk->mutex);
  if (!desk->owner) return;
  asio::post(desk->executor, [desk, host, found = std::move(found)] {
    if (desk->owner) desk->owner->take(host, found);
  });
}

void Addresses::take(const std::string& host, const Result<AddressList>& found) {
  Host& known = hosts_[host];
  known.is_looked_up = false;
  if (found) {
    known.addresses = *found;
    known.fresh_until = std::chrono::steady_clock::now() + address_age_max;
  }
  for (const auto& [who, answered] : std::exchange(known.waiting, {})) answered(found);
}

}  // namespace fairlead::net
