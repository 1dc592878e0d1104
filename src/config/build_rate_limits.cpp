// What keys, teams and routes may ask for, and how repeated requests are known.
#include "config/build.h"

namespace fairlead::config {

std::optional<RateLimits> rate_limits_of(const Section& owner) {
  if (owner.find("limits") == nullptr) return std::nullopt;
  RateLimits limits;
  const Section from = owner.section("limits");
  for (std::size_t i = 0; i < limit_count; ++i) limits.most[i] = from.integer(to_string(static_cast<Limit>(i)));
  return limits;
}

void build_idempotency(Build& build) {
  const Section from = build.root.section("idempotency");
  Idempotency& to = build.snapshot.idempotency;
  to.window = from.duration("window");
  to.memory_bytes_max = from.bytes("memory_bytes_max");
  to.answer_bytes_max = from.bytes("answer_bytes_max");
  if (const Value* answer = from.find("answer_bytes_max"); answer != nullptr && to.answer_bytes_max > to.memory_bytes_max / 4 * 3)
    build.findings.error(*answer, "no answer of this size would find room", "write at most three quarters of memory_bytes_max");
}

}  // namespace fairlead::config
