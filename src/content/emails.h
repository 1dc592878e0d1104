#pragma once
// E-mail addresses. Pure.
#include "content/kinds.h"

#include <string_view>

namespace fairlead::content {

/// Addresses as people write them (RFC 5322 without quotes and comments, RFC 6531 for other scripts), at a domain of at least two
/// labels. `text` as fold() leaves it.
void find_emails(std::string_view text, Tally& tally);

}  // namespace fairlead::content
