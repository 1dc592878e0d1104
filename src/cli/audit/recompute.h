#pragma once
// A request's amounts from its tokens and the prices in its own row, computed apart from the code that made them (src/contract/),
// so that a fault of either shows. Pure.
#include <fairlead/store.h>

#include <string>
#include <vector>

namespace fairlead::cli {

/// What does not follow from the row: a sentence for each amount. Rows that have not ended have none to tell.
std::vector<std::string> recompute(const RequestRecord& record);

}  // namespace fairlead::cli
