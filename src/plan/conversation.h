#pragma once
// How a request is recognised that goes on with an earlier one of the same key: by how its messages begin. Pure.
#include <fairlead/plan.h>
#include <fairlead/request.h>

namespace fairlead {

inline constexpr std::size_t cached_bytes_min = 256;  ///< no provider keeps a shorter beginning

/// Hashes of what a provider's prompt cache could know again. Of long ones, length, first and last bytes are looked at: two
/// that are taken for the same only make the expected cost of a request wrong.
Conversation conversation_of(const ChatRequest& request, const Key& key);

}  // namespace fairlead
