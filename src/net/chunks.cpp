#include "net/chunks.h"

#include "net/field.h"

#include <algorithm>
#include <string>

namespace fairlead::net {
namespace {

Error malformed(const std::string& rule) {
  return {ErrorKind::bad_request, ErrorOrigin::app, "Malformed chunked body: " + rule + "."};
}

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

Result<ChunkReader::Step> ChunkReader::next(std::string_view bytes) {
  Step step;
  while (step.taken < bytes.size() && !finished()) {
    if (state_ == State::content) {
      step.content = bytes.substr(step.taken, std::min<std::uint64_t>(left_, bytes.size()));
      step.taken += step.content.size();
      left_ -= step.content.size();
      if (left_ == 0) state_ = State::content_cr;
      return step;
    }
    if (const std::size_t plain = take_plain(bytes.substr(step.taken)); plain > 0) {
      step.taken += plain;
      continue;
    }
    if (auto taken = take(bytes[step.taken]); !taken) return taken.error();
    ++step.taken;
  }
  return step;
}

std::size_t ChunkReader::take_plain(std::string_view bytes) {
  if (state_ == State::content_cr && bytes.starts_with("\r\n")) {
    state_ = State::size;
    return 2;
  }
  if (state_ != State::size || digits_ > 0) return 0;
  std::uint64_t size = 0;
  std::size_t digits = 0;
  for (; digits < std::min<std::size_t>(bytes.size(), chunk_size_digits_max); ++digits) {
    const int value = hex_value(bytes[digits]);
    if (value < 0) break;
    size = size * 16 + static_cast<unsigned>(value);
  }
  if (digits == 0 || !bytes.substr(digits).starts_with("\r\n")) return 0;
  left_ = size;
  state_ = size > 0 ? State::content : State::line;
  return digits + 2;
}

Result<void> ChunkReader::take_size(char c) {
  if (const int value = hex_value(c); value >= 0) {
    if (++digits_ > chunk_size_digits_max) return malformed("a chunk's size has too many digits");
    left_ = left_ * 16 + static_cast<unsigned>(value);
    return {};
  }
  if (digits_ == 0 || (c != '\r' && c != ';')) return malformed("a chunk's size is not a hexadecimal number");
  digits_ = 0;
  state_ = c == '\r' ? State::size_lf : State::extension;
  return {};
}

Result<void> ChunkReader::take(char c) {
  const std::string_view byte(&c, 1);
  const auto expect = [&](char wanted, State next) -> Result<void> {
    if (c != wanted) return malformed("a line does not end in CRLF");
    state_ = next;
    return {};
  };
  if (state_ == State::extension || state_ == State::line || state_ == State::trailer_name || state_ == State::trailer_value) {
    if (++extras_ > extras_bytes_max_) return malformed("its extensions and trailers are too large");
  }
  switch (state_) {
    case State::size: return take_size(c);
    case State::extension:
      if (is_field_value(byte)) return {};
      return expect('\r', State::size_lf);
    case State::size_lf: return expect('\n', left_ > 0 ? State::content : State::line);
    case State::content_cr: return expect('\r', State::content_lf);
    case State::content_lf: return expect('\n', State::size);
    case State::line:  // after the last chunk, and after each trailer
      if (c == '\r') return expect('\r', State::last_lf);
      if (!is_token(byte)) return malformed("a trailer's name is not a token");
      state_ = State::trailer_name;
      return {};
    case State::trailer_name:
      if (c == ':') return expect(':', State::trailer_value);
      if (!is_token(byte)) return malformed("a trailer's name is not a token");
      return {};
    case State::trailer_value:
      if (is_field_value(byte)) return {};
      return expect('\r', State::trailer_lf);
    case State::trailer_lf: return expect('\n', State::line);
    case State::last_lf: return expect('\n', State::finished);
    case State::content:
    case State::finished: break;  // next() does not come here with these
  }
  return malformed("bytes after its end");
}

}  // namespace fairlead::net
