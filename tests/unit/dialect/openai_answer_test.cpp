#include "unit/dialect/rig.h"

#include "dialect/openai/usage.h"

#include <gtest/gtest.h>

namespace fairlead {
namespace {

std::string event(std::string_view data) { return "data: " + std::string(data) + "\n\n"; }
std::string chunk(std::string_view delta, std::string_view finish = "null", std::string_view more = "") {
  return event(R"({"id":"i","model":"m","choices":[{"index":0,"delta":)" + std::string(delta) + R"(,"finish_reason":)" +
               std::string(finish) + "}]" + std::string(more) + "}");
}
const std::string done = event("[DONE]");
const std::string word = chunk(R"({"content":"word"})");
const std::string stop = chunk("{}", "\"stop\"");

Outcome stream(const std::string& bytes, bool include_usage = false, const std::string& profile = "generic",
               AnswerOptions options = {}) {
  const TargetRig rig(profile);
  return run_answer(stream_request(include_usage), rig.target(), options, {bytes});
}
Outcome buffered(const std::string& bytes, AnswerOptions options = {}) {
  const TargetRig rig("generic");
  return run_answer(buffered_request(), rig.target(), options, {bytes});
}

struct Counts {
  std::optional<std::int64_t> input, cached_input, cache_write, output, reasoning;
  bool operator==(const Counts&) const = default;
};

std::optional<Counts> counts(std::string_view json, bool reasoning_outside = false) {
  openai::UsageReport report;
  report.merge(json);
  const auto usage = report.disjoint(reasoning_outside);
  if (!usage) return std::nullopt;
  return Counts{usage->input, usage->cached_input, usage->cache_write, usage->output, usage->reasoning};
}

TEST(OpenAiUsage, ComesInDisjointKinds) {  // M04
  const auto none = std::nullopt;
  EXPECT_EQ(counts(R"({"prompt_tokens":10,"completion_tokens":5,"total_tokens":15})"), (Counts{10, none, none, 5, none}));
  EXPECT_EQ(counts(R"({"prompt_tokens":10,"completion_tokens":5,"prompt_tokens_details":null,"completion_tokens_details":null})"),
            (Counts{10, none, none, 5, none}));
  EXPECT_EQ(counts(R"({"prompt_tokens":10,"completion_tokens":5,"prompt_cache_hit_tokens":8,"prompt_cache_miss_tokens":2})"),
            (Counts{2, 8, none, 5, none}));
  EXPECT_EQ(
      counts(
          R"({"prompt_tokens":10,"completion_tokens":5,"prompt_tokens_details":{"cached_tokens":8},"prompt_cache_hit_tokens":8,"prompt_cache_miss_tokens":2})"),
      (Counts{2, 8, none, 5, none}));
  EXPECT_EQ(counts(R"({"completion_tokens":5,"prompt_cache_hit_tokens":8,"prompt_cache_miss_tokens":2})"),
            (Counts{2, 8, none, 5, none}));
  EXPECT_EQ(counts(R"({"prompt_tokens":10,"completion_tokens":5,"prompt_cache_hit_tokens":8,"prompt_cache_miss_tokens":9})"),
            (Counts{2, 8, none, 5, none}));
  EXPECT_EQ(
      counts(
          R"({"prompt_tokens":100,"completion_tokens":5,"prompt_tokens_details":{"cached_tokens":40,"cache_creation_input_tokens":30}})"),
      (Counts{30, 40, 30, 5, none}));
  EXPECT_EQ(counts(R"({"prompt_tokens":100,"completion_tokens":5,"cached_tokens":40})"), (Counts{60, 40, none, 5, none}));
  EXPECT_EQ(counts(R"({"input_tokens":7,"output_tokens":5,"output_tokens_details":{"reasoning_tokens":2}})"),
            (Counts{7, none, none, 3, 2}));
}

TEST(OpenAiUsage, PutsReasoningWhereTheTotalSaysItIs) {
  const auto none = std::nullopt;
  const std::string inside =
      R"({"prompt_tokens":10,"completion_tokens":5,"total_tokens":15,"completion_tokens_details":{"reasoning_tokens":4}})";
  const std::string outside =
      R"({"prompt_tokens":10,"completion_tokens":5,"total_tokens":19,"completion_tokens_details":{"reasoning_tokens":4}})";
  const std::string untold = R"({"prompt_tokens":10,"completion_tokens":5,"completion_tokens_details":{"reasoning_tokens":4}})";
  for (const bool flag : {false, true}) {
    EXPECT_EQ(counts(inside, flag), (Counts{10, none, none, 1, 4}));
    EXPECT_EQ(counts(outside, flag), (Counts{10, none, none, 5, 4}));
  }
  EXPECT_EQ(counts(untold, false), (Counts{10, none, none, 1, 4}));
  EXPECT_EQ(counts(untold, true), (Counts{10, none, none, 5, 4}));
  EXPECT_EQ(counts(R"({"prompt_tokens":10,"completion_tokens":5,"total_tokens":18})", true), (Counts{10, none, none, 5, 3}));
  EXPECT_EQ(counts(R"({"prompt_tokens":10,"completion_tokens":5,"total_tokens":18})", false), (Counts{10, none, none, 5, none}));
  EXPECT_EQ(counts(R"({"prompt_tokens":10,"completion_tokens":40,"total_tokens":50,"reasoning_tokens":30})"),
            (Counts{10, none, none, 10, 30}));
}

TEST(OpenAiUsage, IsNotBelievedWhenItIsAbsurd) {
  for (const char* json :
       {R"({"prompt_tokens":-1,"completion_tokens":5})", R"({"prompt_tokens":10,"completion_tokens":5.5})",
        R"({"prompt_tokens":10.0,"completion_tokens":5})", R"({"prompt_tokens":"10","completion_tokens":5})",
        R"({"prompt_tokens":1e3,"completion_tokens":5})", R"({"prompt_tokens":1000000000001,"completion_tokens":5})",
        R"({"prompt_tokens":10,"completion_tokens":99999999999999999999999})", R"({"prompt_tokens":[],"completion_tokens":5})",
        R"({"prompt_tokens":10,"completion_tokens":5,"prompt_tokens_details":{"cached_tokens":11}})",
        R"({"prompt_tokens":10,"completion_tokens":5,"prompt_cache_hit_tokens":11})",
        R"({"prompt_tokens":10,"completion_tokens":5,"prompt_tokens_details":{"cached_tokens":6,"cache_write_tokens":6}})",
        R"({"prompt_tokens":10,"completion_tokens":5,"total_tokens":15,"completion_tokens_details":{"reasoning_tokens":6}})"})
    EXPECT_FALSE(counts(json)) << json;
  const Outcome outcome = stream(word + chunk("{}", "\"stop\"", R"(,"usage":{"prompt_tokens":-4,"completion_tokens":1})") + done);
  EXPECT_FALSE(outcome.failed);
  EXPECT_EQ(outcome.summary.usage_source, UsageSource::invalid);
  EXPECT_EQ(outcome.summary.usage, Usage{});
}

TEST(OpenAiUsage, IsTheLastReportAndNeverASum) {  // M02, M03
  const std::string usage = R"({"prompt_tokens":9,"completion_tokens":100,"total_tokens":109})";
  const std::string extra = event(R"({"id":"i","choices":[],"usage":)" + usage + "}");
  const std::string with = ",\"usage\":" + usage, null = ",\"usage\":null";
  std::string rising;
  for (int i = 1; i <= 100; ++i)
    rising += chunk(R"({"content":"w"})", "null", R"(,"usage":{"prompt_tokens":9,"completion_tokens":)" + std::to_string(i) + "}");
  const std::string streams[] = {
      word + stop + extra + done,
      word + chunk("{}", "\"stop\"", with) + done,
      word + stop + chunk("{}", "null", with) + done,
      word + chunk("{}", "null", with) + stop + done,
      word + chunk("{}", "null", with) + chunk("{}", "\"stop\"", null) + done,
      event(R"({"choices":[{"index":0,"delta":{"content":"word"},"finish_reason":"stop","usage":)" + usage + "}]}") + done,
      word + stop + event(R"({"choices":[],"x_groq":{"id":"r","usage":)" + usage + "}}") + done,
      word + extra + extra + chunk("{}", "\"stop\"", with) + extra + done,
      rising + stop + done,
      event(R"({"choices":[],"usage":{"prompt_tokens":9}})") + word + stop +
          event(R"({"choices":[],"usage":{"completion_tokens":100}})") + done,
  };
  for (const std::string& bytes : streams) {
    const Outcome outcome = stream(bytes);
    EXPECT_FALSE(outcome.failed) << bytes;
    EXPECT_EQ(outcome.summary.usage_source, UsageSource::reported) << bytes;
    EXPECT_EQ(outcome.summary.usage.input, 9) << bytes;
    EXPECT_EQ(outcome.summary.usage.output, 100) << bytes;
    EXPECT_EQ(outcome.seen.find("\"usage\":{\"prompt_tokens\":9,\"completion_tokens\":100,\"total_tokens\":109}}\n"),
              std::string::npos)
        << bytes;
  }
}

TEST(OpenAiUsage, IsOfTheWholeAnswerOnceEveryChoiceHasEnded) {
  const TargetRig rig("generic");
  const auto said = [](int index, bool end, bool usage) {
    return R"(data: {"choices":[{"index":)" + std::to_string(index) + R"(,"delta":{"content":"x"},"finish_reason":)" +
           (end ? R"("stop")" : "null") + "}]" + (usage ? R"(,"usage":{"prompt_tokens":5,"completion_tokens":3})" : "") + "}\n\n";
  };
  const std::string last = "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":5,\"completion_tokens\":3}}\n\n";
  struct Row {
    std::string body;
    bool of_whole;
  };
  const Row table[] = {
      {said(0, false, true), false},
      {said(0, false, true) + said(0, true, true), true},
      {said(0, false, false) + said(1, true, true), false},
      {said(0, false, false) + said(1, true, true) + said(0, true, false), false},
      {said(0, false, false) + said(1, true, true) + said(0, true, true), true},
      {said(0, true, false) + last, true},
      {said(0, true, true) + said(1, false, true), false},
      {said(0, false, false) + last, false},
      {said(0, false, false) + last + "data: [DONE]\n\n", true},
  };
  for (const Row& row : table) {
    const auto coder = dialect_openai().answer_coder(stream_request(), rig.target(), {});
    Pieces out;
    ASSERT_TRUE(coder->feed(row.body, out));
    EXPECT_EQ(coder->summary().usage_of_whole, row.of_whole) << row.body;
  }
  const auto whole =
      run_answer(buffered_request(), rig.target(), {},
                 {R"({"choices":[{"index":0,"message":{"content":"x"}}],"usage":{"prompt_tokens":5,"completion_tokens":3}})"});
  EXPECT_TRUE(whole.summary.usage_of_whole);
}

TEST(OpenAiStream, HearsWhichServiceTierAnswered) {
  const auto tier = [&](std::string_view said) { return stream(word + chunk("{}", "\"stop\"", said) + done).summary.service_tier; };
  EXPECT_EQ(tier(""), std::nullopt);
  EXPECT_EQ(tier(R"(,"service_tier":null)"), std::nullopt);
  EXPECT_EQ(tier(R"(,"service_tier":"default")"), ServiceTier::standard) << "asked for another or not";
  EXPECT_EQ(tier(R"(,"service_tier":"flex")"), ServiceTier::flex);
}

TEST(OpenAiStream, HidesUsageFromAnAppThatDidNotAsk) {
  const std::string usage = R"({"prompt_tokens":1,"completion_tokens":1})";
  EXPECT_EQ(
      stream(word + chunk("{}", "\"stop\"", ",\"usage\":" + usage) + event("{\"choices\":[],\"usage\":" + usage + "}") + done).seen,
      word + stop + done);
  EXPECT_EQ(
      stream(event("{\"usage\":null , \"choices\":[{\"delta\":{\"content\":\"x\"},\"finish_reason\":\"stop\"}]}") + done).seen,
      event("{\"choices\":[{\"delta\":{\"content\":\"x\"},\"finish_reason\":\"stop\"}]}") + done);
  // However often, and wherever it stands.
  const std::string said = R"("choices":[{"delta":{"content":"x"},"finish_reason":"stop"}])",
                    twice = R"("usage":null, "usage":)" + usage;
  const std::vector<std::pair<std::string, std::string>> table{
      {"{" + twice + " , " + said + "}", "{" + said + "}"},
      {"{" + said + "," + twice + "}", "{" + said + "}"},
      {"{" + said + "," + twice + R"(,"x":1})", "{" + said + R"(,"x":1})"},
      {"{" + twice + "," + said + "," + twice + R"(,"x":1,)" + twice + "}", "{" + said + R"(,"x":1})"},
      {R"({"usage":{},)" + said + R"(,"usage":{}})", "{" + said + "}"},
  };
  for (const auto& [from, to] : table) EXPECT_EQ(stream(event(from) + done).seen, event(to) + done);
  // What a text says of usage is no usage.
  const std::string talk = chunk(R"({"content":"\"usage\":{\"prompt_tokens\":1}","usage":{"prompt_tokens":1}})", "\"stop\"");
  const Outcome outcome = stream(talk + done);
  EXPECT_EQ(outcome.seen, talk + done);
  EXPECT_EQ(outcome.summary.usage_source, UsageSource::none);
}

TEST(OpenAiStream, GivesAnAppThatAskedTheCostWithTheUsage) {
  AnswerOptions options;
  options.cost_usd = [](const AnswerSummary& so_far) { return "0." + std::to_string(so_far.usage.input_total()); };
  const std::string before = word + stop;
  const auto last = [&](std::string_view usage) {
    return stream(before + event("{\"choices\":[],\"usage\":" + std::string(usage) + ",\"x\":1}") + done, true, "generic", options)
        .seen;
  };
  EXPECT_EQ(last(R"({"prompt_tokens":7,"completion_tokens":1 })"),
            before + event(R"({"choices":[],"usage":{"prompt_tokens":7,"completion_tokens":1 ,"cost_usd":"0.7"},"x":1})") + done);
  EXPECT_EQ(last(R"({"cost_usd":"9","prompt_tokens":7,"completion_tokens":1})"),
            before + event(R"({"choices":[],"usage":{"cost_usd":"0.7","prompt_tokens":7,"completion_tokens":1},"x":1})") + done);
  EXPECT_EQ(last(R"({"prompt_tokens":-7})"), before + event(R"({"choices":[],"usage":{"prompt_tokens":-7},"x":1})") + done);
  options.cost_usd = [](const AnswerSummary&) { return std::string{}; };
  EXPECT_EQ(last(R"({"prompt_tokens":7})"), before + event(R"({"choices":[],"usage":{"prompt_tokens":7},"x":1})") + done);
}

TEST(OpenAiStream, EndsWellOnlyWhenTheProviderDid) {  // M32
  const struct {
    std::string bytes;
    std::optional<ErrorKind> kind;
    std::string seen;
  } cases[] = {
      {word + stop + done, std::nullopt, word + stop + done},
      {word + stop, std::nullopt, word + stop + done},
      {word + stop + "data: [DONE]", std::nullopt, word + stop + done},
      {word + stop + "data:[DONE] \r\n", std::nullopt, word + stop + done},
      {word + done, std::nullopt, word + done},
      {word + stop + done + word + event("{\"error\":{}}"), std::nullopt, word + stop + done},
      {word + stop.substr(0, stop.size() - 1), std::nullopt, word + stop.substr(0, stop.size() - 1) + "\n\n" + done},
      {word + stop.substr(0, stop.size() - 2), std::nullopt, word + stop.substr(0, stop.size() - 2) + "\n\n" + done},
      {word + stop + ": bye", std::nullopt, word + stop + ": bye\n\n" + done},
      {"", ErrorKind::upstream_closed, ""},
      {done, ErrorKind::upstream_closed, ""},
      {chunk(R"({"role":"assistant","content":""})") + done, ErrorKind::upstream_closed, ""},
      {word, ErrorKind::upstream_closed, word},
      {word + stop.substr(0, stop.size() - 5), ErrorKind::upstream_closed, word},
      {word + event("not json"), ErrorKind::upstream_protocol, word},
      {word + event("[1]"), ErrorKind::upstream_protocol, word},
      {word + event("{\"a\":1}x"), ErrorKind::upstream_protocol, word},
      {word + event(R"({"error":{"message":"boom"}})") + done, ErrorKind::upstream_error_event, word},
      {word + event(R"({"object":"error","message":"boom","code":500})"), ErrorKind::upstream_error_event, word},
      {word + "event: error\ndata: boom\n\n", ErrorKind::upstream_error_event, word},
      {word + "error: {\"message\":\"boom\"}\n\n", ErrorKind::upstream_error_event, word},
      {word + chunk("{}", "\"error\"", R"(,"error":{"code":502,"message":"boom"})"), ErrorKind::upstream_error_event, word},
      {word + chunk("{}", "\"insufficient_system_resource\"") + done, ErrorKind::upstream_unavailable, word},
      {R"({"error":{"message":"boom"}})", ErrorKind::upstream_error_event, ""},
      {R"({"id":"i","choices":[{"message":{"content":"whole"}}]})", ErrorKind::upstream_protocol, ""},
  };
  for (const auto& [bytes, kind, seen] : cases) {
    const Outcome outcome = stream(bytes);
    EXPECT_EQ(outcome.failed, kind.has_value()) << bytes;
    EXPECT_EQ(outcome.error.kind, kind.value_or(Error{}.kind)) << bytes;
    const bool said = kind == ErrorKind::upstream_error_event;
    EXPECT_EQ(outcome.error.message() == "boom", said) << bytes;
    EXPECT_EQ(outcome.seen, seen) << bytes;
  }
}

TEST(OpenAiStream, EveryChoiceArrivesAndMustEndHoweverManyThereAre) {
  const auto choice = [](int index, const std::string& rest) {
    return event(R"({"id":"i","choices":[{"index":)" + std::to_string(index) + "," + rest + R"(}],"usage":{"prompt_tokens":1}})");
  };
  for (const int count : {2, 64, 65, 66, 128}) {
    std::string said, ended;
    for (int i = 0; i < count; ++i) {
      said += choice(i, R"("delta":{"content":"c)" + std::to_string(i) + R"("},"finish_reason":null)");
      ended += choice(i, R"("delta":{},"finish_reason":"stop")");
    }
    const Outcome whole = stream(said + ended);
    EXPECT_FALSE(whole.failed) << count;
    for (int i = 0; i < count; ++i) EXPECT_NE(whole.seen.find("\"c" + std::to_string(i) + "\""), std::string::npos) << i;
    const std::string last = choice(count - 1, R"("delta":{},"finish_reason":"stop")");
    EXPECT_EQ(stream(said + ended.substr(0, ended.size() - last.size())).error.kind, ErrorKind::upstream_closed) << count;
  }
  const std::string beyond = choice(500, R"("delta":{"content":"x"},"finish_reason":"stop")");
  EXPECT_TRUE(stream(beyond).failed) << "without a [DONE] nobody can tell";
  EXPECT_FALSE(stream(beyond + done).failed);
}

TEST(OpenAiStream, HasEndedOnceTheProviderSaysSoOfAWholeAnswer) {
  const std::pair<std::string, bool> cases[] = {
      {word, false}, {word + stop, false},       {word + done, false},
      {done, false}, {word + stop + done, true}, {word + stop + done + word, true},
  };
  const TargetRig rig("generic");
  for (const auto& [bytes, ended] : cases) {
    const auto coder = dialect_openai().answer_coder(stream_request(), rig.target(), {});
    Pieces out;
    EXPECT_TRUE(coder->feed(bytes, out));
    EXPECT_EQ(coder->ended(), ended) << bytes;
  }
}

TEST(OpenAiStream, NeverCountsTheTextOfAnError) {  // M09
  const Outcome outcome =
      stream(word + event(R"({"error":{"message":")" + std::string(5'000, 'e') + R"("},"choices":[{"delta":{"content":"no"}}]})"));
  EXPECT_EQ(outcome.summary.content_bytes, 4U);
}

TEST(OpenAiStream, KeepsTheRoleBackUntilThereIsContent) {  // M33
  const TargetRig rig("generic");
  const ChatRequest request = stream_request();
  const std::string role = chunk(R"({"role":"assistant","content":""})");
  const auto coder = dialect_openai().answer_coder(request, rig.target(), {});
  const std::string begin = ": wait\n\n" + role;
  Pieces out;
  ASSERT_TRUE(coder->feed(begin, out));
  EXPECT_EQ(joined(out), ": wait\n\n");
  EXPECT_FALSE(coder->summary().content_started);
  out.clear();
  ASSERT_TRUE(coder->feed(word, out));
  EXPECT_EQ(joined(out), role + word);
  EXPECT_TRUE(coder->summary().content_started);

  // Not without a limit.
  const auto other = dialect_openai().answer_coder(request, rig.target(), {});
  std::string all, seen;
  for (int i = 0; i < 100; ++i) {
    const std::string progress = chunk("{}", "null", ",\"prompt_progress\":" + std::to_string(i));
    all += progress;
    out.clear();
    ASSERT_TRUE(other->feed(progress, out));
    seen += joined(out);
  }
  EXPECT_EQ(seen, all);
}

TEST(OpenAiStream, PassesUnchangedEventsAsOneViewOfTheBytes) {
  const TargetRig rig("generic");
  const ChatRequest request = stream_request();
  const auto coder = dialect_openai().answer_coder(request, rig.target(), {});
  const std::string bytes = word + word + ": c\n\n" + word + word.substr(0, 20);
  Pieces out;
  ASSERT_TRUE(coder->feed(bytes, out));
  ASSERT_EQ(out.size(), 1U);
  EXPECT_EQ(out[0].data(), bytes.data());
  EXPECT_EQ(out[0].size(), bytes.size() - 20);
}

TEST(OpenAiStream, PassesToolCallsAsTheyAre) {  // M37
  std::string bytes;
  for (const char* call :
       {R"({"index":0,"id":"a","type":"function","function":{"name":"f","arguments":""}})",
        R"({"index":0,"id":"","function":{"arguments":"{\"x"}})", R"({"id":"b","function":{"name":"g","arguments":"{"}})",
        R"({"index":7,"function":{"arguments":"\":1}"}})"})
    bytes += chunk(R"({"tool_calls":[)" + std::string(call) + "]}");
  bytes += chunk("{}", "\"tool_calls\"") + done;
  const Outcome outcome = stream(bytes);
  EXPECT_EQ(outcome.seen, bytes);
  EXPECT_EQ(outcome.summary.content_bytes, std::string_view(R"(f{\"xg{\":1})").size());
  EXPECT_EQ(outcome.summary.finish_reason, "tool_calls");
}

TEST(OpenAiStream, TakesALargeEventAndStopsAtTheLimit) {  // M28, M29
  const std::string large = chunk(R"({"content":")" + std::string(8 << 20, 'x') + "\"}") + stop + done;
  EXPECT_EQ(stream(large).seen, large);
  AnswerOptions options;
  options.event_bytes_max = 1'000;
  const Outcome outcome = stream(word + large, false, "generic", options);
  EXPECT_EQ(outcome.error.kind, ErrorKind::upstream_protocol);
  EXPECT_EQ(outcome.seen, word);
}

TEST(OpenAiStream, NeverForgetsAKnownNameForAnEmptyOne) {
  const Outcome outcome = stream(event(R"({"id":"i","model":"m","choices":[{"delta":{"content":"x"}}]})") +
                                 event(R"({"id":"","model":"","choices":[{"delta":{},"finish_reason":"stop"}]})") +
                                 event(R"({"id":null,"model":null,"choices":[{"delta":null,"finish_reason":""}]})") + done);
  EXPECT_EQ(outcome.summary.id, "i");
  EXPECT_EQ(outcome.summary.model, "m");
  EXPECT_EQ(outcome.summary.finish_reason, "stop");
}

TEST(OpenAiBuffered, IsWholeOrAFailure) {
  const std::string good = R"({"choices":[{"message":{"content":"x"},"finish_reason":"stop"}]})";
  EXPECT_EQ(buffered("\r\n\n \t" + good + "\n").seen, good + "\n");
  const struct {
    std::string body;
    ErrorKind kind;
  } cases[] = {
      {"", ErrorKind::upstream_closed},
      {"\n\n\n", ErrorKind::upstream_closed},
      {good.substr(0, 40), ErrorKind::upstream_closed},
      {"<html>", ErrorKind::upstream_protocol},
      {good + good, ErrorKind::upstream_protocol},
      {"[]", ErrorKind::upstream_protocol},
      {"{}", ErrorKind::upstream_protocol},
      {R"({"choices":null})", ErrorKind::upstream_protocol},
      {R"({"error":{"message":"no"}})", ErrorKind::upstream_error_event},
      {R"({"error":"no"})", ErrorKind::upstream_error_event},
      {R"({"choices":[{"message":{},"finish_reason":"insufficient_system_resource"}]})", ErrorKind::upstream_unavailable},
  };
  for (const auto& [body, kind] : cases) {
    const Outcome outcome = buffered(body);
    ASSERT_TRUE(outcome.failed) << body;
    EXPECT_EQ(outcome.error.kind, kind) << body;
    EXPECT_EQ(outcome.error.retry, Retry::before_commit) << body;
    EXPECT_EQ(outcome.seen, "") << body;
    EXPECT_FALSE(outcome.summary.content_started);
  }
  EXPECT_FALSE(buffered(R"({"error":null,"choices":[]})").failed);
  AnswerOptions options;
  options.answer_bytes_max = 10;
  EXPECT_EQ(buffered(good, options).error.kind, ErrorKind::upstream_protocol);
}

TEST(OpenAiBuffered, OfItsFailureTheLogKnowsTheReasonAlone) {
  const std::string body = R"({"choices":[{"message":{"content":"a"},"finish_reason":"words of the provider"},)"
                           R"({"index":1,"message":{"content":"b"},"finish_reason":"error"}]})";
  const Outcome outcome = buffered(body);
  EXPECT_EQ(outcome.error.kind, ErrorKind::upstream_unavailable);
  EXPECT_EQ(outcome.error.detail(), "finish_reason error");
}

TEST(OpenAiBuffered, NoMoreOfItsNamesIsKeptThanThatOfARow) {
  const auto named = [](const std::string& said) {
    const Outcome outcome = buffered(R"({"id":")" + said + R"(","model":")" + said +
                                     R"(","choices":[{"message":{"content":"x"},"finish_reason":")" + said + R"("}]})");
    EXPECT_FALSE(outcome.failed) << outcome.error.message();
    EXPECT_EQ(outcome.summary.model, outcome.summary.id);
    EXPECT_EQ(outcome.summary.finish_reason, outcome.summary.id);
    return outcome.summary.id;
  };
  EXPECT_EQ(named("chatcmpl-1/2 3"), "chatcmpl-1/2 3");
  EXPECT_EQ(named(std::string(256, 'x')), std::string(256, 'x'));
  EXPECT_EQ(named(std::string(1 << 20, 'x')), std::string(256, 'x'));
  EXPECT_EQ(named(R"(a\u0000b\u001b[31m\n\"\\)"), "a b [31m \"\\");
  EXPECT_EQ(named("Mod\xC3\xA8le"), "Mod\xC3\xA8le");
  std::string accents, escapes;
  for (int i = 0; i < 2'000; ++i) accents += "\xC3\xA8", escapes += R"(\u00e8\ud83d\ude00)";
  EXPECT_EQ(named("x" + accents), "x" + accents.substr(0, 254)) << "no letter is cut";
  EXPECT_EQ(named(escapes).size(), 254U);
  EXPECT_EQ(named("model of " + std::string(test_api_key) + ", x"), "model of [masked], x");
  EXPECT_EQ(named("model of sk-0123456789abcdef, " + std::string(300, 'x')).substr(0, 18), "model of [masked],");
}

TEST(OpenAiBuffered, NamesTheModelAsAsked) {
  AnswerOptions options;
  options.answer_model = AnswerModel::asked;
  options.asked_model = "cha\"t";
  const Outcome outcome = buffered(R"({"model":"provider-m","choices":[{"message":{"content":"x","model":"y"}}]})", options);
  EXPECT_EQ(outcome.seen, R"({"model":"cha\"t","choices":[{"message":{"content":"x","model":"y"}}]})");
  EXPECT_EQ(outcome.summary.model, "provider-m");
}

}  // namespace
}  // namespace fairlead
