// Load for a server of OpenAI's chat API: one thread, connections kept alive, edge-triggered epoll.
//   closed loop (by default)  each connection sends its next request as soon as its answer is whole
//   open loop (--rate)        request i is due at the start + i / rate, and its latency counts from then, though every connection
//   may have
//                             been busy: a stall is charged to all requests that it held up (no coordinated omission)
// Prints one JSON object, with the CPU time that watched processes took while it measured and their memory at the end.
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <deque>
#include <iostream>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "clock.h"
#include "histogram.h"
#include "http_reader.h"
#include "load_options.h"
#include "token_clock.h"

namespace {

struct Connection {
  int fd = -1;
  bool up = false;
  bool busy = false;
  HttpReader answer;
  std::size_t sent = 0;
  std::uint64_t due_ns = 0;
  std::uint64_t first_ns = 0;  ///< of the answer's body
  std::uint64_t last_ns = 0;
  std::string end;  ///< the last bytes of a stream, where [DONE] is to be
  TokenClock tokens;
};

/// What is counted while it measures.
struct Counts {
  Histogram first_byte;
  Histogram latency;
  Histogram gap;          ///< between two reads of a stream
  Histogram token_delay;  ///< from the mock's write
  std::map<std::string, std::uint64_t> statuses;
  std::uint64_t requests = 0;
  std::uint64_t errors = 0;
  std::uint64_t late = 0;  ///< of an open loop: no connection was free when it was due
  std::uint64_t tokens = 0;
  std::uint64_t active_min = std::numeric_limits<std::uint64_t>::max();
};

sockaddr_in address_of(const std::string& host) {
  const std::size_t colon = host.find(':');
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(std::stoi(host.substr(colon + 1))));
  if (inet_pton(AF_INET, host.substr(0, colon).c_str(), &address.sin_addr) != 1)
    throw std::invalid_argument(host + " is not an address in digits");
  return address;
}

double cpu_us_of_self() {
  rusage used{};
  getrusage(RUSAGE_SELF, &used);
  const auto us = [](const timeval& time) { return static_cast<double>(time.tv_sec) * 1e6 + static_cast<double>(time.tv_usec); };
  return us(used.ru_utime) + us(used.ru_stime);
}

std::uint64_t ns_of(double seconds) { return static_cast<std::uint64_t>(seconds * 1e9); }

class Load {
 public:
  explicit Load(LoadOptions options)
      : options_(std::move(options)),
        request_(bytes_of(options_.request)),
        address_(address_of(options_.request.host)),
        epoll_(epoll_create1(EPOLL_CLOEXEC)),
        connections_(options_.connections),
        period_ns_(options_.rate > 0 ? ns_of(1 / options_.rate) : 0) {}

  nlohmann::json run() {
    start_ns_ = now_ns();
    measure_ns_ = start_ns_ + ns_of(options_.ramp_seconds + options_.warmup_seconds);
    const std::uint64_t end_ns = measure_ns_ + ns_of(options_.seconds);
    next_due_ns_ = start_ns_ + ns_of(options_.ramp_seconds);
    std::vector<epoll_event> events(512);
    for (std::uint64_t now = start_ns_; now < end_ns && !sent_enough(); now = now_ns()) {
      std::uint64_t wake_ns = std::min({end_ns, open_due(now), start_due(now)});
      if (!measuring_ && now >= measure_ns_) begin_to_measure();
      if (measuring_)
        counts_.active_min = std::min(counts_.active_min, active_);
      else
        wake_ns = std::min(wake_ns, measure_ns_);
      wait(events, wake_ns > now ? wake_ns - now : 0);
    }
    return result();
  }

 private:
  bool sent_enough() const { return options_.requests > 0 && finished_ >= options_.requests; }

  void begin_to_measure() {
    measuring_ = true;
    own_cpu_us_ = cpu_us_of_self();
    for (Watch& watch : options_.watches) watch.cpu_ns_before = cpu_ns(watch);
  }

  /// Opens the connections that are due, and tells when the next is.
  std::uint64_t open_due(std::uint64_t now) {
    for (; opened_ < connections_.size(); ++opened_) {
      const double share = static_cast<double>(opened_) / static_cast<double>(connections_.size());
      const std::uint64_t at = start_ns_ + ns_of(options_.ramp_seconds * share);
      if (at > now) return at;
      open(connections_[opened_]);
    }
    return std::numeric_limits<std::uint64_t>::max();
  }

  /// Starts the requests of an open loop that are due, and tells when the next is.
  std::uint64_t start_due(std::uint64_t now) {
    if (period_ns_ == 0) return std::numeric_limits<std::uint64_t>::max();
    for (; next_due_ns_ <= now; next_due_ns_ += period_ns_) {
      backlog_.push_back(next_due_ns_);
      if (measuring_ && idle_.empty()) ++counts_.late;
      start_backlog();
    }
    return next_due_ns_;
  }

  void start_backlog() {
    while (!idle_.empty() && !backlog_.empty()) {
      Connection& connection = *idle_.front();
      idle_.pop_front();
      const std::uint64_t due_ns = backlog_.front();
      backlog_.pop_front();
      start(connection, due_ns);
    }
  }

  void open(Connection& connection) {
    connection = Connection{};
    connection.fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (connection.fd < 0) throw std::runtime_error("no socket is left: see ulimit -n");
    const int on = 1;
    setsockopt(connection.fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    connect(connection.fd, reinterpret_cast<const sockaddr*>(&address_), sizeof address_);
    epoll_event event{};
    event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
    event.data.ptr = &connection;
    epoll_ctl(epoll_, EPOLL_CTL_ADD, connection.fd, &event);
  }

  void reopen(Connection& connection) {
    close(connection.fd);
    open(connection);
  }

  void start(Connection& connection, std::uint64_t due_ns) {
    if (options_.requests > 0 && started_ == options_.requests) return;
    ++started_;
    ++active_;
    connection.busy = true;
    connection.due_ns = due_ns;
    connection.first_ns = 0;
    connection.sent = 0;
    connection.tokens = TokenClock{};
    connection.end.clear();
    connection.answer.reset();
    write(connection);
  }

  /// A connection without a request: of a closed loop it starts one at once.
  void rest(Connection& connection, std::uint64_t now) {
    if (period_ns_ == 0) return start(connection, now);
    idle_.push_back(&connection);
    start_backlog();
  }

  void write(Connection& connection) const {
    while (connection.sent < request_.size()) {
      const ssize_t sent = send(connection.fd, request_.data() + connection.sent, request_.size() - connection.sent, MSG_NOSIGNAL);
      if (sent <= 0) return;
      connection.sent += static_cast<std::size_t>(sent);
    }
  }

  void wait(std::vector<epoll_event>& events, std::uint64_t ns) {
    const timespec limit{static_cast<time_t>(ns / 1'000'000'000), static_cast<long>(ns % 1'000'000'000)};
    const int count = epoll_pwait2(epoll_, events.data(), static_cast<int>(events.size()), &limit, nullptr);
    for (int i = 0; i < count; ++i) take(events[static_cast<std::size_t>(i)]);
  }

  void take(const epoll_event& event) {
    Connection& connection = *static_cast<Connection*>(event.data.ptr);
    const bool broken = (event.events & (EPOLLERR | EPOLLHUP)) != 0;
    if (!connection.up && !broken && (event.events & EPOLLOUT) != 0) {
      connection.up = true;
      rest(connection, now_ns());
    } else if (connection.busy && (event.events & EPOLLOUT) != 0) {
      write(connection);
    }
    if (broken || (event.events & (EPOLLIN | EPOLLRDHUP)) != 0) {
      if (!connection.busy) std::erase(idle_, &connection);
      read(connection);
    }
  }

  void read(Connection& connection) {
    for (;;) {
      const ssize_t read = recv(connection.fd, buffer_.data(), buffer_.size(), 0);
      if (read < 0 && errno == EAGAIN) return;
      if (read <= 0) return lose(connection);
      const std::uint64_t now = now_ns();
      connection.answer.feed(std::string_view(buffer_.data(), static_cast<std::size_t>(read)),
                             [&](std::string_view piece) { take_body(connection, piece, now); });
      const int fd = connection.fd;
      if (connection.busy && connection.answer.done()) finish(connection, now);
      if (connection.fd != fd || static_cast<std::size_t>(read) < buffer_.size()) return;
    }
  }

  void take_body(Connection& connection, std::string_view piece, std::uint64_t now) {
    if (connection.first_ns == 0)
      connection.first_ns = now;
    else if (measuring_ && options_.request.stream && connection.last_ns != now)
      counts_.gap.add(now - connection.last_ns);
    connection.last_ns = now;
    if (!options_.request.stream) return;
    connection.tokens.feed(piece, [&](std::uint64_t sent_ns) {
      if (!measuring_) return;
      counts_.token_delay.add(now > sent_ns ? now - sent_ns : 0);
      ++counts_.tokens;
    });
    connection.end.append(piece.substr(piece.size() - std::min<std::size_t>(piece.size(), 32)));
    if (connection.end.size() > 96) connection.end.erase(0, connection.end.size() - 64);
  }

  /// The connection broke.
  void lose(Connection& connection) {
    if (measuring_ && (connection.busy || !connection.up)) ++counts_.errors;
    if (connection.busy) {
      --active_;
      ++finished_;
    }
    reopen(connection);
  }

  void finish(Connection& connection, std::uint64_t now) {
    const int status = connection.answer.status();
    const bool ok = status == 200 && (!options_.request.stream || connection.end.find("[DONE]") != std::string::npos);
    if (measuring_) {
      ++(ok ? counts_.requests : counts_.errors);
      ++counts_.statuses[std::to_string(status)];
      if (ok) counts_.first_byte.add(connection.first_ns - connection.due_ns);
      if (ok) counts_.latency.add(now - connection.due_ns);
    }
    connection.busy = false;
    --active_;
    ++finished_;
    if (connection.answer.closes()) return reopen(connection);
    rest(connection, now);
  }

  nlohmann::json result() const {
    const double seconds = static_cast<double>(now_ns() - measure_ns_) / 1e9;
    nlohmann::json result = {{"seconds", seconds},
                             {"requests", counts_.requests},
                             {"requests_per_second", static_cast<double>(counts_.requests) / seconds},
                             {"errors", counts_.errors},
                             {"late", counts_.late},
                             {"statuses", counts_.statuses},
                             {"tokens", counts_.tokens},
                             {"active_min", measuring_ ? counts_.active_min : 0},
                             {"active_end", active_},
                             {"first_byte_us", counts_.first_byte.summary()},
                             {"latency_us", counts_.latency.summary()},
                             {"gap_us", counts_.gap.summary()},
                             {"token_delay_us", counts_.token_delay.summary()},
                             {"load_cpu_us", cpu_us_of_self() - own_cpu_us_}};
    for (const Watch& watch : options_.watches)
      result[watch.name] = {{"cpu_us", static_cast<double>(cpu_ns(watch) - watch.cpu_ns_before) / 1e3},
                            {"rss_kib", memory_kib(watch, "Rss:")},
                            {"pss_kib", memory_kib(watch, "Pss:")}};
    return result;
  }

  LoadOptions options_;
  const std::string request_;
  const sockaddr_in address_;
  const int epoll_;
  std::vector<Connection> connections_;
  std::deque<Connection*> idle_;       ///< of an open loop
  std::deque<std::uint64_t> backlog_;  ///< when the requests were due for which no connection was free
  const std::uint64_t period_ns_;
  std::uint64_t start_ns_ = 0;
  std::uint64_t measure_ns_ = 0;
  std::uint64_t next_due_ns_ = 0;
  std::size_t opened_ = 0;
  std::uint64_t started_ = 0;
  std::uint64_t finished_ = 0;
  std::uint64_t active_ = 0;
  bool measuring_ = false;
  double own_cpu_us_ = 0;
  Counts counts_;
  std::array<char, 64 << 10> buffer_{};
};

}  // namespace

int main(int argc, char** argv) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  prctl(PR_SET_TIMERSLACK, 1);
  try {
    Load load(load_options(argc, argv));
    std::cout << load.run() << '\n';
  } catch (const std::exception& error) {
    std::cerr << "load: " << error.what() << '\n';
    return 1;
  }
}
