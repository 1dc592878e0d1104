#include "simulator/shape.h"

#include "simulator/quote.h"

namespace fairlead::simulator {
namespace {

std::string uuid(std::uint64_t seed) {
  std::string id = random_id(seed, 32, true);
  for (std::size_t at : {8, 13, 18, 23}) id.insert(at, "-");
  return id;
}

/// {"name":..,"arguments":..}
std::string function_of(std::string_view name, std::string_view arguments) {
  return R"({"name":)" + quote(name) + R"(,"arguments":)" + quote(arguments) + "}";
}

std::string whole_call(Kind kind, const ToolCall& call, std::size_t index) {
  const std::string number = std::to_string(index), id = quote(call.id);
  switch (kind) {
    case Kind::qwen:
      return R"({"function":{"arguments":)" + quote(call.arguments) + R"(,"name":)" + quote(call.name) + R"(},"id":)" + id +
             R"(,"index":)" + number + R"(,"type":"function"})";
    case Kind::deepseek:
    case Kind::ollama:
    case Kind::sglang:
      return R"({"index":)" + number + R"(,"id":)" + id + R"(,"type":"function","function":)" +
             function_of(call.name, call.arguments) + "}";
    case Kind::llamacpp:
      return R"({"type":"function","function":)" + function_of(call.name, call.arguments) + R"(,"id":)" + id + "}";
    default: return R"({"id":)" + id + R"(,"type":"function","function":)" + function_of(call.name, call.arguments) + "}";
  }
}

std::string whole_calls(Kind kind, const Choice& choice) {
  std::string calls = "[";
  for (std::size_t i = 0; i < choice.calls.size(); ++i) {
    if (i > 0) calls += ',';
    calls += whole_call(kind, choice.calls[i], i);
  }
  return calls + "]";
}

std::string fingerprint(const Habits& habits, std::string_view model) {
  switch (habits.kind) {
    case Kind::deepseek: return R"("fp_eaab8d114b_prod0820_fp8_kvcache")";
    case Kind::openai: return R"("fp_de604bd877")";
    case Kind::llamacpp: return R"("b6543-1a2b3c4d")";
    case Kind::ollama: return R"("fp_ollama")";
    case Kind::lmstudio: return quote(model);
    default: return "null";
  }
}

}  // namespace

std::string answer_id(const Habits& habits, std::uint64_t seed) {
  switch (habits.kind) {
    case Kind::deepseek: return uuid(seed);
    case Kind::qwen: return "chatcmpl-" + uuid(seed);
    case Kind::openai: return "chatcmpl-" + random_id(seed, 29, false);
    case Kind::vllm: return "chatcmpl-" + random_id(seed, 32, true);
    case Kind::sglang: return random_id(seed, 32, true);
    case Kind::llamacpp: return "chatcmpl-" + random_id(seed, 32, false);
    case Kind::ollama: return "chatcmpl-" + std::to_string(1 + seed % 999);  // not unique, as theirs is not
    case Kind::lmstudio: return "chatcmpl-" + random_id(seed, 21, false);
  }
  return {};
}

std::string answering_model(const Habits& habits, std::string_view asked) {
  std::string model(asked);
  return habits.kind == Kind::openai ? model + "-2026-09-22" : model;
}

std::string Shape::timings() const {
  return R"("timings":{"cache_n":0,"prompt_n":)" + std::to_string(frame_.prompt_tokens) +
         R"(,"prompt_ms":12.5,"predicted_n":1,"predicted_ms":8.25})";
}

std::string Shape::envelope(std::string_view object, std::string_view choices, std::string_view usage,
                            std::string_view extra) const {
  const std::string id = R"("id":)" + quote(frame_.id), model = R"("model":)" + quote(frame_.model),
                    kind = R"("object":")" + std::string(object) + '"', created = R"("created":)" + std::to_string(frame_.created),
                    print = R"("system_fingerprint":)" + fingerprint(habits_, frame_.model),
                    list = R"("choices":[)" + std::string(choices) + "]",
                    told = usage.empty() ? std::string() : R"(,"usage":)" + std::string(usage),
                    more = extra.empty() ? std::string() : "," + std::string(extra);
  const bool streamed = object == "chat.completion.chunk";
  const std::string tier = R"("service_tier":)" + quote(frame_.service_tier);
  switch (habits_.kind) {
    case Kind::qwen:
      return "{" + list + "," + kind + told + "," + created + R"(,"system_fingerprint":null,)" + model + "," + id + more + "}";
    case Kind::llamacpp: return "{" + list + "," + created + "," + id + "," + model + "," + print + "," + kind + told + more + "}";
    case Kind::openai:
      if (streamed)
        return "{" + id + "," + kind + "," + created + "," + model + "," + tier + "," + print + "," + list + told + more + "}";
      return "{" + id + "," + kind + "," + created + "," + model + "," + list + told + "," + tier + "," + print + more + "}";
    case Kind::vllm:
      if (streamed) return "{" + id + "," + kind + "," + created + "," + model + "," + list + told + more + "}";
      return "{" + id + "," + kind + "," + created + "," + model + "," + list + R"(,"service_tier":null,)" + print + told +
             R"(,"prompt_logprobs":null,"kv_transfer_params":null)" + more + "}";
    case Kind::sglang:
      if (streamed) return "{" + id + "," + kind + "," + created + "," + model + "," + list + told + more + "}";
      return "{" + id + "," + kind + "," + created + "," + model + "," + list + told +
             R"(,"metadata":{"weight_version":"default"})" + more + "}";
    case Kind::lmstudio:
      return "{" + id + "," + kind + "," + created + "," + model + (streamed ? "," + print : std::string()) + "," + list + told +
             (streamed ? std::string() : R"(,"stats":{},)" + print) + more + "}";
    case Kind::deepseek:
    case Kind::ollama: break;
  }
  return "{" + id + "," + kind + "," + created + "," + model + "," + print + "," + list + told + more + "}";
}

std::string Shape::chunk(std::string_view choices, std::string_view usage, std::string_view extra) const {
  if (habits_.kind != Kind::openai || !frame_.obfuscation) return envelope("chat.completion.chunk", choices, usage, extra);
  const std::string filler = R"("obfuscation":")" + random_id(choices.size(), 2 + choices.size() % 9, false) + '"';
  return envelope("chat.completion.chunk", choices, usage, filler);
}

// Buffered answers.

std::string Shape::message(const Choice& choice) const {
  const bool calls = !choice.calls.empty();
  const std::string list = whole_calls(habits_.kind, choice);
  const std::string some_calls = calls ? R"(,"tool_calls":)" + list : std::string();
  const std::string content = R"("content":)" + quote(choice.text);
  const std::string reasoning = choice.reasoning.empty() || habits_.reasoning_field.empty()
                                    ? std::string()
                                    : ",\"" + std::string(habits_.reasoning_field) + "\":" + quote(choice.reasoning);
  const std::string null_content = calls ? R"("content":null)" : content;
  switch (habits_.kind) {
    case Kind::qwen: return "{" + content + reasoning + R"(,"role":"assistant")" + some_calls + "}";
    case Kind::openai: return R"({"role":"assistant",)" + null_content + some_calls + R"(,"refusal":null,"annotations":[]})";
    case Kind::vllm:
      return R"({"role":"assistant",)" + null_content +
             R"(,"refusal":null,"annotations":null,"audio":null,"function_call":null,"tool_calls":)" + list + R"(,"reasoning":)" +
             quote_or_null(choice.reasoning) + "}";
    case Kind::sglang:
      return R"({"role":"assistant",)" + null_content + R"(,"reasoning_content":)" + quote_or_null(choice.reasoning) +
             R"(,"tool_calls":)" + (calls ? list : "null") + "}";
    case Kind::lmstudio: return R"({"role":"assistant",)" + content + reasoning + R"(,"tool_calls":)" + list + "}";
    case Kind::llamacpp: return R"({"role":"assistant",)" + null_content + reasoning + some_calls + "}";
    case Kind::deepseek:
    case Kind::ollama: break;
  }
  return R"({"role":"assistant",)" + content + reasoning + some_calls + "}";
}

std::string Shape::whole_choice(const Choice& choice, std::size_t index, std::string_view usage) const {
  const std::string number = R"("index":)" + std::to_string(index), said = R"("message":)" + message(choice),
                    finish = R"("finish_reason":)" + quote(choice.finish_reason),
                    told = usage.empty() ? std::string() : R"(,"usage":)" + std::string(usage);
  switch (habits_.kind) {
    case Kind::qwen: return "{" + said + "," + finish + "," + number + R"(,"logprobs":null)" + told + "}";
    case Kind::vllm:
      return "{" + number + "," + said + R"(,"logprobs":null,)" + finish + R"(,"stop_reason":null,"token_ids":null)" + told + "}";
    case Kind::sglang:
      return "{" + number + "," + said + R"(,"logprobs":null,)" + finish + R"(,"matched_stop":151645)" + told + "}";
    case Kind::llamacpp: return "{" + finish + "," + number + "," + said + told + "}";
    case Kind::ollama: return "{" + number + "," + said + "," + finish + told + "}";
    default: return "{" + number + "," + said + R"(,"logprobs":null,)" + finish + told + "}";
  }
}

std::string Shape::whole(const Answer& answer, std::string_view usage, bool inside_choice) const {
  std::string choices;
  for (std::size_t i = 0; i < answer.choices.size(); ++i) {
    if (i > 0) choices += ',';
    choices += whole_choice(answer.choices[i], i, inside_choice && i == 0 ? usage : std::string_view{});
  }
  return envelope("chat.completion", choices, inside_choice ? std::string_view{} : usage,
                  habits_.kind == Kind::llamacpp ? timings() : std::string());
}

// Chunks.

std::string Shape::delta_choice(int choice, std::string_view delta, std::string_view finish_reason, std::string_view usage) const {
  const std::string number = R"("index":)" + std::to_string(choice), finish = R"("finish_reason":)" + quote_or_null(finish_reason),
                    change = R"("delta":)" + std::string(delta),
                    told = usage.empty() ? std::string() : R"(,"usage":)" + std::string(usage);
  switch (habits_.kind) {
    case Kind::qwen:
      if (!finish_reason.empty()) return "{" + finish + "," + change + "," + number + R"(,"logprobs":null)" + told + "}";
      return "{" + change + "," + finish + "," + number + R"(,"logprobs":null)" + told + "}";
    case Kind::vllm: return "{" + number + "," + change + R"(,"logprobs":null,)" + finish + R"(,"token_ids":null)" + told + "}";
    case Kind::sglang:
      return "{" + number + "," + change + R"(,"logprobs":null,)" + finish + R"(,"matched_stop":)" +
             (finish_reason == "stop" ? "151645" : "null") + told + "}";
    case Kind::llamacpp: return "{" + finish + "," + number + "," + change + told + "}";
    case Kind::ollama: return "{" + number + "," + change + "," + finish + told + "}";
    default: return "{" + number + "," + change + R"(,"logprobs":null,)" + finish + told + "}";
  }
}

std::string Shape::opening(int choice, bool calls, std::string_view usage) const {
  std::string_view delta = R"({"role":"assistant","content":""})";
  switch (habits_.kind) {
    case Kind::deepseek:
      if (frame_.thinking) delta = R"({"role":"assistant","content":null,"reasoning_content":""})";
      break;
    case Kind::qwen:
      delta = frame_.thinking ? R"({"content":null,"role":"assistant","reasoning_content":""})"
                              : R"({"content":"","role":"assistant"})";
      break;
    case Kind::openai:
      delta =
          calls ? R"({"role":"assistant","content":null,"refusal":null})" : R"({"role":"assistant","content":"","refusal":null})";
      break;
    case Kind::sglang: delta = R"({"role":"assistant","content":"","reasoning_content":null,"tool_calls":null})"; break;
    case Kind::llamacpp: delta = R"({"role":"assistant","content":null})"; break;
    default: break;
  }
  return chunk(delta_choice(choice, delta, {}), usage);
}

std::string Shape::text_delta(std::string_view text) const {
  const std::string content = R"("content":)" + quote(text);
  switch (habits_.kind) {
    case Kind::deepseek:
    case Kind::qwen: return "{" + content + (frame_.thinking ? R"(,"reasoning_content":null})" : "}");
    case Kind::sglang: return R"({"role":null,)" + content + R"(,"reasoning_content":null,"tool_calls":null})";
    case Kind::ollama: return R"({"role":"assistant",)" + content + "}";
    default: return "{" + content + "}";
  }
}

std::string Shape::reasoning_delta(std::string_view text) const {
  const std::string reasoning = "\"" + std::string(habits_.reasoning_field) + "\":" + quote(text);
  switch (habits_.kind) {
    case Kind::deepseek:
    case Kind::qwen: return R"({"content":null,)" + reasoning + "}";
    case Kind::sglang: return R"({"role":null,"content":null,)" + reasoning + R"(,"tool_calls":null})";
    case Kind::ollama: return R"({"role":"assistant","content":"",)" + reasoning + "}";
    default: return "{" + reasoning + "}";
  }
}

std::string Shape::call_delta(const ToolCall& call, int index) const {
  const std::string number = std::to_string(index), id = quote(call.id), name = quote(call.name);
  switch (habits_.kind) {
    case Kind::qwen:
      return R"({"content":null,"tool_calls":[{"index":)" + number + R"(,"id":)" + id +
             R"(,"type":"function","function":{"name":)" + name + R"(,"arguments":""}}]})";
    case Kind::ollama:  // whole, in one delta
      return R"({"role":"assistant","content":"","tool_calls":[{"id":)" + id + R"(,"index":)" + number +
             R"(,"type":"function","function":)" + function_of(call.name, call.arguments) + "}]}";
    case Kind::sglang:
      return R"({"role":null,"content":null,"reasoning_content":null,"tool_calls":[{"id":)" + id + R"(,"index":)" + number +
             R"(,"type":"function","function":{"name":)" + name + R"(,"arguments":""}}]})";
    default:
      return R"({"tool_calls":[{"index":)" + number + R"(,"id":)" + id + R"(,"type":"function","function":{"name":)" + name +
             R"(,"arguments":""}}]})";
  }
}

std::string Shape::arguments_delta(int index, std::string_view fragment) const {
  const std::string number = std::to_string(index), arguments = quote(fragment);
  switch (habits_.kind) {
    case Kind::qwen:  // the id again, but empty
      return R"({"content":null,"tool_calls":[{"index":)" + number + R"(,"id":"","type":"function","function":{"arguments":)" +
             arguments + "}}]}";
    case Kind::sglang:
      return R"({"role":null,"content":null,"reasoning_content":null,"tool_calls":[{"id":null,"index":)" + number +
             R"(,"type":"function","function":{"name":null,"arguments":)" + arguments + "}}]}";
    default: return R"({"tool_calls":[{"index":)" + number + R"(,"function":{"arguments":)" + arguments + "}}]}";
  }
}

std::string Shape::last_delta() const {
  switch (habits_.kind) {
    case Kind::openai:
    case Kind::llamacpp:
    case Kind::lmstudio: return "{}";
    case Kind::sglang: return R"({"role":null,"content":null,"reasoning_content":null,"tool_calls":null})";
    case Kind::qwen: return R"({"content":""})";
    default: return text_delta({});
  }
}

std::string Shape::piece(const Answer& answer, const Piece& piece, std::string_view usage) const {
  const auto& calls = answer.choices[static_cast<std::size_t>(piece.choice)].calls;
  std::string delta;
  switch (piece.what) {
    case Piece::What::reasoning:
      if (habits_.reasoning_field.empty()) return {};
      delta = reasoning_delta(piece.text);
      break;
    case Piece::What::text: delta = text_delta(piece.text); break;
    case Piece::What::call: delta = call_delta(calls[static_cast<std::size_t>(piece.call)], piece.call); break;
    case Piece::What::arguments:
      if (habits_.kind == Kind::ollama) return {};
      delta = arguments_delta(piece.call, piece.text);
      break;
  }
  return chunk(delta_choice(piece.choice, delta, {}), usage);
}

std::string Shape::ending(int choice, std::string_view finish_reason, std::string_view usage, bool inside_choice) const {
  return chunk(delta_choice(choice, last_delta(), finish_reason, inside_choice ? usage : std::string_view{}),
               inside_choice ? std::string_view{} : usage, habits_.kind == Kind::llamacpp ? timings() : std::string());
}

std::string Shape::empty_delta(int choice, std::string_view usage) const {
  return chunk(delta_choice(choice, last_delta(), {}), usage);
}

std::string Shape::usage_only(std::string_view usage) const { return chunk({}, usage); }

}  // namespace fairlead::simulator
