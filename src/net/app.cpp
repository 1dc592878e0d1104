#include "net/app.h"

#include <charconv>

namespace fairlead::net {

std::string_view AppRequest::field(std::string_view name) const { return value_of(fields, name); }

std::string unescaped(std::string_view part) {
  std::string text;
  for (std::size_t at = 0; at < part.size(); ++at) {
    unsigned char byte = 0;
    const std::string_view digits = part[at] == '%' ? part.substr(at + 1, 2) : std::string_view();
    const char* const end = digits.data() + digits.size();
    const bool escape = digits.size() == 2 && std::from_chars(digits.data(), end, byte, 16).ptr == end;
    text += escape ? static_cast<char>(byte) : part[at];
    if (escape) at += 2;
  }
  return text;
}

}  // namespace fairlead::net
