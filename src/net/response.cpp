#include "net/response.h"

#include "net/upstream_error.h"

#include <algorithm>
#include <cstring>

namespace fairlead::net {

namespace {

constexpr std::size_t first_capacity = 16 << 10;
constexpr std::size_t rest_max = 15;  // that a string holds without memory of its own
constexpr std::string_view http1 = "HTTP/1.";

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

}  // namespace

Response::~Response() { Buffers::of_this_thread().give(std::move(buffer_), capacity_); }

void Response::release() {
  body_ = {};
  std::string().swap(joined_);
  if (!buffer_) return;
  // Bytes are only left of a head that is not whole.
  const std::size_t rest = end_ - begin_;
  if (rest > rest_max) return;
  rest_.assign(buffer_.get() + begin_, rest);
  Buffers::of_this_thread().give(std::move(buffer_), capacity_);
  capacity_ = begin_ = end_ = 0;
}

void Response::forget_fields() {
  std::vector<Field>().swap(head_.fields);
  std::string().swap(head_text_);
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
    if (has_head()) {
      if (auto parsed = parse_body(); !parsed) return parsed;
      continue;
    }
    const Result<bool> parsed = parse_head();
    if (!parsed) return parsed.error();
    if (!*parsed) break;
  }
  return {};
}

/// Only when all of it is there, so that what it says does not depend on how the bytes came. False: it needs more bytes.
Result<bool> Response::parse_head() {
  const std::string_view bytes(buffer_.get() + begin_, end_ - begin_);
  const std::string_view start = bytes.substr(0, http1.size());
  if (start != http1.substr(0, start.size())) return protocol_error("it is not HTTP/1");
  const std::size_t last_line = bytes.find("\r\n\r\n", searched_);
  const std::size_t size = last_line == bytes.npos ? bytes.size() : last_line + 4;
  if (head_bytes_ + size > head_bytes_max) return protocol_error("its head is too long");
  searched_ = std::max<std::size_t>(size, 3) - 3;
  if (last_line == bytes.npos) {
    const std::size_t line = bytes.find('\n');  // with LF alone at the ends of its lines it would be waited for in vain
    if (line != bytes.npos && bytes[line - 1] != '\r') return protocol_error("a line of its head ends without CR");
    return false;
  }

  head_text_ = bytes.substr(0, size);
  Result<ResponseHead> head = parse_response_head(head_text_);
  if (!head) return head.error();
  head_ = std::move(*head);
  begin_ += size;
  head_bytes_ += size;
  searched_ = 0;
  if (kind_ == Kind::answer && status() / 100 == 1 && status() != 101) return true;  // interim: the next one is awaited
  begin_body();
  if (kind_ == Kind::answer && status() == 101) return protocol_error("it switched to a protocol that nobody asked for");
  return true;
}

void Response::begin_body() {
  has_head_ = true;
  if (kind_ == Kind::tunnel || !head_.has_body()) {
    framing_ = Framing::none;
    if (head_.chunked || head_.content_length.value_or(0) > 0) head_.keep_alive = false;  // some send what they announce
  } else if (head_.chunked) {
    framing_ = Framing::chunks;
  } else if (head_.content_length) {
    framing_ = Framing::length;
    left_ = *head_.content_length;
  } else {
    framing_ = Framing::until_end;
  }
  is_whole_ = framing_ == Framing::none || (framing_ == Framing::length && left_ == 0);
}

Result<void> Response::parse_body() {
  std::string_view bytes(buffer_.get() + begin_, end_ - begin_);
  if (framing_ == Framing::chunks) {
    const auto step = chunks_.next(bytes);
    if (!step) return protocol_error(step.error().message());
    begin_ += step->taken;
    if (!step->content.empty()) {
      add_body(step->content);
      chunks_.forget_extras();  // an answer may be endless
    }
    is_whole_ = chunks_.finished();
    return {};
  }
  if (framing_ == Framing::length) {
    bytes = bytes.substr(0, left_);
    left_ -= bytes.size();
    is_whole_ = left_ == 0;
  }
  begin_ += bytes.size();
  add_body(bytes);
  return {};
}

Result<void> Response::end() {
  if (has_head() && framing_ == Framing::until_end) is_whole_ = true;
  if (!is_whole()) return upstream_error(ErrorKind::upstream_closed, has_head() ? "within the body" : "before the end of the head");
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
