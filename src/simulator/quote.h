#pragma once
// Text as a JSON string, and text cut between characters. Pure.
#include <cstdint>
#include <string>
#include <string_view>

namespace fairlead::simulator {

/// With its quotes; UTF-8 stays as it is, and broken UTF-8 becomes U+FFFD.
std::string quote(std::string_view text);

/// The same; null for an empty text.
std::string quote_or_null(std::string_view text);

/// The end of the token that begins at `begin`: at most 4 bytes, never inside a character, always further on.
std::size_t token_end(std::string_view text, std::size_t begin);

/// Units: tokens of text at one per 4 bytes, characters kept whole.
std::int64_t count_tokens(std::string_view text);

/// The longest beginning of at most `bytes` that ends between characters.
std::string_view cut_at_character(std::string_view text, std::size_t bytes);

}  // namespace fairlead::simulator
