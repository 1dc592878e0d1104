#pragma once
// The request half of the `openai` dialect: what an app sends, and what a provider is sent. Pure.
#include <fairlead/dialect.h>

namespace fairlead::openai {

/// As Dialect::parse_request.
Result<ChatRequest> parse_request(Bytes body);

/// As Dialect::encode_request. The body is the app's with edits, by these rules (profiles.yaml has the values):
///  - `model` becomes the target's; `drop` removes and `rename` renames top-level fields (where theirs is there already, ours
///  goes);
///  - of max_completion_tokens and max_tokens one goes upstream, under the name of `output_limit_field`; the former wins if both
///  are set;
///  - `provider` and `models` are wishes for us, and go;
///  - include_usage is added to a stream that did not ask for it, beside what stream_options holds;
///  - the role `developer` becomes `system`, and reasoning_content of earlier answers gets the provider's name for it.
EncodedRequest encode_request(const ChatRequest& request, const Target& target);

}  // namespace fairlead::openai
