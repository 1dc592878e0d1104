#pragma once
// What a request is called, and what stands for chance in its plan. Pure.
#include <fairlead/time.h>

#include <cstdint>
#include <random>
#include <string>
#include <string_view>

namespace fairlead::exchange {

/// Time-ordered and unique: "req_" and 32 hex digits, of which the first 12 are milliseconds since 1970.
std::string make_request_id(TimePoint now, std::mt19937_64& random);
/// What stands for chance in the plan of a request: from its id alone, so that the plan can be made again.
std::uint32_t seed_of(std::string_view request_id);

}  // namespace fairlead::exchange
