#pragma once
// The strict grammar over the raw bytes of an answer's head. Pure. Used by Response; framing.h is its like for requests.
#include "net/field.h"

#include <fairlead/result.h>

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace fairlead::net {

/// Views point into the bytes that it was read from.
struct ResponseHead {
  int status = 0;
  bool keep_alive = true;  ///< by version and Connection
  bool chunked = false;    ///< never together with content_length
  std::optional<std::uint64_t> content_length;
  std::vector<Field> fields;

  bool has_body() const { return status / 100 != 1 && status != 204 && status != 304; }
};

/// Reads one whole head, from the version to the empty line. What frames the body must be said once, and plainly.
/// Errors: upstream_protocol with the rule that was broken.
Result<ResponseHead> parse_response_head(std::string_view bytes);

}  // namespace fairlead::net
