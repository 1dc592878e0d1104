#pragma once
// A request of the past, told to a person. Pure; used by `explain`.
#include <fairlead/store.h>

#include <string>

namespace fairlead::cli {

/// Who asked what, each candidate with the arithmetic of its expected cost, each rejection with its rule, each attempt with its
/// figures, and the ledger line. Columns without any value are left out.
std::string explain_text(const RequestRecord& record);

}  // namespace fairlead::cli
