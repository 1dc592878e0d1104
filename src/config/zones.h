#pragma once
// The time zones of the IANA database, as the system has it (package tzdata). Thread-safe.
#include <fairlead/calendar.h>

#include <memory>
#include <string>

namespace fairlead::config {

/// Null if there is no such zone. Each is read once, and is for the years 2020 to 2049.
std::shared_ptr<const Zone> find_zone(const std::string& name);

}  // namespace fairlead::config
