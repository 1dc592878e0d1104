#pragma once
// What routing knew of a request beside its prompt, as the ledger keeps it: for `explain` of the past, and for `replay`. Pure.
#include <fairlead/plan.h>
#include <fairlead/request.h>
#include <fairlead/result.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace fairlead {

/// JSON of what is not the usual, so that the same recurs for many requests: {"needs","thinking","service_tier","choices",
/// "output_tokens_max" (up to the next power of two),"keeping","unknown_content","tags","client","wishes"}. Empty: all is the
/// usual.
std::string facts_text(const RequestFacts& facts);

/// One number for facts whose text is the same; 0: the text is empty. Empty for what an app words itself: tags, addresses, wishes.
std::optional<std::uint64_t> facts_number(const RequestFacts& facts);

/// The text read again.
struct RecalledFacts {
  ChatRequest body;               ///< with needs, mode, choices, wishes and the cap of the output
  std::vector<std::string> tags;  ///< that the request added
  std::string client;             ///< its address; empty: not known
};
/// Errors: config, for what is no such text.
Result<RecalledFacts> recall_facts(std::string_view text);

}  // namespace fairlead
