#include "net/field.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include <array>
#include <bit>

namespace fairlead::net {
namespace {

using ByteSet = std::array<bool, 256>;

constexpr ByteSet token_bytes() {  // RFC 9110, 5.6.2
  ByteSet set{};
  for (int c = 0; c < 256; ++c) set[c] = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  for (const char c : std::string_view("!#$%&'*+-.^_`|~")) set[static_cast<unsigned char>(c)] = true;
  return set;
}

constexpr ByteSet value_bytes() {
  ByteSet set{};
  for (int c = 0; c < 256; ++c) set[c] = c == '\t' || (c >= ' ' && c != 0x7f);
  return set;
}

constexpr ByteSet token_set = token_bytes();
constexpr ByteSet value_set = value_bytes();

std::size_t length_of(std::string_view text, std::size_t at, const ByteSet& set) {
  while (at < text.size() && set[static_cast<unsigned char>(text[at])]) ++at;
  return at;
}

}  // namespace

std::size_t token_length(std::string_view text) {
  std::size_t plain = 0;
#ifdef __SSE2__
  // Letters, digits and dashes, which most names are made of.
  if (text.size() >= 16) {
    const __m128i sixteen = _mm_loadu_si128(reinterpret_cast<const __m128i*>(text.data()));
    const __m128i letter = _mm_sub_epi8(_mm_or_si128(sixteen, _mm_set1_epi8(0x20)), _mm_set1_epi8('a'));
    const __m128i digit = _mm_sub_epi8(sixteen, _mm_set1_epi8('0'));
    const __m128i taken = _mm_or_si128(_mm_or_si128(_mm_cmpeq_epi8(_mm_min_epu8(letter, _mm_set1_epi8(25)), letter),
                                                    _mm_cmpeq_epi8(_mm_min_epu8(digit, _mm_set1_epi8(9)), digit)),
                                       _mm_cmpeq_epi8(sixteen, _mm_set1_epi8('-')));
    plain = static_cast<std::size_t>(std::countr_one(static_cast<unsigned>(_mm_movemask_epi8(taken))));
  }
#endif
  return length_of(text, plain, token_set);
}

std::size_t field_value_length(std::string_view text) {
  std::size_t at = 0;
#ifdef __SSE2__
  for (; text.size() - at >= 16; at += 16) {
    const __m128i sixteen = _mm_loadu_si128(reinterpret_cast<const __m128i*>(text.data() + at));
    const __m128i control = _mm_cmpeq_epi8(_mm_min_epu8(sixteen, _mm_set1_epi8(0x1f)), sixteen);
    const __m128i refused = _mm_or_si128(_mm_andnot_si128(_mm_cmpeq_epi8(sixteen, _mm_set1_epi8('\t')), control),
                                         _mm_cmpeq_epi8(sixteen, _mm_set1_epi8(0x7f)));
    if (const auto found = static_cast<unsigned>(_mm_movemask_epi8(refused)); found != 0)
      return at + static_cast<std::size_t>(std::countr_zero(found));
  }
#endif
  return length_of(text, at, value_set);
}

std::string_view value_of(const std::vector<Field>& fields, std::string_view name) {
  for (const Field& field : fields)
    if (equal_any_case(field.name, name)) return field.value;
  return {};
}

std::string_view take_until(std::string_view& text, char mark) {
  const std::size_t at = text.find(mark);
  const std::string_view taken = text.substr(0, at);
  text.remove_prefix(at == text.npos ? text.size() : at + 1);
  return taken;
}

std::optional<Field> take_field(std::string_view& bytes) {
  const std::size_t colon = token_length(bytes);  // no token holds one
  if (colon == 0 || colon == bytes.size() || bytes[colon] != ':') return std::nullopt;
  const std::string_view rest = bytes.substr(colon + 1);
  const std::size_t end = field_value_length(rest);
  if (!rest.substr(end).starts_with("\r\n")) return std::nullopt;
  const Field field{bytes.substr(0, colon), trimmed(rest.substr(0, end))};
  bytes = rest.substr(end + 2);
  return field;
}

}  // namespace fairlead::net
