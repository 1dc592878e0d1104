#pragma once
// One chat request of an app as a dialect read it: the original bytes, and what routing may know.
#include <fairlead/bytes.h>
#include <fairlead/mode.h>
#include <fairlead/money.h>
#include <fairlead/text.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fairlead {

/// What a request can need and a model can have.
enum class Capability : std::uint8_t { tools, vision, audio, json_object, json_schema, reasoning, streaming, choices };
inline constexpr int capability_count = 8;
std::string_view to_string(Capability capability);
std::optional<Capability> parse_capability(std::string_view name);

/// A set of capabilities: bit i is Capability(i).
struct Capabilities {
  std::uint8_t bits = 0;
  bool has(Capability c) const { return (bits >> static_cast<int>(c) & 1) != 0; }
  void add(Capability c) { bits = static_cast<std::uint8_t>(bits | 1 << static_cast<int>(c)); }
  bool operator==(const Capabilities&) const = default;
};

/// One member of the request's top-level object. Offsets into ChatRequest::body, half open.
struct Member {
  std::string key;            ///< unescaped
  std::size_t key_begin = 0;  ///< at the opening quote
  std::size_t value_begin = 0, value_end = 0;
};

/// What a request wishes by itself. Wishes narrow and reorder what the rules leave; they never widen it.
struct Wishes {
  enum class Sort : std::uint8_t { none, price, throughput, latency };
  std::vector<std::string> only, ignore, order;             ///< providers, or targets of them: "deepseek", "azure/DeepSeek-V3.1"
  std::vector<std::string> models;                          ///< routes, targets or models: no others, and in this order
  std::optional<Int128> max_input_price, max_output_price;  ///< 10^-12 USD per million tokens
  Sort sort = Sort::none;
  bool keep_nothing = false;        ///< none that keeps prompts
  bool fallbacks = true;            ///< false: the best candidate alone, or those of `order` alone
  bool require_parameters = false;  ///< none that would not be sent one of the fields
};

/// By which of its fields a request asks its provider to keep it.
enum class Keeping : std::uint8_t { not_asked, store, prompt_cache_retention };
inline constexpr int keeping_count = 3;
std::string_view to_string(Keeping field);  ///< "store"; "": it does not ask
std::optional<Keeping> parse_keeping(std::string_view field);
/// "the request asks the provider to keep it (store)"
std::string in_words(Keeping field);

struct ChatRequest {
  Bytes body;                   ///< as the app sent it (after transfer and content coding)
  std::vector<Member> members;  ///< top level, in order
  std::string model;
  bool stream = false;
  bool include_usage = false;                             ///< the app asked for usage in its stream
  std::optional<std::int64_t> output_tokens_max;          ///< max_completion_tokens or max_tokens
  std::optional<std::int64_t> output_tokens_max_of_both;  ///< the larger, if it states both: where both are sent, either may count
  std::int64_t choices = 1;                               ///< n
  Capabilities needs;
  RequestMode mode;
  Keeping keeping = Keeping::not_asked;
  bool developer_role = false;     ///< some message has the role `developer`
  bool reasoning_content = false;  ///< some message carries the reasoning of an earlier answer
  std::unique_ptr<Wishes> wishes;  ///< null: none, and neither `provider` nor `models` is among the members
  bool unknown_content = false;    ///< a part of a message is of no known kind: it may be an image, or sound
  std::size_t prompt_bytes = 0;    ///< bytes of `messages` and `tools`, without image and audio data: for the estimate of input
  TextBytes text;                  ///< the same by script, from a sample
  /// Of `messages`, offsets into `body`: what stands before the first message of a user, and what ends with it. A conversation that
  /// goes on begins with these same bytes each time.
  std::size_t messages_begin = 0, opening_end = 0, conversation_end = 0;
};

}  // namespace fairlead
