#pragma once
// A request, of the past or one that nobody has sent, told to a person. Pure; used by `explain`.
#include <fairlead/store.h>

#include <string>
#include <string_view>

namespace fairlead::cli {

/// Who asked what, each candidate with the arithmetic of its expected cost, each rejection with its rule, each attempt with its
/// figures, and the ledger line. Columns without any value are left out.
std::string explain_text(const RequestRecord& record);

/// The explanation() of a request that nobody has sent, in the same form.
std::string explain_hypothetical_text(std::string_view explanation);

}  // namespace fairlead::cli
