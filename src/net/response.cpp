#include "net/response.h"

#include "net/upstream_error.h"

#include <boost/beast/core/string.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>

#include <algorithm>
#include <cstring>

namespace fairlead::net {

namespace {

namespace beast = boost::beast;
namespace http = boost::beast::http;
using boost::system::error_code;

constexpr std::size_t first_capacity = 16 << 10;
constexpr std::size_t rest_max = 15;  // that a string holds without memory of its own
constexpr std::string_view http1 = "HTTP/1.";

Error protocol_error(std::string detail) { return upstream_error(ErrorKind::upstream_protocol, std::move(detail)); }

/// The first buffers of answers, used again by whoever reads next on this thread: a stream that waits holds none.
class Buffers {
 public:
  static Buffers& of_this_thread() {
    thread_local Buffers buffers;
    return buffers;
  }
  std::unique_ptr<char[]> take(std::size_t capacity) {
    if (capacity != first_capacity || free_.empty()) return std::make_unique_for_overwrite<char[]>(capacity);
    std::unique_ptr<char[]> buffer = std::move(free_.back());
    free_.pop_back();
    return buffer;
  }
  void give(std::unique_ptr<char[]> buffer, std::size_t capacity) {
    if (buffer && capacity == first_capacity && free_.size() < free_buffers_max) free_.push_back(std::move(buffer));
  }

 private:
  static constexpr std::size_t free_buffers_max = 16;
  std::vector<std::unique_ptr<char[]>> free_;
};

bool is_number(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

std::string_view view_of(beast::string_view text) { return {text.data(), text.size()}; }

}  // namespace

/// Beast's parser, made to refuse what it would let pass: a transfer coding other than chunked, and a length said twice.
class Response::Parser final : public http::basic_parser<false> {
 public:
  explicit Parser(Response& response) : response_(response) {
    header_limit(head_bytes_max);
    body_limit(boost::none);
    skip(response.kind_ == Kind::tunnel);
  }

  int status = 0;

 private:
  void on_request_impl(http::verb, beast::string_view, beast::string_view, int, error_code&) override {}
  void on_response_impl(int code, beast::string_view, int version, error_code&) override {
    status = code;
    is_old_ = version < 11;
  }
  void on_field_impl(http::field name, beast::string_view text, beast::string_view value, error_code& ec) override {
    if (in_body_) return;  // a trailer
    if (name == http::field::transfer_encoding && (is_old_ || !beast::iequals(value, "chunked")))
      ec = http::error::bad_transfer_encoding;
    if (name == http::field::content_length && (std::exchange(has_length_, true) || !is_number(view_of(value))))
      ec = http::error::bad_content_length;
    if (!ec) response_.add_field(view_of(text), view_of(value));
  }
  void on_header_impl(error_code&) override { in_body_ = true; }
  void on_body_init_impl(const boost::optional<std::uint64_t>&, error_code&) override {}
  std::size_t on_body_impl(beast::string_view bytes, error_code&) override {
    response_.add_body(view_of(bytes));
    return bytes.size();
  }
  void on_chunk_header_impl(std::uint64_t, beast::string_view, error_code&) override {}
  std::size_t on_chunk_body_impl(std::uint64_t, beast::string_view bytes, error_code&) override {
    response_.add_body(view_of(bytes));
    return bytes.size();
  }
  void on_finish_impl(error_code&) override {}

  Response& response_;
  bool is_old_ = false;
  bool has_length_ = false;
  bool in_body_ = false;
};

Response::Response(Kind kind) : kind_(kind) { begin(); }

void Response::begin() {
  parser_ = std::make_unique<Parser>(*this);
  texts_.clear();
  texts_.reserve(512);
  fields_.clear();
  fields_.reserve(16);
}

Response::~Response() { Buffers::of_this_thread().give(std::move(buffer_), capacity_); }

void Response::release() {
  body_ = {};
  joined_ = std::string();
  if (!buffer_) return;
  // Beast leaves the line break behind a chunk until it sees the next one's head.
  const std::size_t rest = end_ - begin_;
  if (rest > rest_max) return;
  rest_.assign(buffer_.get() + begin_, rest);
  Buffers::of_this_thread().give(std::move(buffer_), capacity_);
  capacity_ = begin_ = end_ = 0;
}

boost::asio::mutable_buffer Response::room() {
  body_ = {};
  joined_.clear();
  if (begin_ > 0) {
    std::memmove(buffer_.get(), buffer_.get() + begin_, end_ - begin_);
    end_ -= std::exchange(begin_, 0);
  }
  if (end_ == capacity_) {
    const std::size_t capacity = std::max(first_capacity, 2 * capacity_);
    auto buffer = Buffers::of_this_thread().take(capacity);
    if (end_ > 0) std::memcpy(buffer.get(), buffer_.get(), end_);
    end_ += rest_.copy(buffer.get() + end_, rest_.size());
    rest_.clear();
    Buffers::of_this_thread().give(std::move(buffer_), capacity_);
    buffer_ = std::move(buffer);
    capacity_ = capacity;
  }
  return {buffer_.get() + end_, capacity_ - end_};
}

Result<void> Response::take(std::size_t bytes) {
  end_ += bytes;
  while (begin_ < end_ && !is_whole()) {
    const Result<bool> moved = has_head() ? parse_body() : parse_head();
    if (!moved) return moved.error();
    if (!*moved) break;
  }
  return {};
}

/// Beast sees a head only when all of it is there, so that what it says does not depend on how the bytes came.
Result<bool> Response::parse_head() {
  const std::string_view bytes(buffer_.get() + begin_, end_ - begin_);
  const std::string_view start = bytes.substr(0, http1.size());
  if (start != http1.substr(0, start.size())) return protocol_error("it is not HTTP/1");
  const std::size_t last_line = bytes.find("\r\n\r\n", searched_);
  const std::size_t size = last_line == bytes.npos ? bytes.size() : last_line + 4;
  if (head_bytes_ + size > head_bytes_max) return protocol_error("its head is too long");
  searched_ = std::max<std::size_t>(size, 3) - 3;
  if (last_line == bytes.npos) return false;

  error_code ec;
  parser_->put({bytes.data(), size}, ec);
  if (ec) return protocol_error(ec.message());
  begin_ += size;
  head_bytes_ += size;
  searched_ = 0;
  if (kind_ == Kind::answer && status() == 101) return protocol_error("it switched to a protocol that nobody asked for");
  if (kind_ == Kind::answer && status() / 100 == 1) begin();
  return true;
}

/// False: it needs more bytes.
Result<bool> Response::parse_body() {
  error_code ec;
  begin_ += parser_->put({buffer_.get() + begin_, end_ - begin_}, ec);
  if (!ec) return true;
  if (ec != http::error::need_more) return protocol_error(ec.message());
  if (end_ - begin_ > head_bytes_max) return protocol_error("a chunk's head or the trailers are too long");
  return false;
}

Result<void> Response::end() {
  error_code ec = http::error::partial_message;
  if (has_head()) parser_->put_eof(ec);
  if (ec) return upstream_error(ErrorKind::upstream_closed, has_head() ? "within the body" : "before the end of the head");
  return {};
}

bool Response::has_head() const { return parser_->is_header_done(); }
bool Response::is_whole() const { return parser_->is_done(); }
int Response::status() const { return parser_->status; }
bool Response::keeps_alive() const { return is_whole() && parser_->keep_alive(); }

void Response::add_field(std::string_view name, std::string_view value) {
  const std::size_t at = texts_.size();
  texts_.append(name).append(value);
  fields_.push_back({at, at + name.size(), texts_.size()});
}

std::string_view Response::field(std::string_view name) const {
  const std::string_view texts = texts_;
  for (const Place& place : fields_)
    if (beast::iequals(name, texts.substr(place.name, place.value - place.name)))
      return texts.substr(place.value, place.end - place.value);
  return {};
}

void Response::add_body(std::string_view bytes) {
  if (body_.empty()) {
    body_ = bytes;
    return;
  }
  if (joined_.empty()) joined_ = body_;
  body_ = joined_.append(bytes);
}

}  // namespace fairlead::net
