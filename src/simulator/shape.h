#pragma once
// The JSON of answers as each provider writes it: order of keys, ids, nulls and extras. Pure; one object per answer.
#include <cstdint>
#include <string>
#include <string_view>

#include "simulator/answer.h"
#include "simulator/kind.h"

namespace fairlead::simulator {

/// What is the same in all of an answer's chunks.
struct Frame {
  std::string id;
  std::string model;  ///< as the provider names it in answers
  std::int64_t created = 0;
  bool thinking = false;
  std::string_view service_tier = "default";  ///< in OpenAI's words
  bool obfuscation = false;                   ///< OpenAI's filler in every chunk
  std::int64_t prompt_tokens = 0;             ///< for llama.cpp's timings
};

/// A new answer's id in the provider's style.
std::string answer_id(const Habits& habits, std::uint64_t seed);

/// The name under which a provider says that it answered: OpenAI's is dated.
std::string answering_model(const Habits& habits, std::string_view asked);

class Shape {
 public:
  Shape(const Habits& habits, Frame frame) : habits_(habits), frame_(std::move(frame)) {}

  /// The whole answer. `usage` is an object; `inside_choice` puts it into choices[0] instead. Empty: none.
  std::string whole(const Answer& answer, std::string_view usage, bool inside_choice) const;

  // Chunks of a stream. `usage`: an object, "null", or empty for no such key.
  std::string opening(int choice, bool calls, std::string_view usage) const;
  std::string piece(const Answer& answer, const Piece& piece, std::string_view usage) const;
  std::string ending(int choice, std::string_view finish_reason, std::string_view usage, bool inside_choice) const;
  std::string empty_delta(int choice, std::string_view usage) const;
  std::string usage_only(std::string_view usage) const;

 private:
  std::string chunk(std::string_view choices, std::string_view usage, std::string_view extra = {}) const;
  std::string envelope(std::string_view object, std::string_view choices, std::string_view usage, std::string_view extra) const;
  std::string delta_choice(int choice, std::string_view delta, std::string_view finish_reason, std::string_view usage = {}) const;
  std::string message(const Choice& choice) const;
  std::string whole_choice(const Choice& choice, std::size_t index, std::string_view usage) const;
  std::string text_delta(std::string_view text) const;
  std::string reasoning_delta(std::string_view text) const;
  std::string call_delta(const ToolCall& call, int index) const;
  std::string arguments_delta(int index, std::string_view fragment) const;
  std::string last_delta() const;
  std::string timings() const;

  const Habits& habits_;
  Frame frame_;
};

}  // namespace fairlead::simulator
