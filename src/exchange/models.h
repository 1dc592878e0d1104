#pragma once
// GET /v1/models and /v1/models/{id}: what a key may ask for. Pure.
#include <fairlead/result.h>
#include <fairlead/snapshot.h>

#include <string>
#include <string_view>

namespace fairlead::exchange {

/// {"object":"list","data":[...]}: the key's routes, and its targets where it may name them.
std::string models_json(const Key& key);
/// One of them; `escaped_id` may be percent-encoded, as SDKs do with slashes. Errors: unknown_model.
Result<std::string> model_json(std::string_view escaped_id, const Key& key);

}  // namespace fairlead::exchange
