#pragma once
// Chunks of a stream are alike: nearly all differ from the one before in what they say, and in padding, alone. Such a one is
// compared instead of read. Pure.
#include "dialect/openai/answer.h"

#include <array>
#include <cstddef>
#include <string>
#include <string_view>

namespace fairlead::openai {

class AlikeChunks {
 public:
  /// `text` was read as `answer`. From now on, those that are like it are known; none, if one string of it is not all that it says.
  void know(std::string_view text, const AnswerText& answer);

  /// True if `text` is what is known, but for other strings as content and as padding; `answer` is then what reading it would have
  /// made, without `id`, `model` and `service_tier`, which are the same. False: it must be read.
  bool read(std::string_view text, AnswerText& answer) const;

 private:
  std::string known_;                  ///< the text without these strings; empty: there is none
  std::array<std::size_t, 2> gaps_{};  ///< where they stood in it; the second is its size if there is no padding
  // Of what it was read as:
  std::size_t said_bytes_ = 0;
  ChoiceSet choices_seen_ = 0;
  Range model_value_, usage_member_, reasoning_key_;  ///< empty: there is none
  bool has_reasoning_ = false;
};

}  // namespace fairlead::openai
