#pragma once
// A chat request as the simulated provider understands it, and its own objections to it. Pure.
#include <fairlead/mode.h>

#include <boost/system/result.hpp>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "simulator/kind.h"
#include "simulator/refusal.h"

namespace fairlead::simulator {

enum class Format : std::uint8_t { text, json_object, json_schema };

struct Chat {
  nlohmann::json body;  ///< as it came
  std::string model;
  bool stream = false, include_usage = false, continuous_usage = false, obfuscation = true;
  std::optional<std::int64_t> tokens_max;  ///< of one choice, by the field that this provider honours
  std::int64_t n = 1;
  bool thinking = false;
  ServiceTier service_tier = ServiceTier::standard;  ///< that will serve it: OpenAI's as asked
  Format format = Format::text;
  std::string last_role;
  std::string prompt;                     ///< the last user message, without its markers
  std::vector<std::string> markers;       ///< the words of each of its markers
  std::vector<std::string> tool_results;  ///< the texts of the tool messages at the end
  std::string tool_choice;                ///< "auto", "none", "required", or "=NAME"
  bool parallel_tool_calls = true;
};

/// Reads a body; what it cannot even read is refused.
boost::system::result<Chat, Refusal> read_chat(const Habits& habits, std::string_view body);

/// What this provider objects to in a request that could be read. `models`: what it sells; empty: whatever is asked for.
std::optional<Refusal> objection(const Habits& habits, const Chat& chat, const std::vector<std::string>& models);

/// Is it one of OpenAI's models that think?
bool openai_reasons(std::string_view model);

/// All text of a message or its parts, in order.
std::string text_of(const nlohmann::json& content);

}  // namespace fairlead::simulator
