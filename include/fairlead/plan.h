#pragma once
// The outcome of routing one request: ranked candidates with their expected cost, and every rejected target with its reason.
#include <fairlead/estimate.h>
#include <fairlead/snapshot.h>

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace fairlead {

/// How a request is recognised that goes on with an earlier one: hashes of the key and of how `messages` begins. 0: too short for
/// any provider to keep it.
struct Conversation {
  std::uint64_t opening = 0;  ///< up to the first message of a user: what an app tells every user's model alike
  std::uint64_t whole = 0;    ///< up to the end of that message
  double opening_share = 0;   ///< of the input
};

/// All that routing may know of a request.
struct RequestFacts {
  const Key* key = nullptr;
  const Route* route = nullptr;    ///< what it asked for, or
  const Target* target = nullptr;  ///< the one target that it named
  Capabilities needs;
  RequestMode mode;
  bool stream = false;
  Keeping keeping = Keeping::not_asked;                   ///< if it asks for that, no target's `retention` is stated to it
  bool unknown_content = false;                           ///< it may carry images and sound beside what it needs
  std::int64_t input_tokens = 0;                          ///< estimate by the stated priors, the same for every target
  std::optional<std::int64_t> output_tokens_max;          ///< the app's own cap, of each choice
  std::optional<std::int64_t> output_tokens_max_of_both;  ///< as ChatRequest has it
  std::int64_t choices = 1;                               ///< answers that it asks for, up to choices_max
  std::vector<ContentCount> content;                      ///< of each class that was looked for in the prompt
  Endpoint endpoint = Endpoint::chat_completions;
  std::vector<std::string> tags;   ///< that the request added to its key's; in lower case
  std::optional<Address> client;   ///< empty: not known, which counts as being in every network
  const Wishes* wishes = nullptr;  ///< null: none
  std::span<const Member> fields;  ///< of the request's body
  TextBytes text;                  ///< of the input; empty: `input_tokens` is all that is known
  Conversation conversation;
};

inline constexpr std::int64_t choices_max = 1'000;  ///< so that no estimate overflows; APIs give 128 at most

/// What the world is like at this moment: all that a plan depends on beside the request, the snapshot and the time.
struct Conditions {
  double output_tokens_expected = prior_output_tokens;  ///< of this route and key
  std::vector<bool> unhealthy;                          ///< by Target::index; shorter: the rest is healthy
  std::span<const TargetEstimate> estimates;            ///< by Target::index; shorter: the priors. Not owned
  std::uint32_t seed = 0;                               ///< stands for chance

  const TargetEstimate& estimate_of(const Target& target) const;
  bool healthy(const Target& target) const;
};

/// The arithmetic of one expected cost, kept to be shown.
struct ExpectedCost {
  PriceInForce price;
  Money amount;                       ///< in the price's currency
  Int128 usd_pico = 0, usd_rate = 0;  ///< USD, and USD per unit of the currency, 10^-12
  std::int64_t input_tokens = 0;      ///< uncached
  std::int64_t cached_tokens = 0, output_tokens = 0;
};

struct Candidate {
  const Target* target = nullptr;
  std::optional<ExpectedCost> expected;  ///< empty: the target has no price
  std::int64_t input_tokens = 0, output_tokens = 0;
  std::optional<std::int64_t> repeated_tokens = {};  ///< as TargetEstimate had it
  TargetTerms terms = {};                            ///< what the route says of it
  std::optional<AnswerTimes> times = {};             ///< where the strategy asks for them; empty: not measured
  bool explored = false;                             ///< put in front, so that it is measured
};

enum class RejectedBy : std::uint8_t { provider_disabled, capability, policy, price, wish, quality, budget };

struct Rejection {
  const Target* target = nullptr;
  RejectedBy by = RejectedBy::policy;
  std::string rule;    ///< the policy's name, the capability, "max_price.input" or "quality_min"
  std::string reason;  ///< a sentence. Both empty, of a policy's `allow` or `deny`: plan_reasons() tells them
};

struct Plan {
  std::vector<Candidate> candidates;    ///< best first
  std::vector<Rejection> rejections;    ///< in the order of the file; of each target, one of all `allow` and `deny` together
  std::vector<const Policy*> policies;  ///< that apply to the request, in the order of the file
  const std::vector<RegionGroup>* region_groups = nullptr;
  Keeping keeping = Keeping::not_asked;  ///< of the request
  TimePoint at;
  std::string strategy;
  std::optional<Milliseconds> first_token_ms_max;  ///< of the route, where the strategy asks for times
  bool times = false;                              ///< the strategy looked at times
  std::optional<std::uint32_t> seed;               ///< where the strategy leaves something to chance
};

std::string_view to_string(RejectedBy by);

}  // namespace fairlead
