#pragma once
// The request that configurations are compared by: the same for every key and every route that it may ask for. Pure; used by
// `diff`.
#include <fairlead/plan.h>

#include <cstdint>
#include <optional>

namespace fairlead::cli {

struct Reference {
  std::int64_t input_tokens = 1'000, output_tokens = 400;
  TimePoint at;
  std::optional<Address> client;  ///< empty: it is asked from each network that policies tell apart
};

/// Where it would go from this address: a chat that needs nothing special, while everything is healthy.
Plan plan_of(const Reference& reference, const Address& client, const Key& key, const Route& route, const Snapshot& snapshot);

}  // namespace fairlead::cli
