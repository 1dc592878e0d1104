#pragma once
// Checks the values of one file against the description, and marks what nobody may read. Pure; any thread.
#include "config/findings.h"
#include "config/options.h"
#include "config/value.h"

namespace fairlead::config {

/// Sets the paths, unfolds the short forms (a text for an object or a list of one), and reports unknown keys, wrong types, values
/// out of limits and missing keys. What is reported as wrong is then not `good`. Keys that the root requires are checked by
/// validate_whole(), for files may share them.
void validate(Value& root, Findings& findings);
/// What only holds for all files of a configuration together.
void validate_whole(const Value& root, Findings& findings);

}  // namespace fairlead::config
