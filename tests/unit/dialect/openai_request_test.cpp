#include "unit/dialect/rig.h"

#include <gtest/gtest.h>

namespace fairlead {
namespace {

constexpr std::string_view hi = R"("messages":[{"role":"user","content":"hi"}])";

std::string body(std::string_view more) { return R"({"model":"chat",)" + std::string(hi) + std::string(more) + "}"; }

std::string encoded(const std::string& profile, std::string text) {
  const TargetRig rig(profile);
  const ChatRequest request = parsed(std::move(text));
  const auto out = dialect_openai().encode_request(request, rig.target());
  EXPECT_EQ(out->body_bytes(), joined(out->body).size());
  return joined(out->body);
}

TEST(OpenAiRequest, ReadsWhatRoutingNeeds) {
  const ChatRequest request = parsed(R"({"model":"ch\u0061t","messages":[{"role":"user","content":"hello"}],"stream":true,)"
                                     R"("stream_options":{"include_usage":true},"max_tokens":5,"max_completion_tokens":7,"n":2})");
  EXPECT_EQ(request.model, "chat");
  EXPECT_TRUE(request.stream);
  EXPECT_TRUE(request.include_usage);
  EXPECT_EQ(request.output_tokens_max, 7);
  EXPECT_EQ(request.choices, 2);
  EXPECT_EQ(request.needs.bits, 0);
  EXPECT_EQ(request.prompt_bytes, std::string_view(R"([{"role":"user","content":"hello"}])").size());
  ASSERT_EQ(request.members.size(), 7U);
  EXPECT_EQ(request.members[0].key, "model");
  EXPECT_EQ(
      request.body.view().substr(request.members[0].value_begin, request.members[0].value_end - request.members[0].value_begin),
      "\"ch\\u0061t\"");
}

TEST(OpenAiRequest, TakesNullForNotThere) {
  const ChatRequest request =
      parsed(body(R"(,"stream":null,"stream_options":null,"max_tokens":null,"n":null,"tools":null,"response_format":null)"));
  EXPECT_FALSE(request.stream);
  EXPECT_FALSE(request.output_tokens_max);
  EXPECT_EQ(request.choices, 1);
  EXPECT_EQ(request.needs.bits, 0);
}

TEST(OpenAiRequest, SeesWhatItNeeds) {
  const auto needs = [](std::string_view more) { return parsed(body(more)).needs; };
  const auto with = [](Capability capability) {
    Capabilities all;
    all.add(capability);
    return all;
  };
  EXPECT_EQ(needs(R"(,"tools":[{"type":"function"}])"), with(Capability::tools));
  EXPECT_EQ(needs(R"(,"functions":[{"name":"f"}])"), with(Capability::tools));
  EXPECT_EQ(needs(R"(,"tools":[])").bits, 0);
  EXPECT_EQ(needs(R"(,"response_format":{"type":"json_object"})"), with(Capability::json_object));
  EXPECT_EQ(needs(R"(,"response_format":{"json_schema":{},"type":"json_sch\u0065ma"})"), with(Capability::json_schema));
  EXPECT_EQ(needs(R"(,"response_format":{"type":"text"})").bits, 0);
  EXPECT_EQ(needs(R"(,"audio":{"voice":"x"})"), with(Capability::audio));
  const auto part = [&](std::string_view text) {
    return parsed(R"({"model":"chat","messages":[{"role":"user","content":[)" + std::string(text) + "]}]}").needs;
  };
  EXPECT_EQ(part(R"({"type":"text","text":"image_url"})").bits, 0);
  EXPECT_EQ(part(R"({"image_url":{"url":"https://a.example/b.png"},"type":"image_url"})"), with(Capability::vision));
  EXPECT_EQ(part(R"({"type":"input_audio","input_audio":{"data":"AAAA","format":"wav"}})"), with(Capability::audio));
}

TEST(OpenAiRequest, SeesHowItAsksToBeServed) {
  struct Row {
    const char* members;
    std::optional<bool> thinking{};
    ServiceTier tier = ServiceTier::standard;
  };
  const Row table[] = {
      {"", {}},
      {R"(,"enable_thinking":true)", true},
      {R"(,"enable_thinking":false,"reasoning_effort":"high")", false},
      {R"(,"enable_thinking":"yes")", {}},
      {R"(,"thinking":{"type":"enabled","budget":5})", true},
      {R"(,"thinking":{"type":"disabled"})", false},
      {R"(,"thinking":{"budget":5})", {}},
      {R"(,"thinking":null,"reasoning_effort":null)", {}},
      {R"(,"reasoning_effort":"none")", false},
      {R"(,"reasoning_effort":"xhigh")", true},
      {R"(,"service_tier":"flex")", {}, ServiceTier::flex},
      {R"(,"service_tier":"prior\u0069ty")", {}, ServiceTier::priority},
      {R"(,"service_tier":"fast")", {}, ServiceTier::priority},
      {R"(,"service_tier":"auto")", {}},
      {R"(,"service_tier":7)", {}},
  };
  for (const Row& row : table) {
    const RequestMode mode = parsed(body(row.members)).mode;
    EXPECT_EQ(mode.thinking.said(every_thinking_switch), row.thinking) << row.members;
    EXPECT_EQ(mode.service_tier, row.tier) << row.members;
  }
}

TEST(OpenAiRequest, SeesThatItAsksItsProviderToKeepIt) {
  const auto keeping = [](const char* members) { return parsed(body(members)).keeping; };
  for (const char* not_asked :
       {"", R"(,"store":false)", R"(,"store":null)", R"(,"prompt_cache_retention":null)",
        R"(,"prompt_cache_retention":"in_memory","store":false)", R"(,"prompt_cache_retention":"in-memory")"})
    EXPECT_EQ(keeping(not_asked), Keeping::not_asked) << not_asked;
  for (const char* store : {R"(,"store":true)", R"(,"store":"false")", R"(,"store":1)", R"(,"store":{})"})
    EXPECT_EQ(keeping(store), Keeping::store) << store;
  for (const char* cached : {R"(,"prompt_cache_retention":"24h")", R"(,"prompt_cache_retention":86400,"store":false)",
                             R"(,"prompt_cache_retention":true)"})
    EXPECT_EQ(keeping(cached), Keeping::prompt_cache_retention) << cached;
  EXPECT_FALSE(dialect_openai().parse_request(body(R"(,"Store":true)"))) << "some servers would take it for store";
}

TEST(OpenAiRequest, ReadsWhatItWishesOfItsRouting) {
  EXPECT_EQ(parsed(body("")).wishes, nullptr);
  const auto request =
      parsed(body(R"(,"models":["chat","deepseek/x"],"provider":{"only":["a","b/c"],"ignore":["d"],"order":["b","a"],)"
                  R"("allow_fallbacks":false,"require_parameters":true,"data_collection":"deny","sort":"price",)"
                  R"("max_price":{"prompt":0.25,"completion":"1.5"}})"));
  ASSERT_NE(request.wishes, nullptr);
  const Wishes& w = *request.wishes;
  EXPECT_EQ(w.models, (std::vector<std::string>{"chat", "deepseek/x"}));
  EXPECT_EQ(w.only, (std::vector<std::string>{"a", "b/c"}));
  EXPECT_EQ(w.ignore, std::vector<std::string>{"d"});
  EXPECT_EQ(w.order, (std::vector<std::string>{"b", "a"}));
  EXPECT_EQ(w.sort, Wishes::Sort::price);
  EXPECT_TRUE(!w.fallbacks && w.require_parameters && w.keep_nothing);
  EXPECT_TRUE(w.max_input_price == parse_decimal("0.25").value() && w.max_output_price == parse_decimal("1.5").value());
  const auto nothing = parsed(body(R"(,"models":null,"provider":{"only":null,"zdr":false,"data_collection":"allow"})"));
  EXPECT_TRUE(nothing.wishes->only.empty() && nothing.wishes->fallbacks && !nothing.wishes->keep_nothing);
  EXPECT_TRUE(parsed(body(R"(,"provider":{"data_collection":"deny","zdr":false})")).wishes->keep_nothing);
}

TEST(OpenAiRequest, AWishThatIsNotUnderstoodIsRefusedWithItsField) {
  const struct {
    const char *more, *param;
  } table[] = {
      {R"(,"provider":"deepseek")", "provider"},
      {R"(,"provider":{"onyl":["a"]})", "provider.onyl"},
      {R"(,"provider":{"quantizations":["fp8"]})", "provider.quantizations"},
      {R"(,"provider":{"only":"a"})", "provider.only"},
      {R"(,"provider":{"only":[]})", "provider.only"},
      {R"(,"provider":{"only":[1]})", "provider.only"},
      {R"(,"provider":{"only":[""]})", "provider.only"},
      {R"(,"provider":{"only":["a"],"only":["b"]})", "provider.only"},
      {R"(,"provider":{"allow_fallbacks":"no"})", "provider.allow_fallbacks"},
      {R"(,"provider":{"data_collection":"maybe"})", "provider.data_collection"},
      {R"(,"provider":{"sort":{"by":"price"}})", "provider.sort"},
      {R"(,"provider":{"max_price":1})", "provider.max_price"},
      {R"(,"provider":{"max_price":{"image":1}})", "provider.max_price.image"},
      {R"(,"provider":{"max_price":{"prompt":-1}})", "provider.max_price.prompt"},
      {R"(,"provider":{"max_price":{"prompt":1e-3}})", "provider.max_price.prompt"},
      {R"(,"models":"chat")", "models"},
      {R"(,"models":{})", "models"},
      {R"(,"models":["a"],"models":["b"])", "models"},
  };
  for (const auto& row : table) {
    const auto refused = dialect_openai().parse_request(body(row.more));
    ASSERT_FALSE(refused) << row.more;
    EXPECT_EQ(refused.error().kind, ErrorKind::bad_request) << row.more;
    EXPECT_EQ(refused.error().param(), row.param) << row.more;
  }
}

TEST(OpenAiRequest, WishesAreForUsAndNotSentOn) {
  const std::string plain = encoded("generic", body(R"(,"seed":1)"));
  EXPECT_EQ(encoded("generic", body(R"(,"provider":{"only":["a"]},"seed":1,"models":["x"])")), plain);
  EXPECT_EQ(encoded("generic", body(R"(,"provider":null,"models":null,"seed":1)")), plain);
  EXPECT_EQ(encoded("generic", R"({"models":["x"],"model":"chat",)" + std::string(hi) + R"(,"seed":1})"), plain);
}

// A rule about images or sound holds for what it cannot tell from them.
TEST(OpenAiRequest, TellsPartsOfKindsThatItDoesNotKnow) {
  const auto unknown = [](const std::string& message) {
    return parsed(R"({"model":"chat","messages":[{"role":"user",)" + message + "}]}").unknown_content;
  };
  for (const char* known : {R"("content":"hi")", R"("content":null,"tool_calls":[{"id":"a","type":"function"}])",
                            R"("content":["hi",{"type":"text","text":"there","cache_control":{"type":"ephemeral"}}])",
                            R"("content":[{"type":"image_url","image_url":{"url":"https://a.example/b.png"}}])",
                            R"("content":[{"type":"input_audio","input_audio":{"data":"AAAA","format":"wav"}}])",
                            R"("content":"hi","name":"ann","function_call":{"name":"f","arguments":"{}"})"})
    EXPECT_FALSE(unknown(known)) << known;
  for (const char* other :
       {R"("content":[{"type":"image","source":{"type":"base64","data":"AAAA"}}])",
        R"("content":[{"type":"image","url":"https://a.example/b.png"}])",
        R"("content":[{"type":"file","file":{"file_data":"data:image/png;base64,AAAA"}}])",
        R"("content":[{"type":"media","data":"AAAA"}])", R"("content":[[{"type":"text","text":"x"}]])",
        R"("content":{"type":"image","data":"AAAA"})", R"("content":"look","images":["AAAA"])",
        R"("content":[{"type":"tool_result","content":[{"type":"image"}]}])", R"("content":"","audio":{"id":"a"})"})
    EXPECT_TRUE(unknown(other)) << other;
}

TEST(OpenAiRequest, DoesNotCountPicturesAsPrompt) {
  const auto bytes = [](std::size_t size) {
    return parsed(
               R"({"model":"chat","messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:image/png;base64,)" +
               std::string(size, 'A') + R"("}},{"type":"text","text":"what is it"}]}]})")
        .prompt_bytes;
  };
  EXPECT_EQ(bytes(10), bytes(1'000'000));
  EXPECT_LT(bytes(10), 200U);
}

TEST(OpenAiRequest, RefusesWithTheFieldAtFault) {
  const struct {
    std::string body, param;
  } cases[] = {{"", ""},
               {"[]", ""},
               {"null", ""},
               {"{", ""},
               {body(","), ""},
               {body("") + "x", ""},
               {"\xEF\xBB\xBF" + body(""), ""},
               {"{}", "model"},
               {"{\"messages\":[{}]}", "model"},
               {R"({"model":"chat"})", "messages"},
               {R"({"model":"","messages":[{}]})", "model"},
               {R"({"model":null,"messages":[{}]})", "model"},
               {R"({"model":["chat"],"messages":[{}]})", "model"},
               {R"({"model":")" + std::string(600, 'm') + R"(","messages":[{}]})", "model"},
               {R"({"model":"chat","messages":[]})", "messages"},
               {R"({"model":"chat","messages":{}})", "messages"},
               {R"({"model":"chat","messages":null})", "messages"},
               {R"({"model":"chat","messages":[{},"x"]})", "messages[1]"},
               {body(R"(,"model":"other")"), "model"},
               {body(R"(,"mod\u0065l":"other")"), "model"},
               {body(R"(,"x":1,"x":1)"), "x"},
               {body(R"(,"Model":"other")"), "Model"},  // some servers would take it for the model, and the last one counts
               {body(R"(,"MAX_TOKENS":5)"), "MAX_TOKENS"},
               {body(R"(,"me\u017F\u017Fage\u017F":[])"), "me\u017F\u017Fage\u017F"},
               {body(R"(,"too\u006C\u0053":[])"), "toolS"},
               {body(R"(,"enable_thin\u212Aing":true)"), "enable_thin\u212Aing"},
               {body(R"(,"stream_options":{"Include_Usage":false})"), "Include_Usage"},
               {body(R"(,"thinking":{"type":"disabled","TYPE":"enabled"})"), "TYPE"},
               {body(R"(,"stream":"true")"), "stream"},
               {body(R"(,"stream":1)"), "stream"},
               {body(R"(,"stream_options":true)"), "stream_options"},
               {body(R"(,"stream_options":{"include_usage":1})"), "stream_options.include_usage"},
               {body(R"(,"stream_options":{"include_usage":true,"include_usage":false})"), "stream_options.include_usage"},
               {body(R"(,"max_tokens":"5")"), "max_tokens"},
               {body(R"(,"max_tokens":1.5)"), "max_tokens"},
               {body(R"(,"max_tokens":99999999999999999999)"), "max_tokens"},
               {body(R"(,"max_completion_tokens":{})"), "max_completion_tokens"},
               {body(R"(,"n":0)"), "n"},
               {body(R"(,"n":"2")"), "n"},
               {body(R"(,"tools":{})"), "tools"},
               {body(R"(,"response_format":"json")"), "response_format"},
               {body(R"(,"x":01)"), ""},
               {body(",\"x\":\"\xFF\""), ""},
               {body(R"(,"x":)" + std::string(200, '[') + std::string(200, ']')), ""}};
  for (const auto& [text, param] : cases) {
    const auto request = dialect_openai().parse_request(text);
    ASSERT_FALSE(request) << text;
    EXPECT_EQ(request.error().kind, ErrorKind::bad_request) << text;
    EXPECT_EQ(request.error().origin, ErrorOrigin::app);
    EXPECT_EQ(request.error().param(), param) << text;
    EXPECT_FALSE(request.error().message().empty());
  }
  std::string many = body("");
  many.pop_back();
  for (int i = 0; i < 100'000; ++i) many += ",\"k" + std::to_string(i) + "\":0";
  EXPECT_FALSE(dialect_openai().parse_request(many + "}"));
}

TEST(OpenAiRequest, FieldsThatItDoesNotKnowMayBeSpeltInAnyWay) {
  EXPECT_TRUE(dialect_openai().parse_request(body(R"(,"topK":5,"Temperature":1,"modell":"x","n-":2,"Ünknown":{})")));
}

TEST(OpenAiRequest, ChangesNothingButTheModel) {
  const std::string odd =
      "\n{ \"x\" : [ 1e400 , -0.0 , 12345678901234567890123 ] ,\t\"model\" : \"chat\" , \"\\u0078y\":\"\\ud83d\\ude00 é\\/\" ,"
      "\r\n\"messages\" : [ {\"role\":\"user\",\"content\":\"\\u00e9\",\"odd\":{}} ] } \n";
  std::string expected = odd;
  expected.replace(expected.find("\"chat\""), 6, "\"the-model\"");
  for (const char* profile : {"openai", "deepseek", "qwen", "vllm", "sglang", "llamacpp", "ollama", "lmstudio", "generic"})
    EXPECT_EQ(encoded(profile, odd), expected) << profile;
}

TEST(OpenAiRequest, SendsCredentialsAndPath) {
  const TargetRig rig("openai");
  const ChatRequest request = buffered_request();
  const auto out = dialect_openai().encode_request(request, rig.target());
  EXPECT_EQ(out->path, "/chat/completions");
  const std::vector<std::pair<std::string_view, std::string>> fields = {{"Content-Type", "application/json"},
                                                                        {"Authorization", "Bearer " + std::string(test_api_key)}};
  EXPECT_EQ(out->fields, fields);
}

TEST(OpenAiRequest, OfTwoOutputLimitsTheNewerCountsAndTheLargerIsKept) {
  using Count = std::optional<std::int64_t>;
  struct Row {
    const char* fields;
    Count limit, of_both;
  };
  for (const Row& row : std::vector<Row>{{R"(,"max_tokens":5)", 5, {}},
                                         {R"(,"max_completion_tokens":7)", 7, {}},
                                         {R"(,"max_tokens":5,"max_completion_tokens":7)", 7, 7},
                                         {R"(,"max_completion_tokens":7,"max_tokens":500)", 7, 500},
                                         {R"(,"max_tokens":500,"max_completion_tokens":null)", 500, {}},
                                         {R"(,"max_tokens":-1,"max_completion_tokens":7)", 7, {}},
                                         {R"(,"max_tokens":7,"max_completion_tokens":-1)", {}, {}},
                                         {R"(,"max_completion_tokens":-1,"max_tokens":7)", {}, {}},
                                         {R"(,"max_tokens":0)", {}, {}},
                                         {R"(,"max_tokens":0,"max_completion_tokens":7)", 7, {}},
                                         {R"(,"max_tokens":7,"max_completion_tokens":0)", {}, {}}}) {
    const auto request = dialect_openai().parse_request(body(row.fields));
    ASSERT_TRUE(request) << row.fields;
    EXPECT_EQ(request->output_tokens_max, row.limit) << row.fields;
    EXPECT_EQ(request->output_tokens_max_of_both, row.of_both) << row.fields;
  }
}

TEST(OpenAiRequest, SendsOneOutputLimitUnderTheNameTheProviderKnows) {
  const struct {
    const char *profile, *in, *out;
  } cases[] = {
      {"openai", R"(,"max_tokens":5)", R"(,"max_completion_tokens":5)"},
      {"openai", R"(,"max_tokens":5,"max_completion_tokens":7)", R"(,"max_completion_tokens":7)"},
      {"openai", R"(,"max_tokens":5,"max_completion_tokens":null)", R"(,"max_completion_tokens":5)"},
      {"deepseek", R"(,"max_completion_tokens":7)", R"(,"max_tokens":7)"},
      {"deepseek", R"(,"max_tokens":5,"top_p":1,"max_completion_tokens":7)", R"(,"top_p":1,"max_tokens":7)"},
      {"deepseek", R"(,"max_tokens":5)", R"(,"max_tokens":5)"},
      {"vllm", R"(,"max_tokens":5,"max_completion_tokens":7)", R"(,"max_tokens":5,"max_completion_tokens":7)"},
  };
  const std::string head = R"({"model":"the-model",)" + std::string(hi);
  for (const auto& [profile, in, out] : cases) EXPECT_EQ(encoded(profile, body(in)), head + out + "}") << profile << in;
}

TEST(OpenAiRequest, AsksForUsageBesideWhatTheAppAsked) {  // M05
  const auto options = [](std::string_view in) {
    const std::string out = encoded("generic", body(R"(,"stream":true)" + std::string(in)));
    const std::size_t begin = out.find("\"stream_options\"");
    return begin == std::string::npos ? std::string{} : out.substr(begin, out.find('}', begin) + 1 - begin);
  };
  EXPECT_EQ(options(""), R"("stream_options":{"include_usage":true})");
  EXPECT_EQ(options(R"(,"stream_options":null)"), R"("stream_options":{"include_usage":true})");
  EXPECT_EQ(options(R"(,"stream_options":{})"), R"("stream_options":{"include_usage":true})");
  EXPECT_EQ(options(R"(,"stream_options":{ "a":1 })"), R"("stream_options":{"include_usage":true, "a":1 })");
  EXPECT_EQ(options(R"(,"stream_options":{"include_usage":false,"a":1})"), R"("stream_options":{"include_usage":true,"a":1})");
  EXPECT_EQ(options(R"(,"stream_options":{"include_usage": true })"), R"("stream_options":{"include_usage": true })");
  EXPECT_EQ(encoded("generic", body("")), R"({"model":"the-model",)" + std::string(hi) + "}");
}

TEST(OpenAiRequest, DropsAndRenamesWhereverTheMemberStands) {
  Profile profile;
  profile.rename = {{"old", "new"}, {"b", "c"}};
  profile.drop = {"seed", "user", "model"};
  profile.stream_options_refused = true;
  const TargetRig rig("generic");
  Provider provider;
  provider.profile = &profile;
  Target target = rig.target();
  target.provider = &provider;
  const auto out = [&](std::string text) {
    const ChatRequest request = parsed(std::move(text));
    const auto encoded_request = dialect_openai().encode_request(request, target);
    EXPECT_EQ(encoded_request->fields.size(), 1U);  // no key, no Authorization
    return joined(encoded_request->body);
  };
  const std::string m = R"("model":"the-model",)" + std::string(hi);
  const std::string in = R"("model":"chat",)" + std::string(hi);
  EXPECT_EQ(out("{\"seed\":1,\"user\":\"u\"," + in + "}"), "{" + m + "}");
  EXPECT_EQ(out("{" + in + " , \"seed\":1 , \"user\":\"u\" }"), "{" + m + " }");
  EXPECT_EQ(out("{\"seed\":1," + in + ",\"user\":\"u\",\"old\":2,\"stream_options\":{\"a\":1}}"), "{" + m + ",\"new\":2}");
  EXPECT_EQ(out("{\"b\":1," + in + ",\"c\":2}"), "{" + m + ",\"c\":2}");
}

TEST(OpenAiRequest, RenamesRolesAndReasoningOnlyWhereTheyAreMeant) {
  const std::string text = R"({"model":"chat","messages":[{"content":"\"developer\"","role":"developer"},)"
                           R"({"role":"assistant","reasoning_content":"a","content":"\"reasoning_content\""},)"
                           R"({"role":"assistant","reasoning_content":"a","reasoning":"b"},)"
                           R"({"role":"tool","name":"developer","content":{"role":"developer","reasoning_content":1}}]})";
  EXPECT_EQ(encoded("ollama", text),
            R"({"model":"the-model","messages":[{"content":"\"developer\"","role":"system"},)"
            R"({"role":"assistant","reasoning":"a","content":"\"reasoning_content\""},)"
            R"({"role":"assistant","reasoning_content":"a","reasoning":"b"},)"
            R"({"role":"tool","name":"developer","content":{"role":"developer","reasoning_content":1}}]})");
}

TEST(OpenAiRequest, DoesNotCopyTheBody) {
  const ChatRequest request = parsed(body(R"(,"user":")" + std::string(1'000'000, 'u') + "\""));
  const TargetRig rig("openai");
  const auto out = dialect_openai().encode_request(request, rig.target());
  std::size_t owned = 0;
  for (const auto& text : out->owned) owned += text->size();
  EXPECT_LT(owned, 100U);
}

}  // namespace
}  // namespace fairlead
