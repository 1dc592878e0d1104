#pragma once
// The framing of chunked bodies, read strictly: extensions and trailers are checked, bounded and dropped. Pure.
#include <fairlead/result.h>

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace fairlead::net {

/// Of extensions and trailers together, in the body of a request.
inline constexpr std::size_t chunk_extras_bytes_max = 8192;
inline constexpr int chunk_size_digits_max = 8;

/// One chunked body, fed as it comes and cut anywhere.
class ChunkReader {
 public:
  /// `extras_bytes_max`: of extensions and trailers together.
  explicit ChunkReader(std::size_t extras_bytes_max = chunk_extras_bytes_max) : extras_bytes_max_(extras_bytes_max) {}

  struct Step {
    std::size_t taken = 0;     ///< how many bytes it took; all of them, unless content or the end came before
    std::string_view content;  ///< of the bytes taken, the last ones, as far as they are content; may be empty
  };
  /// Takes framing bytes and then at most one run of content. Call it until everything is taken or the body is finished().
  /// Errors: bad_request with the rule that was broken. Nothing more may be fed then.
  Result<Step> next(std::string_view bytes);
  bool finished() const { return state_ == State::finished; }
  /// What came of extensions so far no longer counts.
  void forget_extras() { extras_ = 0; }

 private:
  enum class State : std::uint8_t {
    size,
    extension,
    size_lf,
    content,
    content_cr,
    content_lf,
    line,
    trailer_name,
    trailer_value,
    trailer_lf,
    last_lf,
    finished,
  };
  /// As take() of each of them: the whole line of a size, or the one behind a chunk. 0: they are not here, or not so plain.
  std::size_t take_plain(std::string_view bytes);
  Result<void> take(char c);
  Result<void> take_size(char c);

  State state_ = State::size;
  int digits_ = 0;
  std::uint64_t left_ = 0;  ///< of this chunk's content
  std::size_t extras_bytes_max_;
  std::size_t extras_ = 0;
};

}  // namespace fairlead::net
