#include "plan/repeat.h"

#include <fairlead/hex.h>

#include <openssl/evp.h>

#include <algorithm>
#include <stdexcept>

namespace fairlead {
namespace {

/// The first half of the SHA-256 of the parts, of which none but the last holds a zero.
std::array<std::uint8_t, 16> mark_of(std::string_view first, std::string_view last) {
  std::string text;
  if (!first.empty()) text.append(first) += '\0';
  const std::string_view whole = first.empty() ? last : text.append(last);
  std::array<std::uint8_t, EVP_MAX_MD_SIZE> digest{};
  if (EVP_Digest(whole.data(), whole.size(), digest.data(), nullptr, EVP_sha256(), nullptr) != 1)
    throw std::runtime_error("SHA-256 failed");
  std::array<std::uint8_t, 16> mark{};
  std::copy_n(digest.begin(), mark.size(), mark.begin());
  return mark;
}

bool read_hex(std::string_view text, std::array<std::uint8_t, 16>& mark) {
  for (std::size_t i = 0; i < 2 * mark.size(); ++i) {
    const std::size_t digit = std::string_view("0123456789abcdef").find(text[i]);
    if (digit == std::string_view::npos) return false;
    mark[i / 2] = static_cast<std::uint8_t>(mark[i / 2] << 4 | digit);
  }
  return true;
}

}  // namespace

Result<RepeatMarks> repeat_marks(std::string_view key_name, std::string_view idempotency_key, std::string_view body) {
  const bool plain = std::all_of(idempotency_key.begin(), idempotency_key.end(), [](char c) { return c >= ' ' && c <= '~'; });
  if (idempotency_key.empty() || idempotency_key.size() > idempotency_key_bytes_max || !plain) {
    Error error(ErrorKind::bad_request, ErrorOrigin::app,
                "Idempotency-Key must have 1 to " + std::to_string(idempotency_key_bytes_max) + " printable ASCII characters.");
    error.set_param("Idempotency-Key");
    return error;
  }
  return RepeatMarks{mark_of(key_name, idempotency_key), mark_of({}, body)};
}

std::string facts_text(const RepeatMarks& marks) {
  std::string text = "{";
  text += repeat_marks_word;
  for (const auto* mark : {&marks.name, &marks.body}) text += hex({reinterpret_cast<const char*>(mark->data()), mark->size()});
  return text += "\"}";
}

std::optional<RepeatMarks> marks_in(std::string_view facts) {
  RepeatMarks marks;
  const std::size_t at = facts.find(repeat_marks_word);
  if (at == std::string_view::npos) return std::nullopt;
  const std::string_view digits = facts.substr(at + repeat_marks_word.size());
  if (digits.size() < 64 || !read_hex(digits.substr(0, 32), marks.name) || !read_hex(digits.substr(32, 32), marks.body))
    return std::nullopt;
  return marks;
}

}  // namespace fairlead
