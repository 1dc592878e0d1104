#include "content/text.h"

#include "content/check_digits.h"
#include "wire/json.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>

namespace fairlead::content {
namespace {

constexpr std::size_t payload_bytes_min = 512, data_head_bytes_max = 256;
constexpr char kept = 0, gone = 1;

/// The zeros of Unicode's decimal digits (category Nd), of which nine more follow each.
constexpr std::uint32_t zeros[] = {
    0x660,   0x6F0,   0x7C0,   0x966,   0x9E6,   0xA66,   0xAE6,   0xB66,   0xBE6,   0xC66,   0xCE6,   0xD66,   0xDE6,   0xE50,
    0xED0,   0xF20,   0x1040,  0x1090,  0x17E0,  0x1810,  0x1946,  0x19D0,  0x1A80,  0x1A90,  0x1B50,  0x1BB0,  0x1C40,  0x1C50,
    0xA620,  0xA8D0,  0xA900,  0xA9D0,  0xA9F0,  0xAA50,  0xABF0,  0xFF10,  0x104A0, 0x10D30, 0x10D40, 0x11066, 0x110F0, 0x11136,
    0x111D0, 0x112F0, 0x11450, 0x114D0, 0x11650, 0x116C0, 0x116D0, 0x116DA, 0x11730, 0x118E0, 0x11950, 0x11BF0, 0x11C50, 0x11D50,
    0x11DA0, 0x11DE0, 0x11F50, 0x16A60, 0x16AC0, 0x16B50, 0x1CCF0, 0x1E140, 0x1E2F0, 0x1E4F0, 0x1E5F1, 0x1E950, 0x1FBF0};

/// Characters first..last become `first_becomes` and those after it; or all the same, if it is no digit.
struct Row {
  std::uint32_t first, last;
  char first_becomes;
};
constexpr Row rows[] = {
    {0xA0, 0xA0, ' '},        {0xAD, 0xAD, gone},       {0xB2, 0xB3, '2'},       {0xB9, 0xB9, '1'},       {0x34F, 0x34F, gone},
    {0x58A, 0x58A, '-'},      {0x5BE, 0x5BE, '-'},      {0x61C, 0x61C, gone},    {0x115F, 0x1160, gone},  {0x1400, 0x1400, '-'},
    {0x1680, 0x1680, ' '},    {0x17B4, 0x17B5, gone},   {0x1806, 0x1806, '-'},   {0x180B, 0x180F, gone},  {0x2000, 0x200A, ' '},
    {0x200B, 0x200F, gone},   {0x2010, 0x2015, '-'},    {0x2024, 0x2024, '.'},   {0x2028, 0x2029, ' '},   {0x202A, 0x202E, gone},
    {0x202F, 0x202F, ' '},    {0x205F, 0x205F, ' '},    {0x2060, 0x206F, gone},  {0x2070, 0x2070, '0'},   {0x2074, 0x2079, '4'},
    {0x2080, 0x2089, '0'},    {0x20E3, 0x20E3, gone},   {0x2212, 0x2212, '-'},   {0x2460, 0x2468, '1'},   {0x2474, 0x247C, '1'},
    {0x24EA, 0x24EA, '0'},    {0x24F5, 0x24FD, '1'},    {0x24FF, 0x24FF, '0'},   {0x2776, 0x277E, '1'},   {0x2780, 0x2788, '1'},
    {0x278A, 0x2792, '1'},    {0x2E17, 0x2E17, '-'},    {0x2E1A, 0x2E1A, '-'},   {0x2E3A, 0x2E3B, '-'},   {0x2E40, 0x2E40, '-'},
    {0x2E5D, 0x2E5D, '-'},    {0x3000, 0x3000, ' '},    {0x301C, 0x301C, '-'},   {0x3030, 0x3030, '-'},   {0x30A0, 0x30A0, '-'},
    {0x3164, 0x3164, gone},   {0xFE00, 0xFE0F, gone},   {0xFE31, 0xFE32, '-'},   {0xFE58, 0xFE58, '-'},   {0xFE63, 0xFE63, '-'},
    {0xFEFF, 0xFEFF, gone},   {0xFFA0, 0xFFA0, gone},   {0xFFF0, 0xFFFB, gone},  {0x10D6E, 0x10D6E, '-'}, {0x10EAD, 0x10EAD, '-'},
    {0x1BCA0, 0x1BCA3, gone}, {0x1D173, 0x1D17A, gone}, {0x1F10B, 0x1F10C, '0'}, {0xE0000, 0xE0FFF, gone}};

/// What a character beyond ASCII is folded to; kept or gone.
char plain(std::uint32_t c) {
  const bool among_kana = c == 0x301C || c == 0x3030 || c == 0x30A0 || c == 0x3164;
  if (c >= 0x3001 && c < 0xA620 && !among_kana) return kept;  // most of East Asia
  if (c >= 0xFF01 && c <= 0xFF5E) return static_cast<char>(c - 0xFF01 + '!');
  if (c >= 0x1D400 && c <= 0x1D6A3)
    return static_cast<char>((c - 0x1D400) % 52 < 26 ? 'A' + (c - 0x1D400) % 26 : 'a' + (c - 0x1D400) % 26);
  if (c >= 0x1D7CE && c <= 0x1D7FF) return static_cast<char>('0' + (c - 0x1D7CE) % 10);
  const auto* zero = std::upper_bound(std::begin(zeros), std::end(zeros), c);
  if (zero != std::begin(zeros) && c - zero[-1] < 10) return static_cast<char>('0' + c - zero[-1]);
  const auto* row =
      std::upper_bound(std::begin(rows), std::end(rows), c, [](std::uint32_t at, const Row& r) { return at < r.first; });
  if (row == std::begin(rows) || c > row[-1].last) return kept;
  return is_digit(row[-1].first_becomes) ? static_cast<char>(row[-1].first_becomes + c - row[-1].first) : row[-1].first_becomes;
}

bool is_ascii(char c) { return static_cast<unsigned char>(c) < 0x80; }

/// The length of the sequence that this byte begins.
std::size_t sequence(char first) {
  const auto byte = static_cast<unsigned char>(first);
  return byte < 0x80 ? 1 : byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : 4;
}

std::uint32_t code_point(std::string_view sequence) {
  std::uint32_t point = static_cast<unsigned char>(sequence[0]) & (0xFFu >> (sequence.size() + 1));
  for (const char c : sequence.substr(1)) point = point << 6 | (static_cast<unsigned char>(c) & 0x3Fu);
  return point;
}

/// The unit of a \uXXXX at the front.
std::optional<std::uint32_t> unit_of(std::string_view text) {
  if (text.size() < 6 || text[0] != '\\' || text[1] != 'u') return std::nullopt;
  std::uint32_t unit = 0;
  const auto [end, error] = std::from_chars(text.data() + 2, text.data() + 6, unit, 16);
  if (error != std::errc{} || end != text.data() + 6) return std::nullopt;
  return unit;
}

/// Appends what the escape at the front says. Returns its length; 0 if it is none.
std::size_t read_escape(std::string_view text, std::string& out) {
  if (const auto unit = unit_of(text)) {
    const bool high = *unit >= 0xD800 && *unit < 0xDC00;
    const auto low = high ? unit_of(text.substr(6)) : std::nullopt;
    const bool pair = low && *low >= 0xDC00 && *low < 0xE000;
    const bool lone = !pair && *unit >= 0xD800 && *unit < 0xE000;
    wire::append_utf8(out, pair ? 0x10000 + ((*unit - 0xD800) << 10) + (*low - 0xDC00) : lone ? 0xFFFD : *unit);
    return pair ? 12 : 6;
  }
  constexpr std::string_view names = "nrtbf\"\\/", meanings = "\n\r\t\b\f\"\\/";
  const std::size_t which = text.size() < 2 ? std::string_view::npos : names.find(text[1]);
  if (which == std::string_view::npos) return 0;
  out += meanings[which];
  return 2;
}

bool is_base64(char c) { return is_alphanumeric(c) || c == '+' || c == '/'; }

}  // namespace

bool fold(std::string_view text, std::string& out) {
  if (std::all_of(text.begin(), text.end(), is_ascii)) return false;
  bool folded = false;
  out.clear();
  out.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    const std::string_view one = text.substr(at, sequence(text[at]));
    const char becomes = one.size() == 1 ? kept : plain(code_point(one));
    if (becomes == kept)
      out += one;
    else if (becomes != gone)
      out += becomes;
    folded |= becomes != kept;
    at += one.size();
  }
  return folded;
}

bool unescape(std::string_view text, std::string& out) {
  std::size_t at = 0, slash = text.find('\\');
  out.clear();
  bool any = false;
  for (; slash != std::string_view::npos; slash = text.find('\\', at)) {
    out += text.substr(at, slash - at);
    const std::size_t length = read_escape(text.substr(slash), out);
    any |= length != 0;
    if (length == 0) out += '\\';
    at = slash + std::max<std::size_t>(length, 1);
  }
  out += text.substr(at);
  return any;
}

std::string_view without_payload(std::string_view text) {
  if (text.size() < payload_bytes_min) return text;
  std::string_view head, payload = text;
  if (text.starts_with("data:")) {
    const std::size_t comma = text.substr(0, data_head_bytes_max).find(',');
    head = text.substr(0, comma);
    if (comma == std::string_view::npos || !head.ends_with(";base64")) return text;
    payload.remove_prefix(head.size() + 1);
  }
  if (payload.ends_with("==")) payload.remove_suffix(1);
  if (payload.ends_with('=')) payload.remove_suffix(1);
  const bool is_payload = payload.size() >= payload_bytes_min - 2 && std::all_of(payload.begin(), payload.end(), is_base64);
  return is_payload ? head : text;
}

}  // namespace fairlead::content
