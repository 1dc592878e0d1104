#pragma once
// Assertions as a part of a load: what is not proved lets nothing in. Pure; any thread.
#include "config/config.h"

#include <vector>

namespace fairlead::daemon {

/// For config::Sources::prove: all assertions, and all keys.
std::vector<config::Unproved> unproved(const Snapshot& snapshot, TimePoint now);
/// The same, but of keys of the ledger's database alone. Of what the files say by themselves is asked when they are taken in: not
/// again when keys change, so that nothing stands in the way of one that is revoked.
std::vector<config::Unproved> unproved_by_stored_keys(const Snapshot& snapshot, TimePoint now);

}  // namespace fairlead::daemon
