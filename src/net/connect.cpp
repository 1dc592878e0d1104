#include "net/connect.h"

#include "net/cancel_scope.h"
#include "net/upstream_error.h"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <deque>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace fairlead::net {

namespace {

using asio::ip::tcp;
using boost::system::error_code;
using std::chrono::steady_clock;

constexpr std::chrono::milliseconds head_start{250};
constexpr std::chrono::milliseconds look_up_head_start{50};  ///< over addresses that are known and old

/// One race over the addresses of a host. Its handlers share it.
class Race : public std::enable_shared_from_this<Race> {
 public:
  Race(const Executor& executor, Addresses& addresses, std::string host, std::uint16_t port)
      : finish(executor), addresses_(addresses), host_(std::move(host)), port_(port), stagger_(executor) {}

  void start() {
    if (decided) return;
    error_code not_an_address;
    const asio::ip::address address = asio::ip::make_address(host_, not_an_address);
    if (!not_an_address) return add({address});
    looking_up_ = addresses_.refresh(host_, steady_clock::now(), this,
                                     [self = shared_from_this()](const Result<AddressList>& found) { self->on_look_up(found); });
    if (!looking_up_) return add(addresses_.known(host_));
    if (addresses_.known(host_).empty()) return;
    // It may be somebody else's by now, so that the look-up is given a moment.
    stagger_.expires_after(look_up_head_start);
    stagger_.async_wait([self = shared_from_this()](error_code ec) {
      if (!ec && !self->decided) self->add(self->addresses_.known(self->host_));
    });
  }

  void decide() {
    if (std::exchange(decided, true)) return;
    addresses_.leave(host_, this);
    stagger_.cancel();
    sockets_.clear();
    finish.cancel();
  }

  Timer finish;  ///< ends at the deadline, or when decided
  bool decided = false;
  std::optional<TcpSocket> winner;
  std::string failure;
  /// No provider was at fault. A name that nobody knows is overruled by what became of addresses that are known.
  bool own_lack() const { return lacked_ && !refused_; }

 private:
  void on_look_up(const Result<AddressList>& found) {
    looking_up_ = false;
    if (!found && failure.empty()) failure = found.error().detail();
    if (!found && found.error().kind == ErrorKind::overloaded) lacked_ = true;
    add(found ? *found : addresses_.known(host_));
  }

  /// Those that are new go behind the others.
  void add(const AddressList& addresses) {
    for (const asio::ip::address& address : addresses) {
      const tcp::endpoint endpoint(address, port_);
      if (std::find(endpoints_.begin(), endpoints_.end(), endpoint) == endpoints_.end()) endpoints_.push_back(endpoint);
    }
    if (pending_ == 0 || head_start_is_over_) try_next();
  }

  void try_next() {
    const std::size_t number = sockets_.size();
    if (number == endpoints_.size()) {
      if (pending_ == 0 && !looking_up_) decide();
      return;
    }
    sockets_.emplace_back(stagger_.get_executor());
    ++pending_;
    sockets_[number].async_connect(endpoints_[number],
                                   [self = shared_from_this(), number](error_code ec) { self->on_connect(number, ec); });
    head_start_is_over_ = false;
    stagger_.expires_after(head_start);
    stagger_.async_wait([self = shared_from_this(), next = number + 1](error_code ec) {
      if (ec || self->decided || self->sockets_.size() != next) return;
      self->head_start_is_over_ = true;
      self->try_next();
    });
  }

  void on_connect(std::size_t number, error_code ec) {
    if (decided) return;
    --pending_;
    if (!ec) {
      winner = std::move(sockets_[number]);
      return decide();
    }
    failure = ec.message();
    (is_own_lack(ec.value()) ? lacked_ : refused_) = true;
    try_next();
  }

  Addresses& addresses_;  ///< gone, perhaps, once decided
  std::string host_;
  std::uint16_t port_;
  bool lacked_ = false, refused_ = false;  ///< for want of something of ours; otherwise
  bool looking_up_ = false;                ///< more addresses may come
  Timer stagger_;
  bool head_start_is_over_ = false;  ///< that of the address tried last
  std::vector<tcp::endpoint> endpoints_;
  std::deque<TcpSocket> sockets_;  ///< of the endpoints tried so far
  int pending_ = 0;
};

}  // namespace

Task<Result<TcpSocket>> connect_tcp(Executor executor, Addresses& addresses, std::string host, std::uint16_t port,
                                    SteadyTime deadline, Cancel& cancel) {
  const auto race = std::make_shared<Race>(executor, addresses, host, port);
  const std::function<void()> give_up = [race] { race->decide(); };
  const CancelScope scope(cancel, give_up);

  race->start();
  race->finish.expires_at(deadline);
  error_code woken;
  if (!race->decided) co_await race->finish.async_wait(asio::redirect_error(asio::use_awaitable_t<Executor>(), woken));
  const bool in_time = race->decided;
  race->decide();

  if (cancel.requested()) co_return upstream_error(ErrorKind::app_gone, "connecting");
  if (!race->winner) {
    if (in_time && race->own_lack()) co_return upstream_error(ErrorKind::overloaded, "connecting: " + race->failure);
    addresses.doubt(host);
    if (!in_time) co_return upstream_error(ErrorKind::upstream_timeout, "connecting: the deadline passed");
    co_return upstream_error(ErrorKind::upstream_connect, "connecting: " + race->failure);
  }
  co_return std::move(*race->winner);
}

}  // namespace fairlead::net
