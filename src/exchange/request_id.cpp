#include "exchange/request_id.h"

namespace fairlead::exchange {

std::string make_request_id(TimePoint now, std::mt19937_64& random) {
  const auto ms = static_cast<std::uint64_t>(std::chrono::duration_cast<Milliseconds>(now.time_since_epoch()).count());
  const std::uint64_t high = ms << 16 | (random() & 0xffff);
  const std::uint64_t low = random();
  std::string id("req_00000000000000000000000000000000");
  char* at = id.data() + 4;
  for (const std::uint64_t half : {high, low})
    for (int shift = 60; shift >= 0; shift -= 4) *at++ = "0123456789abcdef"[half >> shift & 0xf];
  return id;
}

std::uint32_t seed_of(std::string_view request_id) {
  std::uint32_t hash = 2166136261;  // FNV-1a
  for (const char c : request_id) hash = (hash ^ static_cast<unsigned char>(c)) * 16777619;
  return hash;
}

}  // namespace fairlead::exchange
