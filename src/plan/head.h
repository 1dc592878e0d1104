#pragma once
// What a request tells beside its body: where it comes from, and the fields that speak to fairlead. Pure.
#include <fairlead/plan.h>
#include <fairlead/result.h>

#include <memory>
#include <string_view>
#include <utility>
#include <vector>

namespace fairlead {

struct Head {
  std::string_view peer;                                           ///< of the connection, "192.0.2.7:50312"
  std::vector<std::string_view> forwarded_for;                     ///< X-Forwarded-For, each in the order of the head
  std::vector<std::pair<std::string_view, std::string_view>> own;  ///< x-fairlead-*
};

/// Of the names of fields, in any case. What is asked of every field of every request, so here.
inline bool begins_as(std::string_view name, std::string_view lower_case) {
  if (name.size() < lower_case.size()) return false;
  for (std::size_t i = 0; i < lower_case.size(); ++i)
    if ((name[i] >= 'A' && name[i] <= 'Z' ? name[i] - 'A' + 'a' : name[i]) != lower_case[i]) return false;
  return true;
}
inline constexpr std::string_view own_prefix = "x-fairlead-";
inline bool is_own_field(std::string_view name) { return begins_as(name, own_prefix); }
inline bool is_forwarded_for(std::string_view name) { return name.size() == 15 && begins_as(name, "x-forwarded-for"); }

/// Adds the app's address, tags and wishes. The address is the peer's; of a trusted proxy's request it is the last one that it
/// forwards for and that is no trusted proxy. What cannot be read is not known. `wishes`: those of the body, null if there are
/// none; what the facts point at. Errors: bad_request with `param`, for a field that is not known or not understood, and for a tag
/// that the key may not set: an app that asks for less must not be given more.
Result<void> add_head(RequestFacts& facts, std::unique_ptr<Wishes>& wishes, const Head& head, const Snapshot& snapshot);

}  // namespace fairlead
