#pragma once
// Request and key -> the facts that routing may know. Pure.
#include <fairlead/plan.h>
#include <fairlead/request.h>
#include <fairlead/result.h>

namespace fairlead {

/// All but content, tags, address and the wishes of the head.
/// Errors: unknown_model, if the key may not ask for it or there is no such route or target: the two look the same from outside.
Result<RequestFacts> classify(const ChatRequest& request, const Key& key);

/// Scans the prompt if the snapshot's policies ask what it holds. Apart from the above, so that the row of a request that cannot be
/// scanned knows its route. Errors: policy, if the prompt cannot be scanned.
Result<void> look_for_content(RequestFacts& facts, const ChatRequest& request, const Snapshot& snapshot);

}  // namespace fairlead
