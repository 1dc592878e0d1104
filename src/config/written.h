#pragma once
// What the files state, option by option, for who compares two of them. Pure.
#include "config/config.h"
#include "config/value.h"

#include <vector>

namespace fairlead::config {

/// All that `diff` does not compare by what it means: limits, timeouts, words of content, dated prices, .... In the order of the
/// files; lists of plain values are one text. What looks like a secret is not shown, and neither are routing tests.
std::vector<WrittenOption> written_options(const Value& root);

}  // namespace fairlead::config
