#pragma once
// Just enough HTTP/1.1 to frame messages cheaply, in either direction, for the mock and the load, which trust each other. The gate
// that trusts nobody is src/net/framing.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

class HttpReader {
 public:
  enum class State { head, length, until_close, chunk_size, chunk_data, chunk_end, trailer, done };

  State state() const { return state_; }
  bool done() const { return state_ == State::done; }
  const std::string& head() const { return head_; }
  int status() const { return status_; }              ///< of a response; 0 before its head is read
  bool closes() const { return closes_; }             ///< the head says `Connection: close`
  std::uint64_t left() const { return left_; }        ///< bytes of the body, or of its chunk
  void skip(std::uint64_t bytes) { left_ -= bytes; }  ///< of a body with a length, taken off the socket by other means

  void reset() { *this = HttpReader{}; }

  /// Takes bytes up to the end of the message, hands pieces of the body to on_body(std::string_view), and tells how many it took.
  template <class OnBody>
  std::size_t feed(std::string_view bytes, OnBody&& on_body) {
    std::size_t used = 0;
    while (used < bytes.size() && !done()) {
      const std::string_view rest = bytes.substr(used);
      switch (state_) {
        case State::head: used += read_head(rest); break;
        case State::length:
        case State::chunk_data: {
          const std::string_view piece = rest.substr(0, static_cast<std::size_t>(std::min<std::uint64_t>(rest.size(), left_)));
          on_body(piece);
          left_ -= piece.size();
          used += piece.size();
          if (left_ == 0) state_ = state_ == State::length ? State::done : State::chunk_end;
          break;
        }
        case State::until_close:
          on_body(rest);
          used = bytes.size();
          break;
        default: used += read_line(rest);
      }
    }
    return used;
  }

 private:
  std::size_t read_head(std::string_view bytes);
  std::size_t read_line(std::string_view bytes);
  void end_head();

  State state_ = State::head;
  std::string head_;
  std::string line_;  ///< of chunked framing, as far as it has come
  std::uint64_t left_ = 0;
  int status_ = 0;
  bool closes_ = false;
};
