#pragma once
// How long a provider asks to be left alone. Pure.
#include <fairlead/snapshot.h>

#include <optional>
#include <string_view>

namespace fairlead::exchange {

/// By its fields `retry-after-ms` and `retry-after`, of which the former counts: a number, whole or not, or a date (IMF-fixdate) of
/// the second. At most a day. Empty: neither says anything.
std::optional<Milliseconds> read_retry_after(std::string_view retry_after_ms, std::string_view retry_after, TimePoint now);

}  // namespace fairlead::exchange
