#pragma once
// One JSON text of an answer, a chunk of a stream or the whole, read in one pass: what was said, and where the bytes stand that
// may have to change. Pure.
#include "dialect/openai/splice.h"
#include "dialect/openai/usage.h"
#include "wire/json.h"

#include <bit>
#include <cstdint>
#include <string_view>
#include <vector>

namespace fairlead::openai {

/// Bit i is the choice of index i. No API gives more than 128; any beyond shares the last bit, and never counts as finished.
__extension__ using ChoiceSet = unsigned __int128;
constexpr std::uint64_t choice_bits = 128;
constexpr int count_of(ChoiceSet choices) {
  return std::popcount(static_cast<std::uint64_t>(choices)) + std::popcount(static_cast<std::uint64_t>(choices >> 64));
}

/// Of an AnswerText, what has no room of its own: plain figures and views.
struct AnswerMarks {
  bool well_formed = false;  ///< a JSON object
  bool truncated = false;    ///< it ended too early, but was right up to there
  bool error = false;        ///< it is an error, in any of the shapes that come inside answers
  bool has_choices = false;  ///< `choices` is an array
  bool has_content = false;  ///< of some choice: text, reasoning, a refusal, a tool call, sound or an end
  std::size_t content_bytes = 0;
  bool has_reasoning = false;   ///< some of the content is reasoning
  std::string_view broken_off;  ///< a finish_reason that says that the provider failed, in our words; empty: none does
  ChoiceSet choices_seen = 0, choices_finished = 0;
  wire::JsonString id, model, service_tier, finish_reason;  ///< the last is the first choice's
  Range model_value;                                        ///< with quotes; empty if it is no string or empty
  Range usage_value;                                        ///< of the top level, if it is an object; else empty
  Range padding;  ///< the string of `obfuscation`, without quotes, if it comes last; else empty
};

/// Views and offsets are of the text that was read. Reused from chunk to chunk, so that reading allocates nothing.
struct AnswerText : AnswerMarks {
  std::vector<std::string_view> contents;  ///< what `content_bytes` counts
  std::vector<std::string_view> usages;    ///< every usage object that is not null, in order
  std::vector<Range> usage_members;   ///< of the top level, null included, with the comma that goes with each; neighbours as one
  std::vector<Range> reasoning_keys;  ///< keys `reasoning`, without quotes, where there is no reasoning_content beside them

  void read(std::string_view text);
  /// As it begins, but for the room that it has.
  void clear();
};

}  // namespace fairlead::openai
