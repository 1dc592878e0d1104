#pragma once
// What a mistyped name may have meant: for messages about a configuration, and about the wishes of a request. Pure.
#include <string>
#include <string_view>
#include <vector>

namespace fairlead {

/// The known name that takes the fewest changes (insertions, deletions, replacements, swaps of neighbours; case does not count), if
/// these are no more than a third of the word's letters; of several the first. Empty: none is near.
std::string_view nearest(std::string_view word, const std::vector<std::string_view>& known);
/// "did you mean 'deepseek'?" of the nearest, behind what joins it to the text that it ends; `otherwise` if none is near.
std::string did_you_mean(std::string_view word, const std::vector<std::string_view>& known, std::string_view joined_by = "; ",
                         std::string_view otherwise = "");

}  // namespace fairlead
