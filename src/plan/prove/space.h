#pragma once
// All requests that a key can send to a route, as far as rules can tell them apart: one value of each dimension. The dimensions do
// not depend on each other, so every combination is a request. Pure.
#include "plan/prove/question.h"

#include <fairlead/policy.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace fairlead::prove {

enum Dimension : std::size_t { by_tags, by_content, by_modality, by_endpoint, by_tokens, by_network, by_keeping, by_time };
inline constexpr std::size_t dimension_count = 8;

/// Conditions on tags, content and modality only ever ask for something to be there, so of the sets of these those with the least
/// are enough: none, or the one that an assertion asks for. Tokens, addresses and times are cut where a condition begins or ends,
/// and one stands for all between two cuts. Where the address is not known, all conditions on it hold: from a known one no more do.
/// Of `by_keeping`: the request does not ask its provider to keep it, or it does.
struct Space {
  std::array<std::vector<Value>, dimension_count> values;  ///< of `by_tags`: none here, as they are each key's own
  std::vector<std::string> content;                        ///< each stands for the value at its place; "": none of the classes
  std::vector<std::int64_t> tokens;
  std::vector<Address> addresses;
  std::vector<TimePoint> times;
};

/// One address of each piece that these networks cut the world's into; the first is in none that people name, IPv4 before IPv6.
std::vector<Address> pieces_of_addresses(const std::vector<Network>& networks);

/// All but times.
Space space_of(const Question& question);

/// Tags that requests of a key may add, one or none ("").
struct TagSpace {
  std::vector<std::string> tags;
  std::vector<Value> values;
};
TagSpace tags_of(const Question& question, const Key& key);

}  // namespace fairlead::prove
