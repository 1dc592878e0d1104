#pragma once
// A request that nobody has sent: what `explain` and routing tests ask about. Plain values.
#include <fairlead/policy.h>

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace fairlead {

inline constexpr std::int64_t usual_input_tokens = 1'000;  ///< where neither a body nor a number is given

struct Hypothetical {
  std::string key;    ///< its name
  std::string route;  ///< or a target, as an app would ask for it; empty: what the body asks for, or else the key's first route
  std::optional<std::int64_t> input_tokens, output_tokens_max;  ///< in the place of the body's
  std::vector<std::string> tags;                                ///< that the request adds
  std::vector<std::string> content;                             ///< classes that its prompt holds, beside what the body does
  std::vector<Modality> modalities;                             ///< beside what the body carries
  Endpoint endpoint = Endpoint::chat_completions;
  std::string client;                                     ///< an address; empty: not known, which counts as being in every network
  std::vector<std::pair<std::string, std::string>> head;  ///< fields of it that speak to fairlead: x-fairlead-*
  bool stream = false;
  bool store = false;  ///< it asks its provider to keep it
};

}  // namespace fairlead
