#pragma once
// The body of one app's request, out of the connection's bytes: transfer coding, content coding, limit. Pure; used by
// net/connection.
#include <fairlead/bytes.h>
#include <fairlead/result.h>

#include "net/chunks.h"
#include "net/framing.h"
#include "net/stream.h"
#include "wire/inflate.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace fairlead::net {

class BodyReader final : private Room {
 public:
  /// For the body that `head` announces. `bytes_max` limits it as sent and as decompressed, and is limits.body_bytes_max.
  /// Errors: body_too_large by its Content-Length; unsupported_media for a content coding other than gzip, deflate and identity.
  static Result<BodyReader> make(const Head& head, std::size_t bytes_max);

  /// Takes what belongs to the body and says how much that was: less than all only when it is finished(), or compressed() and
  /// so taken little by little: one call then inflates no more than a MiB or so.
  /// Errors: bad_request (chunk framing, compressed data corrupt or cut), body_too_large. Nothing more may be fed then.
  Result<std::size_t> feed(std::string_view bytes);
  bool finished() const { return chunked_ ? chunks_.finished() : left_ == 0; }
  bool compressed() const { return inflater_.has_value(); }
  /// So many bytes more are all of it, and maybe others behind it. Not known of a chunked body.
  bool ends_within(std::size_t bytes) const { return !chunked_ && left_ <= bytes; }
  /// How large it is at least: as announced, or as it has come so far, compressed or not.
  std::uint64_t size_known() const { return std::max<std::uint64_t>({left_ + received_, body_.size()}); }
  /// How many bytes to ask the network for at once.
  std::size_t wanted() const;
  /// Where bytes of a plain body are best read to: its own place. Null for others, which feed() takes. After a read, took() says
  /// how many came.
  Room* direct() { return chunked_ || inflater_ ? nullptr : this; }
  void took(std::size_t bytes);
  /// The whole body, once finished().
  Bytes take() { return std::move(body_); }

 private:
  BodyReader() = default;
  Result<std::size_t> feed_chunks(std::string_view bytes);
  Result<void> add(std::string_view content);
  asio::mutable_buffer room() override;
  void release() override { body_.cut(received_); }

  std::size_t bytes_max_ = 0;
  bool chunked_ = false;
  ChunkReader chunks_;
  std::uint64_t left_ = 0;    ///< of a body by length
  std::size_t received_ = 0;  ///< before decompression
  std::optional<wire::Inflater> inflater_;
  std::string inflated_;
  Bytes body_;
};

}  // namespace fairlead::net
