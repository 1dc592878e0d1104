#pragma once
// What providers say when they refuse, in the ten shapes they say it in, and what it means. Pure.
#include <fairlead/dialect.h>

#include <string>
#include <string_view>

namespace fairlead::openai {

/// As Dialect::read_refusal.
Error read_refusal(int status, std::string_view body, const Target& target);

/// An error inside an answer that had begun with 200; `text` is the JSON text that holds it, or plain words.
/// The kind is that of the profile's rule if one matches, and else upstream_error_event.
Error error_in_answer(std::string_view text, const Target& target);

/// The text with everything that looks like a credential, and the key in whatever encoding, replaced by "[masked]"; control
/// characters become spaces; cut to 2,000 bytes at a character's edge.
std::string safe_text(std::string_view text, std::string_view api_key);

}  // namespace fairlead::openai
