#pragma once
// YAML text -> located values. Pure; any thread. JSON is YAML too.
#include "config/findings.h"
#include "config/value.h"

#include <cstddef>
#include <optional>
#include <string>

namespace fairlead::config {

inline constexpr std::size_t nesting_max = 32;              ///< lists and maps inside each other
inline constexpr std::size_t values_bytes_max = 64u << 20;  ///< memory of one file's values, aliases unfolded

/// One document. Aliases are unfolded. An empty text is a null.
/// Errors: to `findings`, at most one: syntax, a key written twice, a key that is not text, a tag, a second document, an alias to
/// itself, or a limit above; then nothing is returned. Never throws.
std::optional<Value> parse_yaml(const std::string& text, int file, Findings& findings);

}  // namespace fairlead::config
