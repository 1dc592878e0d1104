#pragma once
// Bytes as text.
#include <string>
#include <string_view>

namespace fairlead {

/// Two digits for each byte, in lower case.
std::string hex(std::string_view bytes);

}  // namespace fairlead
