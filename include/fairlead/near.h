#pragma once
// Names in messages about a configuration or a request: how they are shown, and what a mistyped one may have meant. Pure.
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

/// "a, b, c"
std::string joined(const std::vector<std::string>& names, std::string_view between = ", ");

/// The text with '?' for control characters.
std::string printable(std::string_view text);
/// What somebody asked for that is not there, to be told in a message: printable, and its first 128 bytes.
std::string echo_of(std::string_view name);

}  // namespace fairlead
