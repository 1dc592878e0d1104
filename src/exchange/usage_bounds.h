#pragma once
// What a provider's usage can be: figures beyond these bounds are an error of its counting, and not believed. The bounds are wide:
// whoever is within them may still be wrong, whoever is beyond them is. Pure.
#include "exchange/settle.h"

#include <cstdint>

namespace fairlead::exchange {

/// Input: so many tokens for each byte of the request. A token is a byte at least, and chat templates add to each message.
inline constexpr std::int64_t input_tokens_per_byte_max = 2;
/// And so many more: hidden prompts, definitions of the provider's own tools, pages that it searched.
inline constexpr std::int64_t input_tokens_hidden_max = 200'000;
/// For a request with images, sound or files, whose size no byte of the request tells.
inline constexpr std::int64_t input_tokens_media_max = 4'000'000;
/// Output: so many times the limit that the app or the model sets, for each choice: not everyone counts reasoning to it.
inline constexpr std::int64_t output_of_limit_max = 2;
inline constexpr std::int64_t output_tokens_beside_limit = 1'024;
inline constexpr std::int64_t output_tokens_unlimited = 1'000'000;  ///< the limit where nobody states one
/// The part of it that is no reasoning may exceed that limit if the content that came has as many bytes, and by the
/// sound and images in it, up to what the model's limit allows: no bytes tell of them.

/// May this be believed? Only of a 'reported' usage.
bool can_be(const AttemptProgress& attempt, const AnswerSummary& answer);

}  // namespace fairlead::exchange
