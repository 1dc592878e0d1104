#pragma once
// The gate in front of everything: a strict grammar over the raw bytes of a request's head. What two readers could understand in
// two ways is refused. Pure. The written table of what passes and what does not is tests/unit/net/framing_test.cpp.
#include <fairlead/result.h>

#include "net/field.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace fairlead::net {

inline constexpr std::size_t fields_max = 100;

/// A proven head. Views point into the bytes that it was read from.
struct Head {
  std::string_view method;
  std::string_view target;       ///< as sent, origin-form only
  std::string_view path, query;  ///< its halves; neither holds the '?'
  std::vector<Field> fields;     ///< values without the spaces around them
  bool http_1_0 = false;
  bool keep_alive = true;  ///< by version and Connection
  bool chunked = false;    ///< never together with content_length
  bool expect_continue = false;
  std::optional<std::uint64_t> content_length;
  std::string_view content_coding;  ///< Content-Encoding; may be empty
};

/// The length of the head that `bytes` begin with, its empty line included; 0: not whole yet. The first `looked_at` bytes were
/// looked at by an earlier call. Errors: bad_request as soon as the bytes cannot become a head (not a method, a bare LF).
Result<std::size_t> find_head_end(std::string_view bytes, std::size_t looked_at);

/// Reads one whole head, from the method to the empty line.
/// Errors: bad_request with the rule that was broken; head_too_large for more than `fields_max` fields.
Result<Head> parse_head(std::string_view bytes);

}  // namespace fairlead::net
