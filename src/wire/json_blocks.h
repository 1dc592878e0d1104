#pragma once
// The strings of JSON in blocks: many bytes at a time, as wide as the processor has it. Pure. Used by JsonReader alone.
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include <cstddef>
#include <string_view>

namespace fairlead::wire {

/// Is it an escape of two characters, with this as the second?
constexpr bool ends_short_escape(char c) {
  return c == '"' || c == '\\' || c == '/' || c == 'b' || c == 'f' || c == 'n' || c == 'r' || c == 't';
}

#ifdef __SSE2__
/// Of the 16 bytes at `bytes`, a bit for each quote, backslash, control character and byte above ASCII; the first byte's is the
/// lowest.
inline unsigned special_bits(const char* bytes) {
  const __m128i sixteen = _mm_loadu_si128(reinterpret_cast<const __m128i*>(bytes));
  // Signed: bytes above ASCII are below the space too.
  const __m128i low = _mm_cmplt_epi8(sixteen, _mm_set1_epi8(0x20));
  const __m128i quote = _mm_cmpeq_epi8(sixteen, _mm_set1_epi8('"')), slash = _mm_cmpeq_epi8(sixteen, _mm_set1_epi8('\\'));
  return static_cast<unsigned>(_mm_movemask_epi8(_mm_or_si128(low, _mm_or_si128(quote, slash))));
}
#endif

/// How many bytes at the beginning are none of these, as far as blocks are that hold nothing else: pictures are megabytes of them.
std::size_t plain_blocks(std::string_view text);
/// How many at the beginning are that or escapes of two characters, as far as blocks are: up to what needs a second look.
std::size_t short_escape_blocks(std::string_view text);

}  // namespace fairlead::wire
