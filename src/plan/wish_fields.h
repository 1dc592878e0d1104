#pragma once
// Wishes of SDKs that cannot add fields to a body: x-fairlead-* in the head. Pure.
#include <fairlead/request.h>
#include <fairlead/result.h>

#include <memory>
#include <string_view>

namespace fairlead {

/// Takes one field, by its name after "x-fairlead-": only, ignore, order, models (lists with commas), sort, data-collection,
/// allow-fallbacks, require-parameters, max-price-input, max-price-output. Makes the wishes if there are none.
/// Of two words for the same (allow-fallbacks, data-collection, require-parameters) the narrower holds.
/// Errors: bad_request with `param`, for a field that is not known or not understood, and for a list, price or order that is not
/// what was said before, here or in the body: which of the two would be narrower?
Result<void> take_wish(std::string_view name, std::string_view value, std::unique_ptr<Wishes>& wishes);

/// Without the spaces and tabs around it.
std::string_view trimmed(std::string_view text);

}  // namespace fairlead
