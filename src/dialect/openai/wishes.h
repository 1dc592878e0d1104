#pragma once
// What a request wishes of its routing: OpenRouter's `provider` object and `models`. Pure.
#include <fairlead/request.h>
#include <fairlead/result.h>

#include <string_view>

namespace fairlead::openai {

/// Reads the value of `provider` or `models`, which is proven to be JSON. A null wishes nothing.
/// Errors: bad_request with `param`, for what is not understood: an app that asks for less must not be given more.
Result<void> read_wishes(std::string_view field, std::string_view value, Wishes& wishes);

}  // namespace fairlead::openai
