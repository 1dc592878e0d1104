#pragma once
// Bank accounts by their IBAN. Pure.
#include <cstddef>
#include <string_view>

namespace fairlead::content {

/// The end of the IBAN that begins here: a country of the registry, its length (with single blanks, points or dashes between), and
/// check digits by MOD 97-10. npos: none.
std::size_t end_of_iban(std::string_view text, std::size_t begin);

}  // namespace fairlead::content
