#include <fairlead/dialect.h>

namespace fairlead {

std::size_t EncodedRequest::body_bytes() const {
  std::size_t bytes = 0;
  for (const std::string_view piece : body) bytes += piece.size();
  return bytes;
}

}  // namespace fairlead
