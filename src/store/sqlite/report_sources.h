#pragma once
// The rows that a report counts, as SQL that hands them to a tally. Each query is of what counts from ?1 on and before ?2.
#include "store/sqlite/tally.h"

#include <string>
#include <vector>

namespace fairlead::sqlite {

/// Of what is in no sum yet: how many it is, and nothing else.
std::vector<std::string> open_rows();
/// Of all that is in sums, the same.
std::vector<std::string> ended_rows();

}  // namespace fairlead::sqlite
