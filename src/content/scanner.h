#pragma once
// The scanner of one snapshot: compiled once, for the classes that its policies name. Any thread.
#include <fairlead/content.h>

#include "content/own.h"

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

namespace fairlead::content {

inline constexpr std::size_t text_bytes_max = 16 << 20;  ///< of one request; above it, nobody says what is in it
inline constexpr int nested_max = 3;                     ///< JSON within a text of the request, within a text of that, ...

/// `asked`: names of built_in_classes() and of `own`, each once; others are found nowhere. `own` is without faults.
std::unique_ptr<const ContentScanner> make_scanner(const std::vector<std::string>& asked, const std::vector<OwnClass>& own);

}  // namespace fairlead::content
