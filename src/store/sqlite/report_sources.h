#pragma once
// The rows that a report counts, as SQL that hands them to a tally.
#include "store/sqlite/tally.h"

#include <string>
#include <vector>

namespace fairlead::sqlite {

/// Microseconds; as texts for SQL.
struct Span {
  std::string since, until;  ///< empty: open
};

/// Of what is in no sum yet: how many it is, and nothing else.
std::vector<std::string> open_rows(const Span& period);
/// All. `sent_since`: no row that counts in the period was sent before.
std::vector<std::string> all_rows(const Span& period, const std::string& sent_since);

}  // namespace fairlead::sqlite
