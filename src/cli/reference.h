#pragma once
// The request that configurations are compared by: the same for every key and every route that it may ask for. Pure; used by
// `diff`.
#include <fairlead/plan.h>

#include <cstdint>

namespace fairlead::cli {

struct Reference {
  std::int64_t input_tokens = 1'000, output_tokens = 400;
  TimePoint at;
  Address client = *parse_ip("192.0.2.1");  ///< for documentation, so in no network that anybody names
};

/// Where it would go: a chat that needs nothing special, while everything is healthy.
Plan plan_of(const Reference& reference, const Key& key, const Route& route, const Snapshot& snapshot);

}  // namespace fairlead::cli
