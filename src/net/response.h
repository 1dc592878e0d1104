#pragma once
// Reads one HTTP/1.1 answer, strictly, from bytes as they come: no I/O. Used by Answer and the proxy's tunnel. One worker's thread.
#include <fairlead/result.h>

#include "net/chunks.h"
#include "net/response_head.h"
#include "net/stream.h"

#include <boost/asio/buffer.hpp>

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

namespace fairlead::net {

/// Room for bytes, then take() of them, again and again. Interim (1xx) answers are skipped, trailers dropped.
class Response final : public Room {
 public:
  static constexpr std::size_t head_bytes_max =
      64 << 10;  ///< of all heads, interim ones included; of what frames a chunk; of trailers

  /// `tunnel`: the answer to a CONNECT, which has no body.
  enum class Kind : unsigned char { answer, tunnel };
  explicit Response(Kind kind = Kind::answer) : kind_(kind) {}
  ~Response() override;
  Response(const Response&) = delete;
  Response& operator=(const Response&) = delete;

  /// Where the next bytes go; never empty. Ends the life of body().
  boost::asio::mutable_buffer room() override;
  /// Gives the room back until the next bytes come, if next to nothing in it waits to be parsed. Ends the life of body().
  void release() override;
  /// That many bytes were put there. Errors: upstream_protocol.
  Result<void> take(std::size_t bytes);
  /// The peer's bytes have ended. Errors: upstream_closed, unless that is the proper end of this answer.
  Result<void> end();

  bool holds_room() const { return buffer_ != nullptr; }

  bool has_head() const { return has_head_; }
  bool is_whole() const { return is_whole_; }
  int status() const { return head_.status; }
  /// The first field of this name (any case), or empty.
  std::string_view field(std::string_view name) const { return value_of(head_.fields, name); }
  /// Frees the fields; what they said of the body and the connection stays.
  void forget_fields();
  /// What the last take() brought of the body, freed of the transfer coding.
  std::string_view body() const { return body_; }
  /// The peer will take another request on the connection: the answer is whole and does not say otherwise.
  bool keeps_alive() const { return is_whole() && head_.keep_alive && framing_ != Framing::until_end; }
  /// Bytes came behind the end of the answer.
  bool has_surplus() const { return is_whole() && begin_ < end_; }

 private:
  enum class Framing : unsigned char { none, length, chunks, until_end };
  void add_body(std::string_view bytes);
  Result<bool> parse_head();
  void begin_body();
  Result<void> parse_body();

  Kind kind_;
  Framing framing_ = Framing::none;
  bool has_head_ = false;
  bool is_whole_ = false;
  std::uint64_t left_ = 0;  ///< of a body by length
  ChunkReader chunks_{head_bytes_max};
  std::unique_ptr<char[]> buffer_;
  std::size_t capacity_ = 0, begin_ = 0, end_ = 0;  ///< [begin_, end_) is not parsed yet
  std::string_view body_;
  std::string joined_;  ///< the body's bytes where they do not lie together
  std::string rest_;    ///< what was not parsed when the room was given back
  // What only the head needs:
  std::size_t head_bytes_ = 0;
  std::size_t searched_ = 0;  ///< of the head that is not whole yet
  ResponseHead head_;
  std::string head_text_;
};

}  // namespace fairlead::net
