// A very cheap imitation of a server of OpenAI's chat API: one thread, edge-triggered epoll, plain and TLS.
//   POST (any path)      a body with "stream":true is answered by a stream of events, any other by one JSON object
//   GET /config?k=v&...  changes the settings (MockSettings); answers with counts
// It prints its two ports as one line of JSON, and ends with its parent.
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <array>
#include <cerrno>
#include <csignal>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <queue>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <unordered_map>
#include <vector>

#include "clock.h"
#include "http_reader.h"
#include "mock_answers.h"

namespace {

struct Options {
  std::string certificate;
  std::string key;
  MockSettings settings;
};

struct CloseSsl {
  void operator()(SSL* ssl) const { SSL_free(ssl); }
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
};

/// What is under way on a connection.
enum class Turn { idle, buffered, streaming };

struct Connection {
  Connection(int socket, std::uint64_t number) : fd(socket), id(number) {}
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection() {
    ssl.reset();
    close(fd);
  }

  int fd;
  std::uint64_t id;
  std::unique_ptr<SSL, CloseSsl> ssl;
  HttpReader request;
  std::string seen;  ///< the parts of the body that are searched for "stream":true
  std::string out;
  Turn turn = Turn::idle;
  long sent_chunks = 0;
  std::uint64_t due_ns = 0;
};

/// Names its connection by number, so that one whose connection is gone does no harm.
struct Timer {
  std::uint64_t due_ns;
  std::uint64_t id;
  bool operator>(const Timer& other) const { return due_ns > other.due_ns; }
};

constexpr std::size_t searched_bytes = 4096;  // at either end of a body

bool wants_stream(std::string_view body) {
  static constexpr std::string_view name = "\"stream\"";
  for (std::size_t at = body.find(name); at != std::string_view::npos; at = body.find(name, at)) {
    at = std::min(body.find_first_not_of(" :", at + name.size()), body.size());
    if (body.substr(at).starts_with("true")) return true;
  }
  return false;
}

[[noreturn]] void fail(const char* what) { throw std::system_error(errno, std::generic_category(), what); }

int listen_on_any_port() {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 || listen(fd, 8192) != 0) fail("listen");
  return fd;
}

int port_of(int fd) {
  sockaddr_in address{};
  socklen_t size = sizeof address;
  if (getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0) fail("getsockname");
  return ntohs(address.sin_port);
}

std::unique_ptr<SSL_CTX, CloseSsl> tls_of(const Options& options) {
  std::unique_ptr<SSL_CTX, CloseSsl> context(SSL_CTX_new(TLS_server_method()));
  SSL_CTX_set_read_ahead(context.get(), 1);
  SSL_CTX_set_mode(context.get(), SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
  if (SSL_CTX_use_certificate_chain_file(context.get(), options.certificate.c_str()) != 1 ||
      SSL_CTX_use_PrivateKey_file(context.get(), options.key.c_str(), SSL_FILETYPE_PEM) != 1)
    throw std::runtime_error("the certificate or its key cannot be loaded");
  return context;
}

class Mock {
 public:
  explicit Mock(const Options& options)
      : settings_(options.settings), answers_(settings_), tls_(tls_of(options)), epoll_(epoll_create1(EPOLL_CLOEXEC)) {
    for (std::uint64_t id = 0; id < listeners_.size(); ++id) {
      listeners_[id] = listen_on_any_port();
      watch(listeners_[id], id, EPOLLIN);
    }
    std::cout << nlohmann::json({{"port", port_of(listeners_[0])}, {"tls_port", port_of(listeners_[1])}}) << std::endl;
  }

  [[noreturn]] void run() {
    std::vector<epoll_event> events(512);
    for (;;) {
      const int count = wait(events);
      for (int i = 0; i < count; ++i) take(events[static_cast<std::size_t>(i)]);
      fire_timers();
    }
  }

 private:
  void watch(int fd, std::uint64_t id, std::uint32_t what) const {
    epoll_event event{};
    event.events = what;
    event.data.u64 = id;
    if (epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event) != 0) fail("epoll_ctl");
  }

  int wait(std::vector<epoll_event>& events) const {
    timespec until_due{};
    if (!timers_.empty()) {
      const std::uint64_t now = now_ns();
      const std::uint64_t left = timers_.top().due_ns > now ? timers_.top().due_ns - now : 0;
      until_due = {static_cast<time_t>(left / 1'000'000'000), static_cast<long>(left % 1'000'000'000)};
    }
    return epoll_pwait2(epoll_, events.data(), static_cast<int>(events.size()), timers_.empty() ? nullptr : &until_due, nullptr);
  }

  void take(const epoll_event& event) {
    const std::uint64_t id = event.data.u64;
    if (id < listeners_.size()) return accept_one(id);
    const auto found = connections_.find(id);
    if (found == connections_.end()) return;
    Connection& connection = *found->second;
    bool alive = (event.events & (EPOLLERR | EPOLLHUP)) == 0;
    if (alive && (event.events & (EPOLLIN | EPOLLRDHUP)) != 0) alive = read(connection);
    if (alive && (event.events & EPOLLOUT) != 0 && !connection.out.empty()) proceed(connection, now_ns());
    if (!alive) connections_.erase(found);
  }

  void accept_one(std::uint64_t listener) {
    const int fd = accept4(listeners_[listener], nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) return;
    const int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    auto connection = std::make_unique<Connection>(fd, next_id_++);
    if (listener == 1) {
      connection->ssl.reset(SSL_new(tls_.get()));
      SSL_set_fd(connection->ssl.get(), fd);
      SSL_set_accept_state(connection->ssl.get());
    }
    ++accepted_;
    watch(fd, connection->id, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET);
    connections_.emplace(connection->id, std::move(connection));
  }

  void fire_timers() {
    for (const std::uint64_t now = now_ns(); !timers_.empty() && timers_.top().due_ns <= now;) {
      const auto found = connections_.find(timers_.top().id);
      timers_.pop();
      if (found != connections_.end()) proceed(*found->second, now);
    }
  }

  /// False: the connection is over.
  bool read(Connection& connection) {
    for (;;) {
      // A long plain body is dropped inside the kernel, uncopied, up to the end that is searched.
      const std::uint64_t left = connection.request.left();
      if (!connection.ssl && connection.request.state() == HttpReader::State::length && connection.seen.size() >= searched_bytes &&
          left > searched_bytes) {
        const ssize_t dropped = recv(connection.fd, nullptr, static_cast<std::size_t>(left - searched_bytes), MSG_TRUNC);
        if (dropped <= 0) return dropped < 0 && errno == EAGAIN;
        connection.request.skip(static_cast<std::uint64_t>(dropped));
        continue;
      }
      const int size = static_cast<int>(buffer_.size());
      const int read = connection.ssl ? SSL_read(connection.ssl.get(), buffer_.data(), size)
                                      : static_cast<int>(recv(connection.fd, buffer_.data(), buffer_.size(), 0));
      if (read <= 0) return connection.ssl ? wants_more(connection, read) : read < 0 && errno == EAGAIN;
      take_bytes(connection, std::string_view(buffer_.data(), static_cast<std::size_t>(read)));
      if (!connection.ssl && read < size) return true;  // drained
    }
  }

  static bool wants_more(const Connection& connection, int result) {
    const int error = SSL_get_error(connection.ssl.get(), result);
    ERR_clear_error();
    return error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE;
  }

  void take_bytes(Connection& connection, std::string_view bytes) {
    while (!bytes.empty()) {
      bytes.remove_prefix(connection.request.feed(bytes, [&connection](std::string_view piece) {
        const std::size_t first = std::min(piece.size(), searched_bytes - std::min(searched_bytes, connection.seen.size()));
        const std::uint64_t left = connection.request.left();
        const std::uint64_t unsearched = left > searched_bytes ? left - searched_bytes : 0;
        const std::size_t last = std::max(first, static_cast<std::size_t>(std::min<std::uint64_t>(piece.size(), unsearched)));
        connection.seen.append(piece.substr(0, first)).append(piece.substr(last));
      }));
      if (connection.request.done()) answer(connection, now_ns());
    }
  }

  void answer(Connection& connection, std::uint64_t now) {
    const std::string& head = connection.request.head();
    if (head.starts_with("POST")) {
      ++requests_;
      connection.turn = wants_stream(connection.seen) ? Turn::streaming : Turn::buffered;
      connection.sent_chunks = 0;
      connection.due_ns = now + static_cast<std::uint64_t>(settings_.delay_us) * 1000;
    } else {
      const std::string target = head.substr(0, head.find(" HTTP/"));
      if (const std::size_t query = target.find('?'); query != std::string::npos)
        settings_.take(std::string_view(target).substr(query + 1));
      answers_ = MockAnswers(settings_);
      connection.out =
          json_response(nlohmann::json({{"requests", requests_}, {"accepted", accepted_}, {"open", connections_.size()}}).dump());
    }
    connection.seen.clear();
    connection.request.reset();
    proceed(connection, now);
  }

  void proceed(Connection& connection, std::uint64_t now) {
    while (flush(connection) && connection.turn != Turn::idle) {
      if (now < connection.due_ns) return timers_.push({connection.due_ns, connection.id});
      if (connection.turn == Turn::buffered) {
        connection.turn = Turn::idle;
        connection.out = answers_.buffered();
      } else {
        append_chunks(connection);
        if (settings_.interval_us > 0) now = now_ns();
      }
    }
  }

  void append_chunks(Connection& connection) const {
    if (connection.sent_chunks == 0) connection.out = answers_.stream_head();
    const long last = std::min(settings_.chunks, connection.sent_chunks + (settings_.interval_us > 0 ? 1 : settings_.per_write));
    for (; connection.sent_chunks < last; ++connection.sent_chunks) answers_.append_chunk(connection.out, now_ns());
    if (connection.sent_chunks >= settings_.chunks) {
      connection.out += answers_.stream_end();
      connection.turn = Turn::idle;
    }
    connection.due_ns += static_cast<std::uint64_t>(settings_.interval_us) * 1000;
  }

  /// True: all is out.
  static bool flush(Connection& connection) {
    std::string_view rest = connection.out;
    while (!rest.empty()) {
      const ssize_t sent = connection.ssl ? SSL_write(connection.ssl.get(), rest.data(), static_cast<int>(rest.size()))
                                          : send(connection.fd, rest.data(), rest.size(), MSG_NOSIGNAL);
      if (sent <= 0) break;
      rest.remove_prefix(static_cast<std::size_t>(sent));
    }
    connection.out.erase(0, connection.out.size() - rest.size());
    return connection.out.empty();
  }

  MockSettings settings_;
  MockAnswers answers_;
  std::unique_ptr<SSL_CTX, CloseSsl> tls_;
  int epoll_;
  std::array<int, 2> listeners_{};  // plain and TLS; their numbers in epoll are 0 and 1
  std::uint64_t next_id_ = 2;
  std::unordered_map<std::uint64_t, std::unique_ptr<Connection>> connections_;
  std::priority_queue<Timer, std::vector<Timer>, std::greater<>> timers_;
  std::array<char, 16 << 10> buffer_{};
  std::uint64_t requests_ = 0;
  std::uint64_t accepted_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
  Options options;
  std::string settings;
  CLI::App app("A cheap upstream to measure with");
  app.add_option("--certificate", options.certificate, "PEM")->required();
  app.add_option("--key", options.key, "PEM")->required();
  app.add_option("--settings", settings, "as the query of GET /config");
  CLI11_PARSE(app, argc, argv);
  options.settings.take(settings);
  std::signal(SIGPIPE, SIG_IGN);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  prctl(PR_SET_TIMERSLACK, 1);
  try {
    Mock(options).run();
  } catch (const std::exception& error) {
    std::cerr << "mock_upstream: " << error.what() << '\n';
    return 1;
  }
}
