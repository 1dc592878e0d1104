// Each provider in its own wire habits, over real sockets.
#include "rehearsal.h"

namespace fairlead::simulator {
namespace {

class Habit : public Rehearsal {};

/// The answer with what differs from run to run blanked: ids and times.
std::string blanked(std::string text, const json& parsed) {
  for (const std::string& value : {parsed.value("id", std::string("?")), std::to_string(parsed.value("created", 0))})
    for (std::size_t at = text.find(value); at != std::string::npos; at = text.find(value)) text.replace(at, value.size(), "#");
  return text;
}

struct Golden {
  Seat seat;
  const char* body;
};

TEST_F(Habit, BufferedAnswersHaveEachProvidersKeysInItsOrder) {
  start();
  const Golden table[] = {
      {deepseek,
       "\n"
       R"({"id":"#","object":"chat.completion","created":#,"model":"deepseek-flash","system_fingerprint":"fp_eaab8d114b_prod0820_fp8_kvcache","choices":[{"index":0,"message":{"role":"assistant","content":"You said: Hi","reasoning_content":"They want an answer to: Hi"},"logprobs":null,"finish_reason":"stop"}],"usage":{"prompt_tokens":8,"completion_tokens":10,"total_tokens":18,"prompt_tokens_details":{"cached_tokens":0},"completion_tokens_details":{"reasoning_tokens":7},"prompt_cache_hit_tokens":0,"prompt_cache_miss_tokens":8}})"},
      {qwen,
       R"({"choices":[{"message":{"content":"You said: Hi","role":"assistant"},"finish_reason":"stop","index":0,"logprobs":null}],"object":"chat.completion","usage":{"prompt_tokens":8,"completion_tokens":3,"total_tokens":11,"prompt_tokens_details":{"cached_tokens":0}},"created":#,"system_fingerprint":null,"model":"qwen-plus","id":"#"})"},
      {openai,
       R"({"id":"#","object":"chat.completion","created":#,"model":"gpt-6-luna-2026-09-22","choices":[{"index":0,"message":{"role":"assistant","content":"You said: Hi","refusal":null,"annotations":[]},"logprobs":null,"finish_reason":"stop"}],"usage":{"prompt_tokens":8,"completion_tokens":10,"total_tokens":18,"prompt_tokens_details":{"cached_tokens":0,"cache_write_tokens":0,"audio_tokens":0},"completion_tokens_details":{"reasoning_tokens":7,"audio_tokens":0,"accepted_prediction_tokens":0,"rejected_prediction_tokens":0}},"service_tier":"default","system_fingerprint":"fp_de604bd877"})"},
      {vllm,
       R"({"id":"#","object":"chat.completion","created":#,"model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"You said: Hi","refusal":null,"annotations":null,"audio":null,"function_call":null,"tool_calls":[],"reasoning":null},"logprobs":null,"finish_reason":"stop","stop_reason":null,"token_ids":null}],"service_tier":null,"system_fingerprint":null,"usage":{"prompt_tokens":8,"total_tokens":11,"completion_tokens":3,"prompt_tokens_details":null},"prompt_logprobs":null,"kv_transfer_params":null})"},
      {sglang,
       R"({"id":"#","object":"chat.completion","created":#,"model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"You said: Hi","reasoning_content":null,"tool_calls":null},"logprobs":null,"finish_reason":"stop","matched_stop":151645}],"usage":{"prompt_tokens":8,"total_tokens":11,"completion_tokens":3,"prompt_tokens_details":null,"reasoning_tokens":0},"metadata":{"weight_version":"default"}})"},
      {llamacpp,
       R"({"choices":[{"finish_reason":"stop","index":0,"message":{"role":"assistant","content":"You said: Hi"}}],"created":#,"id":"#","model":"m","system_fingerprint":"b6543-1a2b3c4d","object":"chat.completion","usage":{"completion_tokens":3,"prompt_tokens":8,"total_tokens":11},"timings":{"cache_n":0,"prompt_n":8,"prompt_ms":12.5,"predicted_n":1,"predicted_ms":8.25}})"},
      {ollama,
       R"({"id":"#","object":"chat.completion","created":#,"model":"m","system_fingerprint":"fp_ollama","choices":[{"index":0,"message":{"role":"assistant","content":"You said: Hi"},"finish_reason":"stop"}],"usage":{"prompt_tokens":8,"completion_tokens":3,"total_tokens":11}})"},
      {lmstudio,
       R"({"id":"#","object":"chat.completion","created":#,"model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"You said: Hi","tool_calls":[]},"logprobs":null,"finish_reason":"stop"}],"usage":{"prompt_tokens":8,"completion_tokens":3,"total_tokens":11},"stats":{},"system_fingerprint":"m"})"},
  };
  for (const Golden& row : table) {
    const Reply reply = ask(row.seat.base, chat(row.seat, "Hi"));
    ASSERT_EQ(reply.status, 200) << reply.body;
    EXPECT_EQ(blanked(reply.body, reply.parsed()), row.body);
  }
}

TEST_F(Habit, DeepSeekStreamsUsageWithTheFinishAfterACommentAndItsThoughts) {
  start();
  const Reply reply = ask(deepseek.base, streamed(deepseek, "Hi"));
  EXPECT_EQ(reply.body.substr(0, 20), ": keep-alive\n\ndata: ");
  const std::vector<json> chunks = reply.chunks();
  ASSERT_EQ(chunks.size(), 5U);
  EXPECT_EQ(chunks[0]["choices"][0]["delta"], json::parse(R"({"role":"assistant","content":null,"reasoning_content":""})"));
  for (std::size_t i = 0; i + 1 < chunks.size(); ++i) EXPECT_TRUE(chunks[i].at("usage").is_null());
  EXPECT_EQ(chunks.back()["choices"][0]["finish_reason"], "stop");
  EXPECT_EQ(chunks.back()["choices"][0]["delta"], json::parse(R"({"content":"","reasoning_content":null})"));
  EXPECT_EQ(chunks.back()["usage"]["total_tokens"], 18);
  EXPECT_EQ(reply.events().back(), "[DONE]");
  EXPECT_EQ(reply.joined("reasoning_content"), "They want an answer to: Hi");
  EXPECT_EQ(reply.joined("content"), "You said: Hi");
}

TEST_F(Habit, OthersStreamUsageInAChunkOfItsOwnAndOnlyWhenAsked) {  // M05
  start();
  for (const Seat& seat : {qwen, openai, vllm, sglang, llamacpp, ollama, lmstudio}) {
    const std::vector<json> asked = ask(seat.base, streamed(seat, "Hi")).chunks();
    EXPECT_TRUE(asked.back().at("choices").empty()) << seat.base;
    EXPECT_EQ(asked.back()["usage"]["prompt_tokens"], 8) << seat.base;
    const Reply unasked = ask(seat.base, chat(seat, "Hi", {{"stream", true}}));
    EXPECT_EQ(unasked.body.find("prompt_tokens"), std::string::npos) << seat.base;
    EXPECT_EQ(unasked.events().back(), "[DONE]") << seat.base;
  }
}

TEST_F(Habit, NullUsageIsWrittenAsEachProviderDoes) {
  start();
  const std::pair<Seat, std::pair<bool, bool>> table[] = {// with include_usage, without
                                                          {deepseek, {true, true}},
                                                          {qwen, {true, true}},
                                                          {openai, {true, false}},
                                                          {vllm, {false, false}},
                                                          {ollama, {false, false}}};
  for (const auto& [seat, null] : table) {
    EXPECT_EQ(ask(seat.base, streamed(seat, "Hi")).chunks()[1].contains("usage"), null.first) << seat.base;
    EXPECT_EQ(ask(seat.base, chat(seat, "Hi", {{"stream", true}})).chunks()[1].contains("usage"), null.second) << seat.base;
  }
}

TEST_F(Habit, ThoughtsAreNamedAsEachProviderNamesThem) {
  start();
  const std::pair<Seat, const char*> table[] = {
      {deepseek, "reasoning_content"}, {qwen, "reasoning_content"},     {vllm, "reasoning"},
      {sglang, "reasoning_content"},   {llamacpp, "reasoning_content"}, {ollama, "reasoning"}};
  for (const auto& [seat, field] : table) {
    EXPECT_EQ(ask(seat.base, streamed(seat, "Hi [[sim thinking]]")).joined(field), "They want an answer to: Hi") << seat.base;
    EXPECT_EQ(ask(seat.base, chat(seat, "Hi [[sim thinking]]")).parsed()["choices"][0]["message"][field],
              "They want an answer to: Hi")
        << seat.base;
  }
  EXPECT_EQ(ask(openai.base, streamed(openai, "Hi")).body.find("They want"), std::string::npos);
}

TEST_F(Habit, ThinkingIsSwitchedAsEachProviderSwitchesIt) {
  start();
  const auto reasoning = [&](const Seat& seat, const json& more) {
    const Reply reply = ask(seat.base, chat(seat, "Hi", more));
    return reply.parsed()["choices"][0]["message"].contains("reasoning_content");
  };
  EXPECT_FALSE(reasoning(deepseek, {{"thinking", {{"type", "disabled"}}}}));
  EXPECT_FALSE(reasoning(qwen, json::object()));
  EXPECT_TRUE(reasoning(qwen, {{"enable_thinking", true}}));
  EXPECT_TRUE(reasoning(llamacpp, {{"chat_template_kwargs", {{"enable_thinking", true}}}}));
  const json none = ask(openai.base, chat(openai, "Hi", {{"reasoning_effort", "none"}})).parsed();
  EXPECT_EQ(none["usage"]["completion_tokens_details"]["reasoning_tokens"], 0);
}

TEST_F(Habit, OpenAIFillsItsChunksUnlessToldNotTo) {
  start();
  EXPECT_TRUE(ask(openai.base, streamed(openai, "Hi")).chunks()[0].contains("obfuscation"));
  const json off = {{"stream_options", {{"include_obfuscation", false}}}};
  EXPECT_FALSE(ask(openai.base, streamed(openai, "Hi", off)).chunks()[0].contains("obfuscation"));
}

const json two_tools = json::parse(R"({"tools":[
  {"type":"function","function":{"name":"weather","parameters":{"type":"object","properties":{"city":{"type":"string"},"days":{"type":"integer","minimum":2}}}}},
  {"type":"function","function":{"name":"time","parameters":{"type":"object","properties":{"zone":{"enum":["Asia/Shanghai"]}}}}}],
  "parallel_tool_calls":true})");

TEST_F(Habit, ParallelToolCallsComeWholeAndStreamed) {
  start();
  for (const Seat& seat : all_seats) {
    const json whole = ask(seat.base, chat(seat, "Go [[sim tools=2]]", two_tools)).parsed()["choices"][0];
    EXPECT_EQ(whole["finish_reason"], "tool_calls") << seat.base;
    const json& calls = whole["message"]["tool_calls"];
    ASSERT_EQ(calls.size(), 2U) << seat.base;
    EXPECT_EQ(calls[0]["function"], json::parse(R"({"name":"weather","arguments":"{\"city\":\"city\",\"days\":2}"})"));
    EXPECT_EQ(calls[1]["function"]["arguments"], R"({"zone":"Asia/Shanghai"})");
    EXPECT_NE(calls[0]["id"], calls[1]["id"]);

    std::string arguments[2], names[2], ids[2];
    for (const json& chunk : ask(seat.base, streamed(seat, "Go [[sim tools=2]]", two_tools)).chunks())
      for (const json& choice : chunk["choices"]) {
        if (!choice["delta"].contains("tool_calls") || choice["delta"]["tool_calls"].is_null()) continue;
        for (const json& call : choice["delta"]["tool_calls"]) {
          const auto index = call.at("index").get<std::size_t>();
          const json& function = call.at("function");
          arguments[index] += function.at("arguments").get<std::string>();
          if (function.contains("name") && function["name"].is_string()) names[index] += function["name"];
          if (call.contains("id") && call["id"].is_string()) ids[index] += call["id"];
        }
      }
    EXPECT_EQ(arguments[0], calls[0]["function"]["arguments"]) << seat.base;
    EXPECT_EQ(arguments[1], calls[1]["function"]["arguments"]) << seat.base;
    EXPECT_EQ(names[0] + names[1], "weathertime") << seat.base;
    EXPECT_NE(ids[0], ids[1]) << seat.base;
  }
}

TEST_F(Habit, QwenRepeatsAnEmptyIdAndCallsOneToolUnlessAsked) {
  start();
  const Reply reply = ask(qwen.base, streamed(qwen, "Go [[sim tools=2]]", two_tools));
  EXPECT_NE(reply.body.find(R"("id":"","type":"function")"), std::string::npos);
  json unasked = two_tools;
  unasked.erase("parallel_tool_calls");
  EXPECT_EQ(ask(qwen.base, chat(qwen, "Go [[sim tools=2]]", unasked)).parsed()["choices"][0]["message"]["tool_calls"].size(), 1U);
}

TEST_F(Habit, ToolResultsAreAnsweredInWords) {
  start();
  json body = chat(openai, "Go [[sim tools=1]]", two_tools);
  body["messages"].push_back(json::parse(
      R"({"role":"assistant","content":null,"tool_calls":[{"id":"c","type":"function","function":{"name":"weather","arguments":"{}"}}]})"));
  body["messages"].push_back({{"role", "tool"}, {"tool_call_id", "c"}, {"content", "12 °C"}});
  EXPECT_EQ(ask(openai.base, body).parsed()["choices"][0]["message"]["content"], "The tools say: 12 °C");
}

TEST_F(Habit, DeepSeekWantsItsThoughtsBackInToolLoops) {
  start();
  json body = chat(deepseek, "Go", two_tools);
  body["messages"].push_back(json::parse(
      R"({"role":"assistant","content":"","tool_calls":[{"id":"c","type":"function","function":{"name":"weather","arguments":"{}"}}]})"));
  body["messages"].push_back({{"role", "tool"}, {"tool_call_id", "c"}, {"content", "12"}});
  EXPECT_EQ(ask(deepseek.base, body).status, 400);
  body["messages"][1]["reasoning_content"] = "because";
  EXPECT_EQ(ask(deepseek.base, body).status, 200);
}

TEST_F(Habit, SchemasAreConformedTo) {
  start();
  const json schema =
      json::parse(R"({"type":"object","additionalProperties":false,"required":["name","tags","inner","kind","maybe"],
    "properties":{"name":{"type":"string"},"tags":{"type":"array","items":{"type":"number"}},"inner":{"$ref":"#/$defs/inner"},
                  "kind":{"enum":["a","b"]},"maybe":{"anyOf":[{"type":["boolean","null"]},{"type":"null"}]}},
    "$defs":{"inner":{"type":"object","properties":{"again":{"$ref":"#/$defs/inner"}}}}})");
  const json format = {
      {"response_format", {{"type", "json_schema"}, {"json_schema", {{"name", "x"}, {"strict", true}, {"schema", schema}}}}}};
  const json made =
      json::parse(ask(openai.base, chat(openai, "Hi", format)).parsed()["choices"][0]["message"]["content"].get<std::string>());
  EXPECT_EQ(made["name"], "name");
  EXPECT_EQ(made["tags"], json::array({1.5}));
  EXPECT_EQ(made["kind"], "a");
  EXPECT_EQ(made["maybe"], true);
  EXPECT_TRUE(made["inner"].is_object());
  const json no_schema = {{"response_format", {{"type", "json_object"}}}};
  EXPECT_EQ(ask(openai.base, chat(openai, "Some JSON", no_schema)).parsed()["choices"][0]["message"]["content"],
            R"({"answer":"Some JSON"})");
}

TEST_F(Habit, LimitsAndChoicesAreHonouredWhereTheProviderDoes) {
  start();
  const json three = {{"n", 3}}, few = {{"max_tokens", 2}}, newer = {{"max_completion_tokens", 2}};
  EXPECT_EQ(ask(vllm.base, chat(vllm, "Hi", three)).parsed()["choices"].size(), 3U);
  EXPECT_EQ(ask(ollama.base, chat(ollama, "Hi", three)).parsed()["choices"].size(), 1U);
  const json cut = ask(qwen.base, chat(qwen, "Hi", few)).parsed();
  EXPECT_EQ(cut["choices"][0]["finish_reason"], "length");
  EXPECT_EQ(cut["choices"][0]["message"]["content"], "You said");
  EXPECT_EQ(cut["usage"]["completion_tokens"], 2);
  EXPECT_EQ(ask(vllm.base, chat(vllm, "Hi", newer)).parsed()["usage"]["completion_tokens"], 2);
  EXPECT_EQ(ask(qwen.base, chat(qwen, "Hi", newer)).parsed()["usage"]["completion_tokens"], 3);  // it does not know the field
  const json thought_only = ask(openai.base, chat(openai, "Hi", newer)).parsed();
  EXPECT_EQ(thought_only["choices"][0]["message"]["content"], "");
  EXPECT_EQ(thought_only["usage"]["completion_tokens_details"]["reasoning_tokens"], 2);
}

struct RefusedHabit {
  const char* why;
  Seat seat;
  json more;
  int status;
  const char* error;
};

TEST_F(Habit, RequestsAreRefusedAsEachProviderRefusesThem) {
  start();
  const json developer = json::parse(R"({"messages":[{"role":"developer","content":"x"},{"role":"user","content":"y"}]})");
  const json schema = json::parse(R"({"response_format":{"type":"json_schema","json_schema":{"name":"x","schema":{}}}})");
  const json unknown = {{"model", "no-such-model"}};
  const RefusedHabit table[] = {
      {"reasoning models take no max_tokens",
       openai,
       {{"max_tokens", 9}},
       400,
       R"({"error":{"message":"Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.","type":"invalid_request_error","param":"max_tokens","code":"unsupported_parameter"}})"},
      {"temperature",
       openai,
       {{"temperature", 0.2}},
       400,
       R"({"error":{"message":"Unsupported value: 'temperature' does not support 0.2 with this model. Only the default (1) value is supported.","type":"invalid_request_error","param":"temperature","code":"unsupported_value"}})"},
      {"model", openai, unknown, 404,
       R"({"error":{"message":"The model `no-such-model` does not exist or you do not have access to it.","type":"invalid_request_error","param":null,"code":"model_not_found"}})"},
      {"model", deepseek, unknown, 400,
       R"({"error":{"message":"Model Not Exist","type":"invalid_request_error","param":null,"code":"invalid_request_error"}})"},
      {"schema", deepseek, schema, 400,
       R"({"error":{"message":"This response_format type is unavailable now","type":"invalid_request_error","param":null,"code":"invalid_request_error"}})"},
      {"n",
       deepseek,
       {{"n", 2}},
       400,
       R"~({"error":{"message":"Invalid n value (currently only n = 1 is supported)","type":"invalid_request_error","param":null,"code":"invalid_request_error"}})~"},
      {"developer", deepseek, developer, 422,
       R"({"error":{"message":"Failed to deserialize the JSON body into the target type: messages[0].role: unknown variant `developer`, expected one of `system`, `user`, `assistant`, `tool`","type":"invalid_request_error","param":null,"code":"invalid_request_error"}})"},
      {"model", vllm, unknown, 404,
       R"({"error":{"message":"The model `no-such-model` does not exist.","type":"NotFoundError","param":"model","code":404}})"},
      {"messages",
       sglang,
       {{"messages", json::array()}},
       400,
       R"({"object":"error","message":"'messages' must be an array with at least one message.","type":"BadRequestError","param":"messages","code":400})"},
      {"messages",
       llamacpp,
       {{"messages", 3}},
       400,
       R"({"error":{"code":400,"message":"'messages' must be an array with at least one message.","type":"invalid_request_error"}})"},
      {"model", ollama, unknown, 404,
       R"({"error":{"message":"model 'no-such-model' not found","type":"not_found_error","param":null,"code":null}})"},
      {"model", lmstudio, unknown, 404, R"({"error":"Model \"no-such-model\" not found."})"},
  };
  for (const RefusedHabit& row : table) {
    const Reply reply = ask(row.seat.base, chat(row.seat, "Hi", row.more));
    EXPECT_EQ(reply.status, row.status) << row.why;
    EXPECT_EQ(reply.body, row.error) << row.why;
  }
  const json qwen_error = ask(qwen.base, chat({qwen.base, "qwen3-32b"}, "Hi")).parsed();
  EXPECT_EQ(qwen_error["error"]["message"], "parameter.enable_thinking must be set to false for non-streaming calls");
  EXPECT_TRUE(qwen_error["request_id"].is_string());
}

TEST_F(Habit, KeysAreWantedByCloudProvidersOnly) {
  start();
  for (const Seat& seat : all_seats) {
    Client client = connect();
    client.send(post(seat.base, chat(seat, "Hi").dump(), ""));
    const bool cloud = seat.base == deepseek.base || seat.base == qwen.base || seat.base == openai.base;
    EXPECT_EQ(client.reply().status, cloud ? 401 : 200) << seat.base;
    client.send(post(seat.base, chat(seat, "Hi").dump(), "Authorization: Bearer sk-wrong-one\r\n"));
    EXPECT_EQ(client.reply().status, 401) << seat.base;
  }
}

TEST_F(Habit, WhatIsNotARequestIsRefusedAndNothingCrashes) {
  start();
  for (
      const char* body :
      {"", "[]", "{", "null", "{\"messages\":{}}", R"({"messages":[1]})", R"({"messages":[{"role":7}],"model":"m"})",
       R"({"model":"m","messages":[{"role":"user","content":null}],"tools":[1,{"function":3}],"tool_choice":"","response_format":7})",
       R"({"model":"gpt-6-luna","messages":[{"role":"user"}],"response_format":{"type":"json_schema"}})",
       R"({"model":"gpt-6-luna","messages":[{"role":"user","content":"x"}],)"
       R"("response_format":{"type":"json_schema","json_schema":{"name":5,"strict":true,"schema":{"type":"object"}}}})"})
    for (const Seat& seat : all_seats) {
      Client client = connect();
      client.send(post(seat.base, body));
      const int status = client.reply().status;
      EXPECT_TRUE(status == 400 || status == 404 || status == 200) << seat.base << " " << body << " " << status;
    }
  Client nonsense = connect();
  nonsense.send("how do you do\r\n\r\n");
  EXPECT_EQ(nonsense.reply().status, 400);
}

TEST_F(Habit, SchemasThatHaveNoEndAreRefusedOrHaveOneAndNothingCrashes) {
  start();
  const auto nested = [](const std::string& open, const std::string& close, int times) {
    std::string opened, closed;
    for (int i = 0; i < times; ++i) opened += open, closed += close;
    return opened + "{}" + closed;
  };
  std::string doubles = R"({"type":"object","properties":{)";
  for (char name = 'a'; name <= 'z'; ++name) doubles += std::string(name == 'a' ? "" : ",") + '"' + name + R"(":{"$ref":"#"})";
  doubles += "}}";
  const std::string deep = nested(R"({"type":"array","items":)", "}", 100'000), loop = R"({"$ref":"#"})";
  const auto as_format = [](const std::string& schema) {
    return R"("response_format":{"type":"json_schema","json_schema":{"name":"x","schema":)" + schema + "}}";
  };
  const auto as_tool = [](const std::string& schema) {
    return R"("tool_choice":"required","tools":[{"type":"function","function":{"name":"f","parameters":)" + schema + "}}]";
  };
  const std::tuple<std::string, int, std::string> table[] = {
      {as_format(deep), 400, "nested too deeply: it may have 128 levels"},
      {as_tool(deep), 400, "nested too deeply: it may have 128 levels"},
      {as_format(nested("[", "]", 4'000'000)), 400, "nested too deeply"},
      {as_format(doubles), 400, "Invalid schema for response_format: it is too large, or refers to itself too often."},
      {as_tool(doubles), 400, "Invalid schema for function 'f': it is too large, or refers to itself too often."},
      {as_format(loop), 200, "null"},
      {as_tool(loop), 200, "{}"},
      {as_format(R"({"type":"object","properties":{"next":{"$ref":"#"}}})"), 200, "next"},
      {as_format(nested(R"({"type":"array","items":)", "}", 100)), 200, "[[[["},
      {R"("a":")" + std::string(1'000, '[') + R"(\"{")", 200, "You said"},
  };
  for (const auto& [more, status, says] : table)
    for (const Seat& seat : {openai, vllm}) {
      Client client = connect();
      client.send(post(
          seat.base, R"({"model":")" + std::string(seat.model) + R"(","messages":[{"role":"user","content":"x"}],)" + more + "}"));
      const Reply reply = client.reply();
      EXPECT_EQ(reply.status, status) << more.substr(0, 200);
      EXPECT_NE(reply.body.find(says), std::string::npos) << more.substr(0, 200) << '\n' << reply.body.substr(0, 500);
    }
}

TEST_F(Habit, ModelsAreListedAndPathsUnknownAreNot) {
  start();
  Client client = connect();
  const json listed = get(client, "/deepseek/models").parsed();
  EXPECT_EQ(listed["data"][0], json::parse(R"({"id":"deepseek-flash","object":"model","owned_by":"deepseek"})"));
  EXPECT_EQ(get(client, "/openai/v1/models").parsed()["data"].size(), 2U);
  EXPECT_EQ(get(client, "/vllm/v1/models").parsed()["data"][0]["id"], "vllm-model");
  EXPECT_EQ(get(client, "/nobody/v1/models").status, 404);
  EXPECT_EQ(get(client, "/openai/v1/other").status, 404);
}

TEST_F(Habit, ChunkedRequestsAndSeveralOnOneConnectionAreTaken) {
  start();
  Client client = connect();
  const std::string body = chat(vllm, "Hi").dump();
  std::string chunked = "POST /vllm/v1/chat/completions HTTP/1.1\r\nTransfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n";
  client.send(chunked);
  EXPECT_EQ(client.read(25), "HTTP/1.1 100 Continue\r\n\r\n");
  client.send("5;x=y\r\n" + body.substr(0, 5) + "\r\n" +
              [&] {
                char size[16];
                std::snprintf(size, sizeof size, "%zx\r\n", body.size() - 5);
                return std::string(size);
              }() +
              body.substr(5) + "\r\n0\r\nTrailer: 1\r\n\r\n" + post(vllm.base, body) + post(vllm.base, body));
  for (int i = 0; i < 3; ++i) EXPECT_EQ(client.reply().parsed()["choices"][0]["message"]["content"], "You said: Hi");
}

TEST_F(Habit, TheLastRequestsAreShownAsTheyCame) {
  start();
  const std::string request = post(vllm.base, chat(vllm, "Hi").dump());
  Client client = connect();
  client.send(request);
  EXPECT_EQ(client.reply().status, 200);
  const json last = get(client, "/_sim/last?n=1").parsed();
  ASSERT_EQ(last.size(), 1U);
  EXPECT_EQ(last[0]["kind"], "vllm");
  EXPECT_EQ(last[0]["head"].get<std::string>() + last[0]["body"].get<std::string>(), request);
  for (int i = 0; i < 70; ++i) get(client, "/vllm/v1/models");
  EXPECT_EQ(get(client, "/_sim/last").parsed().size(), 64U);
  const json stats = get(client, "/_sim/stats").parsed();
  EXPECT_EQ(stats["requests"], 71);
  EXPECT_EQ(stats["attempts"], 1);
  EXPECT_EQ(stats["open"], 1);
}

}  // namespace
}  // namespace fairlead::simulator
