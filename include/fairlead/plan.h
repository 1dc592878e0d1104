#pragma once
// The outcome of routing one request: ranked candidates with their expected cost, and every rejected target with its reason.
#include <fairlead/snapshot.h>

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace fairlead {

/// All that routing may know of a request.
struct RequestFacts {
  const Key* key = nullptr;
  const Route* route = nullptr;    ///< what it asked for, or
  const Target* target = nullptr;  ///< the one target that it named
  Capabilities needs;
  RequestMode mode;
  bool stream = false;
  std::int64_t input_tokens = 0;                  ///< estimate
  std::optional<std::int64_t> output_tokens_max;  ///< the app's own cap
  std::vector<ContentCount> content;              ///< of each class that was looked for in the prompt
  Endpoint endpoint = Endpoint::chat_completions;
  std::vector<std::string> tags;   ///< that the request added to its key's; in lower case
  std::optional<Address> client;   ///< empty: not known, which counts as being in every network
  const Wishes* wishes = nullptr;  ///< null: none
  std::span<const Member> fields;  ///< of the request's body
};

/// What the world is like at this moment. Grows with health, limits and learned estimates.
struct Conditions {
  double bytes_per_token = 3.5;               ///< the stated prior for input
  std::int64_t output_tokens_expected = 400;  ///< the stated prior for output
  std::vector<bool> unhealthy;                ///< by Target::index; shorter: the rest is healthy
};

/// The arithmetic of one expected cost, kept to be shown.
struct ExpectedCost {
  PriceInForce price;
  Money amount;                       ///< in the price's currency
  Int128 usd_pico = 0, usd_rate = 0;  ///< USD, and USD per unit of the currency, 10^-12
  std::int64_t input_tokens = 0, cached_tokens = 0, output_tokens = 0;
};

struct Candidate {
  const Target* target = nullptr;
  std::optional<ExpectedCost> expected;  ///< empty: the target has no price
};

enum class RejectedBy : std::uint8_t { provider_disabled, capability, policy, price, wish };

struct Rejection {
  const Target* target = nullptr;
  RejectedBy by = RejectedBy::policy;
  std::string rule;    ///< the policy's name, the capability, or "max_price.input"
  std::string reason;  ///< a sentence. Both empty, of a policy's `allow` or `deny`: plan_reasons() tells them
};

struct Plan {
  std::vector<Candidate> candidates;    ///< best first
  std::vector<Rejection> rejections;    ///< in the order of the file; of each target, one of all `allow` and `deny` together
  std::vector<const Policy*> policies;  ///< that apply to the request, in the order of the file
  const std::vector<RegionGroup>* region_groups = nullptr;
  TimePoint at;
  std::string strategy;
};

std::string_view to_string(RejectedBy by);

}  // namespace fairlead
