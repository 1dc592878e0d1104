#include "simulator/connection.h"

#include <sys/socket.h>

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/write.hpp>
#include <cerrno>
#include <charconv>

namespace fairlead::simulator {
namespace {

using namespace asio::experimental::awaitable_operators;
using namespace std::chrono_literals;

constexpr auto patience = 10min;  // of an idle client, or one that takes nothing
constexpr std::size_t head_bytes_max = 64 << 10;
constexpr std::size_t body_bytes_max = 256 << 20;
constexpr std::size_t read_bytes = 4 << 10;
constexpr std::size_t read_bytes_of_body = 64 << 10;

}  // namespace

Connection::Connection(Socket socket) : socket_(std::move(socket)), timer_(socket_.get_executor()) {
  boost::system::error_code ignored;
  socket_.set_option(asio::ip::tcp::no_delay(true), ignored);
  socket_.non_blocking(true, ignored);
  refresh_patience();
}

void Connection::refresh_patience() { patience_until_ = std::chrono::steady_clock::now() + patience; }

Task<bool> Connection::read_more(std::size_t bytes) {
  refresh_patience();
  const std::size_t had = inbound_.size();
  inbound_.resize(had + bytes);
  const auto [error, received] = co_await socket_.async_read_some(asio::buffer(inbound_.data() + had, bytes), as_result);
  inbound_.resize(had + (error ? 0 : received));
  co_return !error;
}

Task<bool> Connection::refuse(int status) {
  const std::string head = answer_head(status, {{"content-length", "0"}, {"connection", "close"}});
  (void)co_await send(head);
  co_return false;
}

Task<bool> Connection::read(Request& request) {
  std::size_t end = 0;
  while ((end = inbound_.find("\r\n\r\n")) == std::string::npos) {
    if (inbound_.size() > head_bytes_max) co_return co_await refuse(431);
    if (const bool here = co_await read_more(read_bytes); !here) co_return false;
  }
  std::optional<Request> head = read_head(std::string_view(inbound_).substr(0, end + 4));
  inbound_.erase(0, end + 4);
  if (!head) co_return co_await refuse(400);
  request = std::move(*head);
  if (request.field("expect") == "100-continue") {
    if (const bool here = co_await send("HTTP/1.1 100 Continue\r\n\r\n"); !here) co_return false;
  }
  if (!request.field("transfer-encoding").empty()) co_return co_await read_chunked(request);
  co_return co_await read_body(request);
}

Task<bool> Connection::read_body(Request& request) {
  const std::string_view text = request.field("content-length");
  std::size_t length = 0;
  if (!text.empty()) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), length);
    if (error != std::errc{} || end != text.data() + text.size()) co_return co_await refuse(400);
  }
  if (length > body_bytes_max) co_return co_await refuse(413);
  while (inbound_.size() < length)
    if (const bool here = co_await read_more(std::min(length - inbound_.size(), read_bytes_of_body)); !here) co_return false;
  request.body = inbound_.substr(0, length);
  if (length == inbound_.size()) {
    inbound_ = {};  // an answer may take long, and there may be thousands of them
  } else {
    inbound_.erase(0, length);
  }
  co_return true;
}

Task<bool> Connection::read_chunked(Request& request) {
  ChunkReader reader;
  while (true) {
    inbound_.erase(0, reader.take(inbound_, request.body));
    if (reader.state() == ChunkReader::State::done) co_return true;
    if (reader.state() == ChunkReader::State::broken) co_return co_await refuse(400);
    if (request.body.size() > body_bytes_max) co_return co_await refuse(413);
    if (const bool here = co_await read_more(read_bytes_of_body); !here) co_return false;
  }
}

Task<bool> Connection::send(std::string_view bytes) {
  refresh_patience();
  const auto [error, sent] = co_await asio::async_write(socket_, asio::buffer(bytes.data(), bytes.size()), as_result);
  co_return !error && sent == bytes.size();
}

bool Connection::client_left() {
  if (!socket_.is_open()) return true;
  char byte = 0;
  const ssize_t n = ::recv(socket_.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  return n == 0 || (n < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR);
}

Task<bool> Connection::pause(std::chrono::milliseconds time) {
  refresh_patience();
  timer_.expires_after(time);
  const auto woken = co_await (timer_.async_wait(as_result) || socket_.async_wait(Socket::wait_read, as_result));
  if (client_left()) co_return false;
  if (woken.index() == 0) co_return !std::get<0>(std::get<0>(woken));
  // It has sent its next request already, so it has not left; its leaving then shows at the next write.
  const auto [error] = co_await timer_.async_wait(as_result);
  co_return !error;
}

void Connection::close() {
  boost::system::error_code ignored;
  socket_.shutdown(Socket::shutdown_both, ignored);
  socket_.close(ignored);
}

void Connection::reset() {
  boost::system::error_code ignored;
  socket_.set_option(asio::socket_base::linger(true, 0), ignored);
  socket_.close(ignored);
}

void Connection::stop() {
  boost::system::error_code ignored;
  socket_.close(ignored);
  timer_.cancel();
}

void AnswerWriter::head(int status, Fields fields, std::size_t body_bytes) {
  if (habit_.gzip) {
    fields.emplace_back("content-encoding", "gzip");
    framing_ = Framing::chunked;
  }
  if (framing_ == Framing::chunked) {
    fields.emplace_back("transfer-encoding", "chunked");
  } else {
    fields.emplace_back("content-length", std::to_string(body_bytes));
  }
  held_ += answer_head(status, fields);
  if (habit_.gzip) frame(Gzip::begin());
}

void AnswerWriter::body(std::string_view bytes) {
  if (habit_.gzip) {
    frame(gzip_.add(bytes));
  } else {
    frame(bytes);
  }
}

void AnswerWriter::frame(std::string_view bytes) {
  if (bytes.empty()) return;  // an empty chunk would be the end
  if (framing_ == Framing::length) {
    held_ += bytes;
    return;
  }
  char size[20];
  const auto [end, error] = std::to_chars(std::begin(size), std::end(size), bytes.size(), 16);
  held_.append(size, end);
  held_ += "\r\n";
  held_ += bytes;
  held_ += "\r\n";
}

void AnswerWriter::end() {
  if (habit_.gzip) frame(gzip_.end());
  if (framing_ == Framing::chunked) held_ += "0\r\n\r\n";
}

Task<bool> AnswerWriter::flush() {
  if (held_.empty()) co_return true;
  const std::string bytes = std::exchange(held_, {});
  if (!habit_.split) co_return co_await connection_.send(bytes);
  const std::string_view view = bytes;
  for (std::size_t i = 0; i < view.size(); ++i)
    if (const bool here = co_await connection_.send(view.substr(i, 1)); !here) co_return false;
  co_return true;
}

}  // namespace fairlead::simulator
