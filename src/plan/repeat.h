#pragma once
// By what a repeat of a request is known: digests of its Idempotency-Key, within its key, and of its body. Pure.
#include <fairlead/result.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace fairlead {

struct RepeatMarks {
  std::array<std::uint8_t, 16> name{};  ///< of the key and what its app calls the request
  std::array<std::uint8_t, 16> body{};
  bool operator==(const RepeatMarks&) const = default;
};

inline constexpr std::size_t idempotency_key_bytes_max = 255;

/// Errors: bad_request, for a name that is empty, longer than that, or holds anything but printable ASCII.
Result<RepeatMarks> repeat_marks(std::string_view key_name, std::string_view idempotency_key, std::string_view body);

inline constexpr std::string_view repeat_marks_word = R"("idempotency":")";  ///< facts that hold it hold marks

/// For a row: `{"idempotency":"<name><body>"}` in hex, and back. Empty: there are none in it.
std::string facts_text(const RepeatMarks& marks);
std::optional<RepeatMarks> marks_in(std::string_view facts);

}  // namespace fairlead
