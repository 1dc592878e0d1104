#pragma once
// Readings of a text that make it plain enough for the finders. Pure; the text is UTF-8.
#include <string>
#include <string_view>

namespace fairlead::content {

/// What only looks different, made plain: digits of other scripts and full-width characters become ASCII, the blanks and dashes of
/// Unicode ' ' and '-', and characters that nobody sees go. False: there is nothing of the kind, and `out` means nothing.
bool fold(std::string_view text, std::string& out);

/// A text that holds JSON or a literal of a program, with its escapes read. False: there are none, and `out` means nothing.
bool unescape(std::string_view text, std::string& out);

/// What is left to read of a text that ends in the base64 of an image, a sound or a file (at least 512 characters, and no other):
/// nothing, or the `data:...;base64` before it, which may say anything. All of any other text.
std::string_view without_payload(std::string_view text);

}  // namespace fairlead::content
