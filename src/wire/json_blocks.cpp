#include "wire/json_blocks.h"

#ifdef __x86_64__
#include <immintrin.h>
#endif

#include <bit>
#include <cstdint>

namespace fairlead::wire {
namespace {

constexpr std::size_t block_bytes = 64;

/// `special` tells the bits of a block. Always inlined, so that it is compiled for the processor that its caller is for.
template <class Special>
[[gnu::always_inline]] inline std::size_t read_short_escapes(std::string_view text, Special special) {
  std::size_t at = 0;
  while (text.size() - at > block_bytes) {
    const char* const block = text.data() + at;
    std::size_t read = block_bytes;
    for (std::uint64_t bits = special(block); bits != 0;) {
      const auto place = static_cast<std::size_t>(std::countr_zero(bits));
      if (block[place] != '\\' || !ends_short_escape(block[place + 1])) return at + place;
      if (place + 1 == block_bytes) ++read;
      bits &= ~(std::uint64_t{3} << place);
    }
    at += read;
  }
  return at;
}

#ifdef __x86_64__

const bool has_avx2 = __builtin_cpu_supports("avx2") != 0;

/// Of these 32 bytes, a byte of ones for each that special_bits() tells.
[[gnu::target("avx2")]] inline __m256i special_bytes(const char* bytes) {
  const __m256i block = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(bytes));
  const __m256i low = _mm256_cmpgt_epi8(_mm256_set1_epi8(0x20), block);
  const __m256i quote = _mm256_cmpeq_epi8(block, _mm256_set1_epi8('"')), slash = _mm256_cmpeq_epi8(block, _mm256_set1_epi8('\\'));
  return _mm256_or_si256(low, _mm256_or_si256(quote, slash));
}

struct WideBits {
  [[gnu::target("avx2")]] std::uint64_t operator()(const char* block) const {
    const auto low = static_cast<std::uint32_t>(_mm256_movemask_epi8(special_bytes(block)));
    const auto high = static_cast<std::uint32_t>(_mm256_movemask_epi8(special_bytes(block + 32)));
    return std::uint64_t{high} << 32 | low;
  }
};

[[gnu::target("avx2")]] std::size_t wide_short_escapes(std::string_view text) { return read_short_escapes(text, WideBits()); }

[[gnu::target("avx2")]] std::size_t wide_plain(std::string_view text) {
  std::size_t at = 0;
  for (; text.size() - at >= 2 * block_bytes; at += 2 * block_bytes) {
    const char* const block = text.data() + at;
    const __m256i any = _mm256_or_si256(_mm256_or_si256(special_bytes(block), special_bytes(block + 32)),
                                        _mm256_or_si256(special_bytes(block + 64), special_bytes(block + 96)));
    if (_mm256_testz_si256(any, any) == 0) break;
  }
  return at;
}

#endif

}  // namespace

std::size_t plain_blocks([[maybe_unused]] std::string_view text) {
#ifdef __x86_64__
  if (has_avx2) return wide_plain(text);
#endif
  return 0;
}

std::size_t short_escape_blocks([[maybe_unused]] std::string_view text) {
#ifdef __x86_64__
  if (has_avx2) return wide_short_escapes(text);
#endif
#ifdef __SSE2__
  return read_short_escapes(text, [](const char* block) {
    std::uint64_t bits = 0;
    for (std::size_t at = 0; at < block_bytes; at += 16) bits |= std::uint64_t{special_bits(block + at)} << at;
    return bits;
  });
#else
  return 0;
#endif
}

}  // namespace fairlead::wire
