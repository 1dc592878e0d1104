// Usage as each provider that speaks OpenAI's dialect reports it, in the shapes that were recorded of them or that they document,
// and the disjoint kinds that it means. Wherever two of a row say the same, both are counted once.
#include "dialect/openai/usage.h"

#include <gtest/gtest.h>

namespace fairlead::openai {
namespace {

constexpr std::int64_t absent = -1;

struct Row {
  const char* provider;
  const char* reported;
  std::int64_t input, cached_input, cache_write, output, reasoning;
  bool reasoning_outside = false;  ///< of its profile
};

const Row rows[] = {
    {"OpenAI, every detail",
     R"({"prompt_tokens":1600,"completion_tokens":363,"total_tokens":1963,"prompt_tokens_details":{"cached_tokens":1024,"cache_write_tokens":128,"audio_tokens":0,"image_tokens":0,"text_tokens":1600},"completion_tokens_details":{"reasoning_tokens":64,"audio_tokens":0,"accepted_prediction_tokens":0,"rejected_prediction_tokens":0,"text_tokens":299}})",
     448, 1024, 128, 299, 64},
    {"OpenAI, an older model",
     R"({"prompt_tokens":16,"completion_tokens":300,"total_tokens":316,"prompt_tokens_details":{"cached_tokens":0,"audio_tokens":0}})",
     16, 0, absent, 300, absent},
    {"OpenAI Responses",
     R"({"input_tokens":2011,"input_tokens_details":{"cached_tokens":1920,"cache_write_tokens":0},"output_tokens":11,"output_tokens_details":{"reasoning_tokens":5},"total_tokens":2022})",
     91, 1920, 0, 6, 5},
    {"OpenAI, embeddings", R"({"prompt_tokens":12,"total_tokens":12})", 12, absent, absent, absent, absent},
    {"Azure OpenAI, keys in another order",
     R"({"completion_tokens":78,"completion_tokens_details":{"reasoning_tokens":64},"prompt_tokens":15,"prompt_tokens_details":{"cached_tokens":0},"total_tokens":93})",
     15, 0, absent, 14, 64},
    {"Azure, DeepSeek", R"({"prompt_tokens":19,"completion_tokens":1969,"total_tokens":1988,"audio_prompt_tokens":0})", 19, absent,
     absent, 1969, absent},
    {"Azure, DeepSeek in a stream: no reasoning counted, though it thought",
     R"({"prompt_tokens":19,"total_tokens":1739,"completion_tokens":1720,"prompt_tokens_details":null,"reasoning_tokens":0})", 19,
     absent, absent, 1720, 0},
    {"DeepSeek, thinking: hits and misses, and the same nested",
     R"({"prompt_tokens":339,"completion_tokens":92,"total_tokens":431,"prompt_tokens_details":{"cached_tokens":320},"completion_tokens_details":{"reasoning_tokens":48},"prompt_cache_hit_tokens":320,"prompt_cache_miss_tokens":19})",
     19, 320, absent, 44, 48},
    {"DeepSeek, not thinking: no details of the output",
     R"({"prompt_tokens":18,"completion_tokens":219,"total_tokens":237,"prompt_cache_hit_tokens":0,"prompt_cache_miss_tokens":18})",
     18, 0, absent, 219, absent},
    {"Qwen, implicit cache",
     R"({"prompt_tokens":3019,"completion_tokens":104,"total_tokens":3123,"prompt_tokens_details":{"cached_tokens":2048}})", 971,
     2048, absent, 104, absent},
    {"Qwen, explicit cache: written and read at once",
     R"({"prompt_tokens":2000,"completion_tokens":22,"total_tokens":2022,"prompt_tokens_details":{"cached_tokens":500,"cache_creation_input_tokens":1200,"cache_creation":{"ephemeral_5m_input_tokens":1200},"cache_type":"ephemeral"}})",
     300, 500, 1200, 22, absent},
    {"Qwen, thinking",
     R"({"prompt_tokens":18,"completion_tokens":779,"total_tokens":797,"completion_tokens_details":{"reasoning_tokens":512},"prompt_tokens_details":{"cached_tokens":0}})",
     18, 0, absent, 267, 512},
    {"Tencent, running in every chunk", R"({"prompt_tokens":30,"completion_tokens":7,"total_tokens":37})", 30, absent, absent, 7,
     absent},
    {"Baidu, pages that it searched are in the prompt",
     R"({"prompt_tokens":950,"completion_tokens":40,"total_tokens":990,"prompt_tokens_details":{"cached_tokens":0,"search_tokens":900},"completion_tokens_details":{"reasoning_tokens":10}})",
     950, 0, absent, 30, 10},
    {"Zhipu",
     R"({"prompt_tokens":200,"completion_tokens":90,"total_tokens":290,"prompt_tokens_details":{"cached_tokens":128},"completion_tokens_details":{"reasoning_tokens":50}})",
     72, 128, absent, 40, 50},
    {"Kimi: cached at the top and nested",
     R"({"prompt_tokens":20,"completion_tokens":30,"total_tokens":50,"cached_tokens":10,"prompt_tokens_details":{"cached_tokens":10},"completion_tokens_details":{"reasoning_tokens":22}})",
     10, 10, absent, 8, 22},
    {"Kimi, at the top alone", R"({"prompt_tokens":20,"completion_tokens":30,"total_tokens":50,"cached_tokens":10})", 10, 10,
     absent, 30, absent},
    {"MiniMax: characters are no tokens",
     R"({"total_tokens":180,"prompt_tokens":100,"completion_tokens":80,"total_characters":0,"prompt_tokens_details":{"cached_tokens":60},"completion_tokens_details":{"reasoning_tokens":33}})",
     40, 60, absent, 47, 33},
    {"Mistral: cached twice, seconds of sound",
     R"({"prompt_tokens":171,"completion_tokens":14,"total_tokens":185,"prompt_tokens_details":{"cached_tokens":128},"num_cached_tokens":128,"prompt_audio_seconds":null})",
     43, 128, absent, 14, absent},
    {"Mistral, a misspelt twin",
     R"({"prompt_tokens":171,"completion_tokens":14,"total_tokens":185,"prompt_token_details":{"cached_tokens":128}})", 43, 128,
     absent, 14, absent},
    {"xAI: reasoning beside the output",
     R"({"prompt_tokens":100,"completion_tokens":20,"total_tokens":150,"prompt_tokens_details":{"text_tokens":100,"audio_tokens":0,"image_tokens":0,"cached_tokens":64},"completion_tokens_details":{"reasoning_tokens":30,"audio_tokens":0},"num_sources_used":0,"cost_in_usd_ticks":1721250})",
     36, 64, absent, 20, 30},
    {"Gemini, compatible surface: thinking is the difference", R"({"prompt_tokens":9,"completion_tokens":29,"total_tokens":296})",
     9, absent, absent, 29, 258, true},
    {"Vertex, compatible surface",
     R"({"prompt_tokens":9,"completion_tokens":29,"total_tokens":296,"completion_tokens_details":{"reasoning_tokens":258},"extra_properties":{"google":{"traffic_type":"ON_DEMAND"}}})",
     9, absent, absent, 29, 258, true},
    {"Groq: times beside tokens",
     R"({"queue_time":0.1,"prompt_tokens":38,"prompt_time":0.002,"completion_tokens":90,"completion_time":0.3,"total_tokens":128,"total_time":0.302,"prompt_tokens_details":{"cached_tokens":0},"completion_tokens_details":{"reasoning_tokens":44}})",
     38, 0, absent, 46, 44},
    {"Together", R"({"prompt_tokens":38,"completion_tokens":90,"total_tokens":128,"cached_tokens":32})", 6, 32, absent, 90, absent},
    {"Fireworks", R"({"prompt_tokens":38,"total_tokens":128,"completion_tokens":90,"prompt_tokens_details":{"cached_tokens":32}})",
     6, 32, absent, 90, absent},
    {"OpenRouter",
     R"({"prompt_tokens":10,"completion_tokens":4,"total_tokens":14,"prompt_tokens_details":{"cached_tokens":3,"cache_write_tokens":2,"audio_tokens":0,"video_tokens":0},"completion_tokens_details":{"reasoning_tokens":1,"image_tokens":0},"cost":0.00014,"is_byok":false,"cost_details":{"upstream_inference_cost":null},"server_tool_use":{"web_search_requests":0}})",
     5, 3, 2, 3, 1},
    {"vLLM", R"({"prompt_tokens":7,"total_tokens":27,"completion_tokens":20,"prompt_tokens_details":null})", 7, absent, absent, 20,
     absent},
    {"vLLM, with details of the prompt",
     R"({"prompt_tokens":70,"total_tokens":90,"completion_tokens":20,"prompt_tokens_details":{"cached_tokens":64}})", 6, 64, absent,
     20, absent},
    {"SGLang, reasoning at the top",
     R"({"prompt_tokens":19,"total_tokens":1739,"completion_tokens":1720,"prompt_tokens_details":null,"reasoning_tokens":1500})",
     19, absent, absent, 220, 1500},
    {"llama.cpp", R"({"completion_tokens":20,"prompt_tokens":7,"total_tokens":27,"prompt_tokens_details":{"cached_tokens":4}})", 3,
     4, absent, 20, absent},
    {"Ollama", R"({"prompt_tokens":7,"completion_tokens":20,"total_tokens":27})", 7, absent, absent, 20, absent},
    {"LM Studio, Responses",
     R"({"input_tokens":31,"output_tokens":282,"total_tokens":313,"input_tokens_details":{"cached_tokens":30},"output_tokens_details":{"reasoning_tokens":200}})",
     1, 30, absent, 82, 200},
    {"a gateway with the names of both APIs, of which it fills those of chat",
     R"({"prompt_tokens":100,"completion_tokens":40,"total_tokens":140,"prompt_tokens_details":{"cached_tokens":64,"text_tokens":0,"audio_tokens":0,"image_tokens":0},"completion_tokens_details":{"text_tokens":0,"audio_tokens":0,"reasoning_tokens":30},"input_tokens":0,"output_tokens":0,"input_tokens_details":null})",
     36, 64, absent, 10, 30},
    {"a gateway with the names of both APIs, of which it fills those of Responses",
     R"({"input_tokens":100,"input_tokens_details":{"cached_tokens":64,"cache_write_tokens":6},"output_tokens":40,"output_tokens_details":{"reasoning_tokens":30},"prompt_tokens":0,"completion_tokens":0,"total_tokens":140,"prompt_tokens_details":{"cached_tokens":0},"completion_tokens_details":{"reasoning_tokens":0}})",
     30, 64, 6, 10, 30},
    {"the same by both names",
     R"({"prompt_tokens":20,"completion_tokens":8,"total_tokens":28,"input_tokens":20,"output_tokens":8,"prompt_tokens_details":{"cached_tokens":5},"input_tokens_details":{"cached_tokens":5}})",
     15, 5, absent, 8, absent},
    {"nulls in every place",
     R"({"prompt_tokens":7,"completion_tokens":20,"total_tokens":null,"cached_tokens":null,"prompt_tokens_details":{"cached_tokens":null},"completion_tokens_details":{"reasoning_tokens":null}})",
     7, absent, absent, 20, absent},
};

std::optional<std::int64_t> count(std::int64_t value) {
  return value == absent ? std::nullopt : std::optional<std::int64_t>(value);
}

TEST(UsageVariants, EveryProvidersReportBecomesDisjointKinds) {  // M04
  for (const Row& row : rows) {
    UsageReport report;
    report.merge(row.reported);
    const auto usage = report.disjoint(row.reasoning_outside);
    ASSERT_TRUE(usage) << row.provider;
    EXPECT_EQ(usage->input, count(row.input)) << row.provider;
    EXPECT_EQ(usage->cached_input, count(row.cached_input)) << row.provider;
    EXPECT_EQ(usage->cache_write, count(row.cache_write)) << row.provider;
    EXPECT_EQ(usage->output, count(row.output)) << row.provider;
    EXPECT_EQ(usage->reasoning, count(row.reasoning)) << row.provider;
  }
}

TEST(UsageVariants, SoundAndImagesArePartsOfWhatWasReadOrWritten) {
  const auto read = [](const std::string& input, const std::string& output) {
    UsageReport report;
    report.merge(R"({"prompt_tokens":100,"completion_tokens":20,"prompt_tokens_details":{"cached_tokens":60,)" + input +
                 R"(},"completion_tokens_details":{"reasoning_tokens":8,)" + output + "}}");
    return report.disjoint(false);
  };
  const auto all = read(R"("audio_tokens":70,"image_tokens":30)", R"("audio_tokens":20)");
  ASSERT_TRUE(all);
  EXPECT_EQ(all->audio, 90);
  EXPECT_EQ(all->image, 30);
  EXPECT_FALSE(read(R"("audio_tokens":1000000000)", R"("audio_tokens":0)"));
  EXPECT_FALSE(read(R"("audio_tokens":71,"image_tokens":30)", R"("audio_tokens":0)"));
  EXPECT_FALSE(read(R"("audio_tokens":0)", R"("image_tokens":21)"));
  EXPECT_FALSE(read(R"("audio_tokens":0)", R"("audio_tokens":11,"image_tokens":10)"));
}

TEST(UsageVariants, WhatAProviderSaysThatItCostsIsKeptBesideItsTokens) {
  const auto said = [](const std::string& member) {
    UsageReport report;
    report.merge(R"({"prompt_tokens":1,"completion_tokens":1)" + (member.empty() ? "" : "," + member) + "}");
    EXPECT_TRUE(report.disjoint(false)) << "whatever it says of the cost: " << member;
    const auto usd = report.reported_usd_pico();
    return usd ? format_decimal(*usd) : "nothing";
  };
  EXPECT_EQ(said(R"("cost":0.00014)"), "0.00014");
  EXPECT_EQ(said(R"("cost":1.4e-4)"), "0.00014");
  EXPECT_EQ(said(R"("cost":0.00012345000000000001)"), "0.00012345") << "a float";
  EXPECT_EQ(said(R"("cost":0.0000000000005)"), "0.000000000001");
  EXPECT_EQ(said(R"("cost":0)"), "0");
  EXPECT_EQ(said(R"("cost":12E+2)"), "1200");
  EXPECT_EQ(said(R"("cost_in_usd_ticks":1721250)"), "0.000172125");
  for (const char* nothing : {"", R"("cost":null)", R"("cost":-1)", R"("cost":"0.1")", R"("cost":{})", R"("cost":1e9)",
                              R"("cost":1e999)", R"("cost":99999999999999999999999999999999)", R"("cost_details":{"cost":1})"})
    EXPECT_EQ(said(nothing), "nothing") << nothing;
  UsageReport report;
  report.merge(R"({"prompt_tokens":1,"cost":0.5})");
  report.merge(R"({"prompt_tokens":1,"cost":0.75})");
  EXPECT_EQ(format_decimal(*report.reported_usd_pico()), "0.75") << "never a sum";
}

TEST(UsageVariants, ReportsThatAreRepeatedOrNullAreTheSame) {  // M03
  for (const Row& row : rows) {
    UsageReport report;
    report.merge(row.reported);
    const auto once = report.disjoint(row.reasoning_outside);
    report.merge(row.reported);
    report.merge(R"({"prompt_tokens":null,"completion_tokens":null,"total_tokens":null})");
    report.merge("{}");
    EXPECT_EQ(report.disjoint(row.reasoning_outside), once) << row.provider;
  }
}

}  // namespace
}  // namespace fairlead::openai
