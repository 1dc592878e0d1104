#pragma once
// Request and key -> the facts that routing may know. Pure.
#include <fairlead/plan.h>
#include <fairlead/request.h>
#include <fairlead/result.h>

namespace fairlead {

/// Scans the prompt if the snapshot's policies ask what it holds.
/// Errors: unknown_model, if the key may not ask for it or there is no such route or target: the two look the same from outside;
/// policy, if the prompt cannot be scanned.
Result<RequestFacts> classify(const ChatRequest& request, const Key& key, const Snapshot& snapshot);

}  // namespace fairlead
