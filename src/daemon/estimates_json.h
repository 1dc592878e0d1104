#pragma once
// Estimates as JSON: for the file that keeps them over a restart, and for people. Pure.
#include <fairlead/result.h>

#include "state/estimates.h"

#include <string>
#include <string_view>

namespace fairlead::daemon {

/// All sums, so that parse_estimates() gives the same estimates.
std::string estimates_sums(const state::Everything& everything);
/// Errors: io, in words for the operator; nothing of a text that is not whole and plausible is taken.
Result<state::Everything> parse_estimates(std::string_view text);

/// {"priors":{...},"targets":[{"target","bytes_per_token":{script: bytes},"input_evidence":{script: attempts},"output_ratio",
/// "cache_share","first_token_ms":{"p50","p90"},"token_ms":{"p50"},"measured"}],"outputs":[{"route","key","output_tokens",
/// "answers"}]}.
std::string estimates_text(const state::Everything& everything, TimePoint now);

}  // namespace fairlead::daemon
