#pragma once
// What the simulated model answers: text, reasoning and tool calls, all derived from the request and the script, so that the same
// request always gets the same answer. Pure.
#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "simulator/chat.h"
#include "simulator/script.h"

namespace fairlead::simulator {

struct ToolCall {
  std::string id, name, arguments;
};

struct Choice {
  std::string reasoning, text;
  std::vector<ToolCall> calls;
  std::string finish_reason = "stop";
};

/// What one chunk adds.
struct Piece {
  enum class What : std::uint8_t { reasoning, text, call, arguments };
  What what = What::text;
  int choice = 0;
  int call = 0;      ///< index into Choice::calls
  std::string text;  ///< of reasoning, text or arguments
  std::int64_t tokens = 0;
};

struct Answer {
  std::vector<Choice> choices;
  std::vector<Piece> pieces;  ///< in the order in which they are generated
};

/// `seed` makes the ids of tool calls; everything else depends on the request and the script alone.
Answer compose(const Habits& habits, const Chat& chat, const Script& script, std::uint64_t seed);

/// What it must conform to and no small value does: a schema that multiplies by referring to itself.
std::optional<Refusal> schema_objection(const Chat& chat, const Script& script);

/// A small value that conforms to a JSON Schema: all properties, the first of alternatives. `$ref` into the schema is followed, up
/// to a depth below which all is null. Empty: it would not be small.
std::optional<nlohmann::json> sample_of(const nlohmann::json& schema);

/// Letters and digits, or hex digits; deterministic.
std::string random_id(std::uint64_t seed, std::size_t length, bool hex);

}  // namespace fairlead::simulator
