#include "net/connect.h"

#include "net/cancel_scope.h"
#include "net/upstream_error.h"

#include <boost/asio/ip/basic_resolver.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <memory>
#include <optional>

namespace fairlead::net {

namespace {

using asio::ip::tcp;
using boost::system::error_code;
using std::chrono::steady_clock;

constexpr std::chrono::seconds address_age_max{30};
constexpr std::chrono::milliseconds head_start{250};

std::string key_of(const std::string& host, std::uint16_t port) { return host + ':' + std::to_string(port); }

/// One race over the addresses of a host. Its handlers share it, so that a name server's late answer finds it alive.
class Race : public std::enable_shared_from_this<Race> {
 public:
  explicit Race(const Executor& executor) : finish(executor), resolver_(executor), stagger_(executor) {}

  /// `known`: lately looked up, or null.
  void start(const std::string& host, std::uint16_t port, const Endpoints* known) {
    if (decided) return;
    error_code not_an_address;
    const asio::ip::address address = asio::ip::make_address(host, not_an_address);
    if (!not_an_address) return run({{address, port}});
    if (known != nullptr) return run(*known);
    look_up(host, port);
  }

  void decide() {
    if (std::exchange(decided, true)) return;
    resolver_.cancel();
    stagger_.cancel();
    sockets_.clear();
    finish.cancel();
  }

  Timer finish;  ///< ends at the deadline, or when decided
  bool decided = false;
  std::optional<TcpSocket> winner;
  std::string failure;
  Endpoints looked_up;  ///< empty: no look-up was needed, or it failed

 private:
  void look_up(const std::string& host, std::uint16_t port) {
    resolver_.async_resolve(host, std::to_string(port), tcp::resolver::numeric_service,
                            [self = shared_from_this()](error_code ec, const tcp::resolver::results_type& found) {
                              if (self->decided) return;
                              if (ec) return self->lose("DNS: " + ec.message());
                              for (const auto& entry : found) self->looked_up.push_back(entry.endpoint());
                              self->run(self->looked_up);
                            });
  }

  void run(Endpoints endpoints) {
    endpoints_ = std::move(endpoints);
    if (endpoints_.empty()) return lose("DNS: no address");
    sockets_.reserve(endpoints_.size());
    try_next();
  }

  void lose(std::string why) {
    failure = std::move(why);
    decide();
  }

  void try_next() {
    const std::size_t number = sockets_.size();
    sockets_.emplace_back(stagger_.get_executor());
    ++pending_;
    sockets_[number].async_connect(endpoints_[number],
                                   [self = shared_from_this(), number](error_code ec) { self->on_connect(number, ec); });
    if (sockets_.size() == endpoints_.size()) return;
    stagger_.expires_after(head_start);
    stagger_.async_wait([self = shared_from_this(), next = number + 1](error_code ec) {
      if (!ec && !self->decided && self->sockets_.size() == next) self->try_next();
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
    if (sockets_.size() < endpoints_.size()) return try_next();
    if (pending_ == 0) decide();
  }

  asio::ip::basic_resolver<tcp, Executor> resolver_;
  Timer stagger_;
  Endpoints endpoints_;
  std::vector<TcpSocket> sockets_;
  int pending_ = 0;
};

}  // namespace

const Endpoints* Addresses::find(const std::string& host, std::uint16_t port, SteadyTime now) const {
  const auto found = known_.find(key_of(host, port));
  return found == known_.end() || found->second.until <= now ? nullptr : &found->second.endpoints;
}

void Addresses::remember(const std::string& host, std::uint16_t port, Endpoints endpoints, SteadyTime now) {
  known_.insert_or_assign(key_of(host, port), Known{std::move(endpoints), now + address_age_max});
}

void Addresses::forget(const std::string& host, std::uint16_t port) { known_.erase(key_of(host, port)); }

Task<Result<TcpSocket>> connect_tcp(Executor executor, Addresses& addresses, std::string host, std::uint16_t port,
                                    SteadyTime deadline, Cancel& cancel) {
  const auto race = std::make_shared<Race>(executor);
  const std::function<void()> give_up = [race] { race->decide(); };
  const CancelScope scope(cancel, give_up);

  race->start(host, port, addresses.find(host, port, steady_clock::now()));
  race->finish.expires_at(deadline);
  error_code woken;
  if (!race->decided) co_await race->finish.async_wait(asio::redirect_error(asio::use_awaitable_t<Executor>(), woken));
  const bool in_time = race->decided;
  race->decide();

  if (cancel.requested()) co_return upstream_error(ErrorKind::app_gone, "connecting");
  if (!race->winner) {
    addresses.forget(host, port);
    if (!in_time) co_return upstream_error(ErrorKind::upstream_timeout, "connecting: the deadline passed");
    co_return upstream_error(ErrorKind::upstream_connect, "connecting: " + race->failure);
  }
  if (!race->looked_up.empty()) addresses.remember(host, port, std::move(race->looked_up), steady_clock::now());
  co_return std::move(*race->winner);
}

}  // namespace fairlead::net
