#pragma once
// A request of the past, told to a program. Pure; used by `explain`.
#include <fairlead/store.h>

#include <string>

namespace fairlead::cli {

/// Both rows with all their fields, and the plan. Amounts are decimal strings, times are UTC, and what is unknown is null.
std::string explain_json(const RequestRecord& record);

}  // namespace fairlead::cli
