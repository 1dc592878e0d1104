#pragma once
// The tables behind reports: sums over rows that have ended, and what a month's end, a correction and retention leave behind.
#include <string>

namespace fairlead::sqlite {

/// The schema's second step.
std::string report_tables();

}  // namespace fairlead::sqlite
