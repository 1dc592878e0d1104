#pragma once
// Who asks: a header -> a key. Pure.
#include <fairlead/result.h>
#include <fairlead/snapshot.h>

#include <string_view>

namespace fairlead {

/// `authorization`: the whole header, "Bearer sk-...". Its SHA-256 is looked up among Snapshot::secrets.
/// `now`: what is expired by then is refused. Errors: unauthorized, with one constant message whatever the cause.
Result<const Key*> authenticate(std::string_view authorization, const Snapshot& snapshot, TimePoint now);

}  // namespace fairlead
