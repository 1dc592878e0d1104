#pragma once
// Streaming decompression of gzip and zlib ("deflate") content, bounded. Pure; used for the apps' bodies and the providers'
// answers.
#include <fairlead/result.h>

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

struct z_stream_s;

namespace fairlead::wire {

/// One compressed body, fed as it comes. The format is told by its first bytes. Several gzip members in a row are one content.
class Inflater {
 public:
  Inflater();
  /// Decompresses all of `in` and appends to `out`, which never grows beyond `out_max` bytes.
  /// Errors: body_too_large at `out_max`; bad_request for what is neither format, corrupt, or followed by something else.
  /// Nothing more may be fed then.
  Result<void> feed(std::string_view in, std::string& out, std::size_t out_max);
  /// The content ended properly, checksum included; false where the input was cut.
  bool finished() const { return finished_; }

 private:
  struct End {
    void operator()(z_stream_s* stream) const;
  };
  Result<void> begin_member();

  std::unique_ptr<z_stream_s, End> stream_;
  bool started_ = false;
  bool gzip_ = false;
  bool finished_ = false;
};

}  // namespace fairlead::wire
