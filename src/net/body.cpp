#include "net/body.h"

#include <algorithm>

namespace fairlead::net {
namespace {

constexpr std::size_t read_bytes_min = 16 << 10;
constexpr std::size_t read_bytes_max = 64 << 10;
constexpr std::size_t direct_bytes_max = 1 << 20;
constexpr std::size_t compressed_step_bytes = 1 << 10;  // become a thousand times as many at most

Error too_large(std::size_t bytes_max, const char* when = "") {
  return {ErrorKind::body_too_large, ErrorOrigin::app,
          "The request's body is too large" + std::string(when) + ": limits.body_bytes_max is " + std::to_string(bytes_max) +
              " bytes."};
}

}  // namespace

Result<BodyReader> BodyReader::make(const Head& head, std::size_t bytes_max) {
  BodyReader reader;
  reader.bytes_max_ = bytes_max;
  reader.chunked_ = head.chunked;
  reader.left_ = head.content_length.value_or(0);
  if (reader.left_ > bytes_max) return too_large(bytes_max);
  const std::string_view coding = head.content_coding;
  const bool compressed = equal_any_case(coding, "gzip") || equal_any_case(coding, "x-gzip") || equal_any_case(coding, "deflate");
  if (!compressed && !coding.empty() && !equal_any_case(coding, "identity")) {
    return Error{ErrorKind::unsupported_media, ErrorOrigin::app, "This Content-Encoding is not supported; gzip and deflate are."};
  }
  if (compressed && !reader.finished()) reader.inflater_.emplace();
  return reader;
}

std::size_t BodyReader::wanted() const {
  if (chunked_) return read_bytes_min;
  return static_cast<std::size_t>(std::min<std::uint64_t>(left_, compressed() ? read_bytes_min : read_bytes_max));
}

/// Announced room that is not written costs no memory yet.
asio::mutable_buffer BodyReader::room() {
  if (body_.empty()) body_.reserve(static_cast<std::size_t>(left_));
  const auto bytes = static_cast<std::size_t>(std::min<std::uint64_t>(left_, direct_bytes_max));
  return {body_.grow(bytes), bytes};
}

void BodyReader::took(std::size_t bytes) {
  received_ += bytes;
  left_ -= bytes;
  body_.cut(received_);
}

Result<std::size_t> BodyReader::feed(std::string_view bytes) {
  if (compressed()) bytes = bytes.substr(0, compressed_step_bytes);
  Result<std::size_t> taken = std::size_t{0};
  if (chunked_) {
    taken = feed_chunks(bytes);
  } else {
    if (body_.empty() && !inflater_) body_.reserve(static_cast<std::size_t>(left_));
    taken = static_cast<std::size_t>(std::min<std::uint64_t>(left_, bytes.size()));
    if (auto added = add(bytes.substr(0, *taken)); !added) return added.error();
    left_ -= *taken;
  }
  if (taken && finished() && inflater_ && received_ > 0 && !inflater_->finished()) {
    return Error{ErrorKind::bad_request, ErrorOrigin::app, "The compressed content ends too early."};
  }
  return taken;
}

Result<std::size_t> BodyReader::feed_chunks(std::string_view bytes) {
  std::size_t taken = 0;
  while (taken < bytes.size() && !chunks_.finished()) {
    const auto step = chunks_.next(bytes.substr(taken));
    if (!step) return step.error();
    if (auto added = add(step->content); !added) return added.error();
    taken += step->taken;
  }
  return taken;
}

Result<void> BodyReader::add(std::string_view content) {
  received_ += content.size();
  if (received_ > bytes_max_) return too_large(bytes_max_);
  if (!inflater_) {
    body_.append(content);
    return {};
  }
  inflated_.clear();
  Result<void> fed = inflater_->feed(content, inflated_, bytes_max_ - body_.size());
  body_.append(inflated_);
  if (!fed && fed.error().kind == ErrorKind::body_too_large) return too_large(bytes_max_, " after decompression");
  return fed;
}

}  // namespace fairlead::net
