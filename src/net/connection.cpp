#include "net/connection.h"

#include "net/body.h"
#include "net/endpoint.h"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <array>
#include <utility>

namespace fairlead::net {
namespace {

constexpr std::size_t head_read_bytes = 4096;
constexpr std::uint64_t unasked_body_bytes_max = 64 << 10;  // read from anyone, so that a refusal leaves the connection in use
constexpr std::chrono::seconds memory_wait_max{10};
constexpr std::chrono::milliseconds memory_look_every{20};
constexpr std::size_t linger_bytes_max = 64 << 20;
constexpr std::chrono::milliseconds linger_ms_max{5000};

SteadyTime now() { return std::chrono::steady_clock::now(); }

std::string name_of(const TcpSocket& socket) {
  boost::system::error_code error;
  const auto peer = socket.remote_endpoint(error);
  return error ? "unknown" : text_of(peer);
}

/// Appends to a text what was read. The room is the thread's: nothing else runs between a read and its end.
class Appending final : public Room {
 public:
  Appending(std::string& text, std::size_t bytes_max) : text_(text), bytes_max_(std::min(bytes_max, room_bytes)) {}
  asio::mutable_buffer room() override { return {shared_.data(), bytes_max_}; }
  void release() override {
    if (text_.empty()) std::string().swap(text_);  // who waits for a next request holds none
  }
  void end(std::size_t bytes) { text_.append(shared_.data(), bytes); }

 private:
  static constexpr std::size_t room_bytes = 64 << 10;
  static thread_local std::array<char, room_bytes> shared_;
  std::string& text_;
  std::size_t bytes_max_;
};

thread_local std::array<char, Appending::room_bytes> Appending::shared_;

Error read_error(boost::system::error_code error) {
  if (error == asio::error::timed_out)
    return {ErrorKind::request_timeout, ErrorOrigin::app, "The request took too long to arrive."};
  return {ErrorKind::app_gone, ErrorOrigin::app, "The app is gone.", error.message()};
}

Error no_answer() { return {ErrorKind::internal, ErrorOrigin::fairlead, "Internal error.", "the handler gave no answer"}; }

}  // namespace

Connection::Connection(TcpSocket socket, std::shared_ptr<const TlsServer> tls, AppHandler& handler, HttpDate& date,
                       Lookout& lookout, BodyMemory& memory, ServerCounters& counters)
    : peer_(name_of(socket)),
      stream_(std::move(socket)),
      tls_(std::move(tls)),
      handler_(handler),
      date_(date),
      lookout_(lookout),
      memory_(memory),
      counters_(counters) {}

Task<void> Connection::run() {
  try {
    bool more = true;
    if (tls_) more = co_await shake_hands();
    while (more) {
      more = co_await await_request();
      if (more) more = co_await serve_request();
    }
  } catch (const std::exception&) {
    ++counters_.failures;
    answer_ = nullptr;
    stream_.reset();
  }
  stream_.close();
}

void Connection::drain() {
  draining_ = true;
  if (idle_ && !stream_.has_unread()) stream_.close();  // what has come is answered, as its app may have sent it before we closed
  if (answer_) answer_->close_after();
}

void Connection::hurry() {
  if (answer_)
    answer_->hurry();
  else
    stream_.reset();
}

void Connection::cancel() {
  if (answer_) answer_->give_up();
  stream_.reset();
}

Task<bool> Connection::shake_hands() {
  std::string why;
  stream_.set_deadline(now() + handler_.limits().head_ms_max);
  const auto error = co_await stream_.handshake_server(*tls_, why);
  tls_.reset();
  co_return !error;
}

Task<bool> Connection::await_request() {
  if (buffer_.empty()) {
    if (draining_) co_return false;
    idle_ = true;
    stream_.set_deadline(now() + handler_.limits().keep_alive_ms_max);
    Appending room(buffer_, head_read_bytes);  // as read_more() does, without a frame of its own
    const auto [error, bytes] = co_await stream_.read_some(room);
    room.end(bytes);
    idle_ = false;
    if (error) co_return false;
  }
  arrived_at_ = now();
  co_return true;
}

// One request from its first byte to the end of its answer. True if another may follow.
Task<bool> Connection::serve_request() {
  auto request = std::make_unique<AppRequest>();
  request->peer = peer_;
  request->memory = BodyMemory::Share(memory_);
  AnswerForm form;
  std::optional<Result<bool>> wanted = take_request(*request, form);
  if (!wanted) wanted = co_await read_request(*request, form);
  if (!*wanted) {
    const Error error = wanted->error();
    co_await refuse(error, form.write_ms_max);
    co_return false;
  }
  // From here on the request is whole, and what is left in the buffer is the next one's; or nobody wants its body.
  if (!**wanted) draining_ = true;
  if (draining_) form.keep_alive = false;
  SocketAnswer answer(stream_, date_, lookout_, form);
  stream_.clear_deadline();
  answer_ = &answer;
  try {
    co_await handler_.handle(std::move(request), answer);
  } catch (const std::exception&) {
    ++counters_.failures;
  }
  answer.forget_cancel();
  if (answer.unanswered()) co_await say_error(answer, no_answer());
  answer_ = nullptr;
  if (!answer.complete()) answer.abort();
  if (answer.keep_alive()) co_return true;
  if (!**wanted || (answer.complete() && (!buffer_.empty() || !stream_.is_quiet()))) co_await linger();
  co_return false;
}

/// Out of the buffer. Empty: it is not whole yet, and more is to be read.
std::optional<Result<bool>> Connection::take_request(AppRequest& request, AnswerForm& form) {
  const Limits limits = handler_.limits();
  form.write_ms_max = limits.write_ms_max;
  std::size_t looked_at = 0;
  Head head;
  const std::optional<Result<void>> taken = take_head(looked_at, limits, head, request);
  if (!taken) return std::nullopt;
  if (!*taken) return taken->error();
  form.follow(head);
  std::optional<Result<bool>> body = take_body(head, request, limits);
  if (!body) unfinished_ = std::make_unique<Head>(std::move(head));
  return body;
}

/// The rest of what take_request() found not to be whole. False: nobody wants its body, and what came of it was dropped.
Task<Result<bool>> Connection::read_request(AppRequest& request, AnswerForm& form) {
  const Limits limits = handler_.limits();
  stream_.set_deadline(arrived_at_ + limits.head_ms_max);
  if (const std::unique_ptr<Head> head = std::move(unfinished_); head) co_return co_await read_body(*head, request, limits);
  Head head;
  std::size_t looked_at = buffer_.size();
  while (request.method.empty()) {
    if (auto more = co_await read_more(head_read_bytes); !more) co_return more.error();
    const std::optional<Result<void>> taken = take_head(looked_at, limits, head, request);
    if (taken && !*taken) co_return taken->error();
  }
  form.follow(head);
  if (auto taken = take_body(head, request, limits); taken) co_return *taken;
  co_return co_await read_body(head, request, limits);
}

Task<void> Connection::say_error(SocketAnswer& answer, Error error) {
  const WholeAnswer told = handler_.error_answer(error);
  const std::array<std::string_view, 1> pieces{told.body};
  co_await answer.send(told.status, told.fields, pieces);
}

/// Out of the buffer, into `request`, whose views then point to its own `head`. Empty: it is not whole yet.
std::optional<Result<void>> Connection::take_head(std::size_t& looked_at, const Limits& limits, Head& head, AppRequest& request) {
  const Result<std::size_t> end = find_head_end(buffer_, looked_at);
  if (!end) return end.error();
  if (std::max(*end, *end == 0 ? buffer_.size() : 0) > limits.head_bytes_max)
    return Error(ErrorKind::head_too_large, ErrorOrigin::app,
                 "The request's head is too large: limits.head_bytes_max is " + std::to_string(limits.head_bytes_max) + " bytes.");
  looked_at = buffer_.size();
  if (*end == 0) return std::nullopt;
  request.head = buffer_.substr(0, *end);
  buffer_.erase(0, *end);
  Result<Head> parsed = parse_head(request.head);
  if (!parsed) return parsed.error();
  head = std::move(*parsed);
  request.method = head.method;
  request.path = head.path;
  request.query = head.query;
  request.fields = std::move(head.fields);
  return boost::system::in_place_value;
}

/// Into `request`, of what came with the head: mostly that is all. Empty: it is not, or the handler is to be asked first.
std::optional<Result<bool>> Connection::take_body(const Head& head, AppRequest& request, const Limits& limits) {
  Result<BodyReader> body = BodyReader::make(head, limits.body_bytes_max);
  if (!body) return body.error();
  if (body->compressed() || body->size_known() > unasked_body_bytes_max || !body->ends_within(buffer_.size())) return std::nullopt;
  const Result<std::size_t> taken = body->feed(buffer_);
  if (!taken) return taken.error();
  if (*taken == buffer_.size())
    std::string().swap(buffer_);  // an answer may stream for minutes, and assigning would keep the room
  else
    buffer_.erase(0, *taken);
  request.body = body->take();
  return true;
}

/// Into `request`. False: nobody wants it, and what came of it was dropped. What was taken is covered before more is, and at the
/// end; nothing is inflated for who has no business here, as few bytes may become many.
Task<Result<bool>> Connection::read_body(const Head& head, AppRequest& request, const Limits& limits) {
  Result<BodyReader> body = BodyReader::make(head, limits.body_bytes_max);
  if (!body) co_return body.error();
  bool wanted = false;
  stream_.set_deadline(now() + limits.body_ms_max);
  for (bool first = true;; first = false) {
    const bool large = body->size_known() > unasked_body_bytes_max;
    if (large || body->compressed()) {
      wanted = wanted || handler_.wants_body(request);
      if (!wanted) co_return false;
    }
    if (large && !request.memory.cover(body->size_known(), limits.bodies_bytes_max)) {
      const auto covered = co_await await_memory(request.memory, body->size_known(), limits);
      if (!covered) co_return covered.error();
      stream_.set_deadline(now() + limits.body_ms_max);
    }
    if (body->finished()) break;
    if (first && head.expect_continue && buffer_.empty()) {
      if (auto said = co_await say_continue(limits); !said) co_return said.error();
    }
    if (buffer_.empty() && body->direct()) {
      const auto [error, bytes] = co_await stream_.read_some(*body->direct());
      body->took(bytes);
      if (error) co_return read_error(error);
      continue;
    }
    if (buffer_.empty()) {
      if (auto more = co_await read_more(body->wanted()); !more) co_return more.error();
    }
    const Result<std::size_t> taken = body->feed(buffer_);
    if (!taken) co_return taken.error();
    buffer_.erase(0, *taken);
  }
  if (buffer_.empty()) std::string().swap(buffer_);
  request.body = body->take();
  co_return true;
}

/// Other requests end and give theirs back; meanwhile nothing is read, and so the app waits.
Task<Result<void>> Connection::await_memory(BodyMemory::Share& share, std::size_t bytes, const Limits& limits) {
  Timer timer(stream_.executor());
  const SteadyTime until = now() + std::min<Milliseconds>(memory_wait_max, limits.body_ms_max);
  while (!share.cover(bytes, limits.bodies_bytes_max)) {
    if (draining_ || now() >= until)
      co_return Error(ErrorKind::overloaded, ErrorOrigin::fairlead, "Too many large requests are under way; try again.");
    timer.expires_after(memory_look_every);
    boost::system::error_code ignored;
    co_await timer.async_wait(asio::redirect_error(asio::use_awaitable_t<Executor>(), ignored));
  }
  co_return Result<void>();
}

Task<Result<void>> Connection::say_continue(const Limits& limits) {
  const std::array<std::string_view, 1> pieces{"HTTP/1.1 100 Continue\r\n\r\n"};
  stream_.set_deadline(now() + limits.body_ms_max);
  const auto [error, written] = co_await stream_.write(pieces);
  if (error) co_return Error(ErrorKind::app_gone, ErrorOrigin::app, "The app is gone.", error.message());
  co_return Result<void>();
}

/// Appends at least one byte to the buffer, before the deadline.
Task<Result<void>> Connection::read_more(std::size_t bytes_max) {
  Appending room(buffer_, bytes_max);
  const auto [error, bytes] = co_await stream_.read_some(room);
  room.end(bytes);
  if (error) co_return read_error(error);
  co_return Result<void>();
}

/// Answers what never became a request, and closes: what follows on the connection cannot be trusted.
Task<void> Connection::refuse(const Error& error, Milliseconds write_ms_max) {
  buffer_.clear();
  if (error.kind == ErrorKind::app_gone) co_return;
  const AnswerForm form{false, false, false, write_ms_max};
  SocketAnswer answer(stream_, date_, lookout_, form);
  co_await say_error(answer, error);
  if (answer.complete()) co_await linger();
}

/// Closing with unread bytes would send a RST, which can destroy the answer on its way: so the rest is read and dropped, for a
/// while.
Task<void> Connection::linger() {
  stream_.shutdown_write();
  stream_.set_deadline(now() + linger_ms_max);
  for (std::size_t dropped = 0; dropped < linger_bytes_max; dropped += buffer_.size()) {
    buffer_.clear();
    if (auto more = co_await read_more(head_read_bytes); !more) co_return;
  }
}

}  // namespace fairlead::net
