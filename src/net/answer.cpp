#include "net/answer.h"

#include "net/field.h"
#include "net/head_writer.h"

#include <boost/beast/http/status.hpp>

#include <charconv>

namespace fairlead::net {
namespace {

constexpr std::string_view last_chunk = "0\r\n\r\n";
constexpr std::string_view end_of_chunk = "\r\n";
constexpr std::string_view end_of_chunk_and_body = "\r\n0\r\n\r\n";

Error app_gone(std::string detail) { return {ErrorKind::app_gone, ErrorOrigin::app, "The app is gone.", std::move(detail)}; }
Error out_of_turn() { return {ErrorKind::internal, ErrorOrigin::fairlead, "Internal error.", "an answer was given out of turn"}; }

std::size_t bytes_of(std::span<const std::string_view> pieces) {
  std::size_t bytes = 0;
  for (std::string_view piece : pieces) bytes += piece.size();
  return bytes;
}

Task<Result<void>> ended_at_once(Result<void> result) { co_return result; }

bool has_body(int status) { return status != 204 && status != 304; }

}  // namespace

thread_local Pieces SocketAnswer::gathered_;

void SocketAnswer::make_head(int status, const Fields& fields, std::optional<std::size_t> length) {
  const std::string_view reason =
      boost::beast::http::obsolete_reason(boost::beast::http::int_to_status(static_cast<unsigned>(status)));
  constexpr std::size_t without_fields_max = 256;
  std::size_t bytes_max = without_fields_max;
  for (const auto& [name, value] : fields) bytes_max += HeadWriter::bytes_of_field(name, value);
  HeadWriter head(head_, bytes_max);
  head.text("HTTP/1.1 ").number(static_cast<unsigned>(status)).text(" ").text(reason).text("\r\n");
  head.field("Date", date_.at(std::chrono::system_clock::now()));
  for (const auto& [name, value] : fields) {
    // A value may stem from a provider; one that could split the head is left out.
    if (is_token(name) && is_field_value(value)) head.field(name, value);
  }
  if (has_body(status)) {
    if (length)
      head.text("Content-Length: ").number(*length).text("\r\n");
    else if (!form_.http_1_0)
      head.text("Transfer-Encoding: chunked\r\n");
  }
  if (!form_.keep_alive) {
    head.text("Connection: close\r\n");
  } else if (form_.http_1_0) {
    head.text("Connection: keep-alive\r\n");
  }
  head.end();
}

// Only what may wait is a coroutine: a frame for each step of each chunk would cost more than the steps.
Task<Result<void>> SocketAnswer::send(int status, const Fields& fields, std::span<const std::string_view> body) {
  if (state_ != State::nothing) return ended_at_once(out_of_turn());
  state_ = State::ended;
  make_head(status, fields, bytes_of(body));
  gathered_.assign(1, head_);
  if (!form_.head_only && has_body(status)) gathered_.insert(gathered_.end(), body.begin(), body.end());
  return flush();
}

Result<void> SocketAnswer::start(int status, const Fields& fields) {
  if (state_ != State::nothing) return out_of_turn();
  state_ = State::started;
  if (form_.http_1_0) form_.keep_alive = false;
  if (!has_body(status)) form_.head_only = true;
  make_head(status, fields, std::nullopt);
  return {};
}

std::optional<Result<void>> SocketAnswer::write_now(std::span<const std::string_view> pieces) {
  if (state_ != State::started) return out_of_turn();
  gather_chunk(pieces, false);
  return flush_now();
}

Task<Result<void>> SocketAnswer::write_on() {
  const auto [error, written] = co_await stream_.write_on(waiting_);
  Pieces().swap(waiting_);
  co_return flushed(error);
}

Task<Result<void>> SocketAnswer::finish(std::span<const std::string_view> pieces) {
  if (state_ != State::started) return ended_at_once(out_of_turn());
  state_ = State::ended;
  gather_chunk(pieces, true);
  return flush();
}

// A chunk of no bytes would end the body: pieces that are all empty make none.
void SocketAnswer::gather_chunk(std::span<const std::string_view> pieces, bool last) {
  const std::size_t bytes = form_.head_only ? 0 : bytes_of(pieces);
  const bool chunked = !form_.http_1_0 && !form_.head_only;
  gathered_.clear();
  if (!committed_) gathered_.push_back(head_);
  if (bytes > 0) {
    if (chunked) gathered_.push_back(size_line(bytes));
    gathered_.insert(gathered_.end(), pieces.begin(), pieces.end());
    if (chunked) gathered_.push_back(last ? end_of_chunk_and_body : end_of_chunk);
  } else if (last && chunked) {
    gathered_.push_back(last_chunk);
  }
}

std::string_view SocketAnswer::size_line(std::size_t bytes) {
  char* const end = std::to_chars(size_line_.data(), size_line_.data() + size_line_.size(), bytes, 16).ptr;
  end[0] = '\r', end[1] = '\n';
  return {size_line_.data(), static_cast<std::size_t>(end + 2 - size_line_.data())};
}

Task<Result<void>> SocketAnswer::flush() {
  if (auto at_once = flush_now()) return ended_at_once(std::move(*at_once));
  return write_on();
}

/// Of what was gathered. Empty: it waits for the app to take it.
std::optional<Result<void>> SocketAnswer::flush_now() {
  if (gone_) return app_gone("it closed the connection");
  if (gathered_.empty()) {
    if (state_ == State::ended) end();
    return Result<void>();
  }
  committed_ = true;
  const auto at_once = stream_.write_now(gathered_, form_.write_ms_max);
  if (at_once) return flushed(at_once->first);
  waiting_ = gathered_;
  return std::nullopt;
}

Result<void> SocketAnswer::flushed(boost::system::error_code error) {
  stream_.clear_deadline();
  if (!head_.empty()) std::string().swap(head_);
  if (error) {
    give_up();
    return app_gone(error == asio::error::timed_out ? "it took nothing for write_ms_max" : error.message());
  }
  if (state_ == State::ended) end();
  return {};
}

// An app that hangs up from here on has had its answer.
void SocketAnswer::end() {
  whole_ = true;
  cancel_ = nullptr;
  turn_.leave();
  stream_.stop_watch();
}

void SocketAnswer::abort() {
  gone_ = true;
  turn_.leave();
  form_.keep_alive = false;
  stream_.reset();
}

void SocketAnswer::give_up() {
  gone_ = true;
  turn_.leave();
  form_.keep_alive = false;
  if (cancel_) cancel_->request();
}

void SocketAnswer::hurry() {
  form_.keep_alive = false;
  if (cancel_) cancel_->request(Cancel::Reason::draining);
}

void SocketAnswer::watch(Cancel& cancel) {
  cancel_ = &cancel;
  if (gone_) return cancel.request();
  turn_.wait(lookout_, [this] { stream_.watch([this] { give_up(); }); });
}

}  // namespace fairlead::net
