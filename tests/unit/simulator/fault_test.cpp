// What the simulator does when it is told to misbehave, byte by byte, and what it bills for it.
#include "rehearsal.h"

namespace fairlead::simulator {
namespace {

class Fault : public Rehearsal {};

std::string told(const std::string& words) { return "Hi [[sim " + words + "]]"; }

struct Refused {
  Seat seat;
  const char* words;
  int status;
  const char* body;
};

TEST_F(Fault, RefusalsHaveTheProvidersShape) {
  start();
  const Refused table[] = {
      {deepseek, "status=402", 402,
       R"({"error":{"message":"Insufficient Balance","type":"unknown_error","param":null,"code":"invalid_request_error"}})"},
      {openai, "status=429", 429,
       R"({"error":{"message":"Rate limit reached for requests","type":"requests","param":null,"code":"rate_limit_exceeded"}})"},
      {openai, "code=insufficient_quota", 429,
       R"({"error":{"message":"You exceeded your current quota, please check your plan and billing details.","type":"insufficient_quota","param":null,"code":"insufficient_quota"}})"},
      {openai, "status=500", 500,
       R"({"error":{"message":"The server had an error while processing your request. Sorry about that!","type":"server_error","param":null,"code":null}})"},
      {llamacpp, "status=503", 503, R"({"error":{"code":503,"message":"Loading model","type":"unavailable_error"}})"},
      {vllm, "status=500", 500,
       R"({"error":{"message":"Internal server error","type":"InternalServerError","param":null,"code":500}})"},
      {sglang, "status=401", 401, R"({"error":"Unauthorized"})"},
      {openai, "status=502 body=html", 502, "<html><body><h1>502</h1></body></html>\n"},
      {openai, "status=529 body=empty", 529, ""},
      {openai, "nonsense=1", 400,
       R"({"error":{"message":"simulator: no word 'nonsense'","type":"invalid_request_error","param":"messages","code":null}})"},
  };
  for (const Refused& row : table) {
    const Reply reply = ask(row.seat.base, chat(row.seat, told(row.words)));
    EXPECT_EQ(reply.status, row.status) << row.words;
    EXPECT_EQ(reply.body, row.body) << row.words;
  }
  const json arrears = ask(qwen.base, chat(qwen, told("code=Arrearage"))).parsed();
  EXPECT_EQ(arrears["error"]["code"], "Arrearage");
  for (const json& line : bill()) {
    EXPECT_EQ(line["cost"], "0");
    EXPECT_EQ(line["prompt_tokens"], 0);
    EXPECT_NE(line["status"], 200);
  }
}

TEST_F(Fault, RefusalsCarryTheHeadersTheyAreTold) {
  start();
  const Reply reply = ask(openai.base, chat(openai, told("status=429 retry_after=2 retry_after_ms=1500")));
  EXPECT_NE(reply.head.find("retry-after: 2\r\n"), std::string::npos);
  EXPECT_NE(reply.head.find("retry-after-ms: 1500\r\n"), std::string::npos);
  const Reply moved = ask(openai.base, chat(openai, told("redirect=307")));
  EXPECT_EQ(moved.status, 307);
  EXPECT_NE(moved.head.find("location: /_sim/redirected\r\n"), std::string::npos);
}

TEST_F(Fault, OnlyTheFirstOfAMarkerAndOnlyForItsKind) {
  start();
  const std::string once = told("status=500 times=1 only=openai");
  EXPECT_EQ(ask(vllm.base, chat(vllm, once)).status, 200);
  EXPECT_EQ(ask(openai.base, chat(openai, once)).status, 500);
  EXPECT_EQ(ask(openai.base, chat(openai, once)).status, 200);
}

struct Cut {
  const char* words;
  bool stream;
  bool reset;
  bool head;       ///< the head came
  bool content;    ///< some of the answer came
  bool usage;      ///< the usage came
  int completion;  ///< tokens on the bill
  const char* end;
};

TEST_F(Fault, CutsComeWhereTheyAreToldAndAreBilledAsFarAsTheAnswerWasGenerated) {
  start();
  constexpr int all = 16;  // chunks=4, of 4 tokens each
  const Cut table[] = {
      {"reset=before", true, true, false, false, false, 0, "fault:reset"},
      {"reset=head", true, true, true, false, false, 0, "fault:reset"},
      {"reset=mid", true, true, true, true, false, 8, "fault:reset"},
      {"close=before", true, false, false, false, false, 0, "fault:close"},
      {"close=head", true, false, true, false, false, 0, "fault:close"},
      {"close=mid", true, false, true, true, false, 8, "fault:close"},
      {"close=before_usage", true, false, true, true, false, all, "fault:close"},
      {"close=before_done", true, false, true, true, true, all, "fault:close"},
      {"nodone", true, false, true, true, true, all, "fault:nodone"},
      {"error=mid", true, false, true, true, false, 8, "fault:error"},
      {"garbage=mid", true, false, true, true, true, all, "fault:garbage"},
      {"reset=before", false, true, false, false, false, 0, "fault:reset"},
      {"reset=head", false, true, true, false, false, all, "fault:reset"},
      {"close=mid", false, false, true, true, false, all, "fault:close"},
      {"error=mid", false, false, true, false, false, all, "fault:error"},
  };
  for (const Cut& row : table) {
    const std::string prompt = told(std::string("chunks=4 ") + row.words);
    const Reply reply = ask(qwen.base, row.stream ? streamed(qwen, prompt) : chat(qwen, prompt));
    EXPECT_EQ(reply.reset, row.reset) << row.words;
    EXPECT_EQ(!reply.raw.empty(), row.head) << row.words;
    EXPECT_EQ(reply.raw.find("quick") != std::string::npos, row.content) << row.words << reply.raw;
    EXPECT_EQ(reply.raw.find("\"completion_tokens\":16") != std::string::npos, row.usage) << row.words;
    EXPECT_EQ(reply.raw.find("[DONE]") != std::string::npos, row.end == std::string("fault:garbage")) << row.words;
  }
  const std::vector<json> lines = bill();
  ASSERT_EQ(lines.size(), std::size(table));
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const Cut& row = table[i];
    EXPECT_EQ(lines[i]["completion_tokens"], row.completion) << row.words;
    EXPECT_EQ(lines[i]["end"], row.end) << row.words;
    EXPECT_EQ(lines[i]["reported"], row.usage) << row.words;
    EXPECT_EQ(lines[i]["delivered"], false) << row.words;
    const bool worked =
        std::string(row.words).find("=before") == std::string::npos || std::string(row.words).find("before_") != std::string::npos;
    EXPECT_EQ(lines[i]["cost"] != "0", worked) << row.words;
  }
}

TEST_F(Fault, ErrorsInsideAnAnswerHaveTheProvidersShape) {
  start();
  EXPECT_EQ(ask(vllm.base, streamed(vllm, told("error=mid"))).events().back(), "[DONE]");
  EXPECT_NE(ask(openai.base, streamed(openai, told("error=mid"))).events().back(), "[DONE]");
  EXPECT_NE(ask(lmstudio.base, streamed(lmstudio, told("error=mid"))).body.find("event: error\ndata: {\"error\""),
            std::string::npos);
  const Reply whole = ask(openai.base, chat(openai, told("error=mid")));
  EXPECT_EQ(whole.status, 200);
  EXPECT_EQ(whole.parsed()["error"]["type"], "server_error");
  EXPECT_FALSE(json::accept(ask(openai.base, chat(openai, told("garbage=mid"))).body));
  EXPECT_NE(ask(openai.base, streamed(openai, told("garbage=mid"))).body.find("data: {garbage\n\n"), std::string::npos);
}

/// Where in the stream a usage object stands, for each event: u in a chunk of its own, f with finish_reason, c inside a choice,
/// d on an empty delta, t on text, '.' without.
std::string places_of_usage(const Reply& reply) {
  std::string places;
  for (const json& chunk : reply.chunks()) {
    const bool top = chunk.contains("usage") && chunk["usage"].is_object();
    if (chunk["choices"].empty()) {
      places += top ? 'u' : '.';
      continue;
    }
    const json& choice = chunk["choices"][0];
    if (choice.contains("usage")) {
      places += 'c';
    } else if (!top) {
      places += '.';
    } else if (!choice["finish_reason"].is_null()) {
      places += 'f';
    } else {
      places += choice["delta"].value("content", std::string()).empty() ? 'd' : 't';
    }
  }
  return places;
}

TEST_F(Fault, UsageComesInEveryPlaceThatProvidersPutIt) {  // M02, M03
  start();
  const std::pair<const char*, const char*> table[] = {
      {"usage=none", "...."},    {"usage=same", "...f"},   {"usage=before_last", "..t."}, {"usage=delta", "....d"},
      {"usage=choices", "...c"}, {"usage=every", "dttfu"}, {"usage=zero", "....u"},
  };
  for (const auto& [words, places] : table)
    EXPECT_EQ(places_of_usage(ask(vllm.base, streamed(vllm, told(std::string("chunks=2 ") + words)))), places) << words;
  const json running = {{"stream_options", {{"continuous_usage_stats", true}}}};
  EXPECT_EQ(places_of_usage(ask(vllm.base, streamed(vllm, told("chunks=2"), running))), "dttfu");
  const std::vector<json> zero = ask(deepseek.base, streamed(deepseek, told("usage=zero"))).chunks();
  EXPECT_EQ(zero.back()["usage"]["total_tokens"], 0);
  const std::vector<json> invalid = ask(vllm.base, streamed(vllm, told("usage=invalid"))).chunks();
  EXPECT_EQ(invalid.back()["usage"]["prompt_tokens"], -17);
  const std::vector<json> lines = bill();
  for (std::size_t i = 0; i < std::size(table); ++i) {
    const std::string words = table[i].first;
    EXPECT_EQ(lines[i]["reported"], words != "usage=none" && words != "usage=zero") << words;
    EXPECT_EQ(lines[i]["completion_tokens"], 8);
  }
  EXPECT_EQ(lines.back()["reported"], false);
}

TEST_F(Fault, UsageBesideAThoughtThatIsHiddenWasNotTold) {
  start();
  // The limit is used up by thinking, which this provider does not show: no piece has an event that could carry the usage.
  for (const char* words :
       {"usage=before_last thinking bytes=400", "usage=before_last", "usage=every thinking bytes=400 close=mid"}) {
    const Reply reply = ask(openai.base, streamed(openai, told(words), {{"max_completion_tokens", 4}}));
    const bool told_usage = reply.body.find("\"prompt_tokens\":") != std::string::npos;
    EXPECT_EQ(reply.joined("content"), "") << words;
    EXPECT_EQ(told_usage, std::string(words).find("every") != std::string::npos) << words;
  }
  const std::vector<json> lines = bill();
  ASSERT_EQ(lines.size(), 3U);
  for (const json& line : lines) {
    EXPECT_GT(line["reasoning_tokens"], 0) << line;
    EXPECT_EQ(line["reported"], false) << line;
  }
}

TEST_F(Fault, TheBytesComeInOddForms) {
  start();
  const std::string plain = ask(vllm.base, streamed(vllm, told("unicode"))).joined("content");
  EXPECT_NE(plain.find("🌍"), std::string::npos);
  EXPECT_EQ(ask(vllm.base, streamed(vllm, told("unicode split"))).joined("content"), plain);  // M26, M27
  const Reply crlf = ask(vllm.base, streamed(vllm, told("unicode crlf keepalive=2")));
  EXPECT_EQ(crlf.joined("content"), plain);
  EXPECT_EQ(crlf.body.substr(0, 38), ": keep-alive\r\n\r\n: keep-alive\r\n\r\ndata: ");
  const Reply blank = ask(vllm.base, chat(vllm, told("keepalive=3")));
  EXPECT_EQ(blank.body.substr(0, 4), "\n\n\n{");
  const Reply line = ask(vllm.base, streamed(vllm, told("line_mb=2")));
  EXPECT_EQ(line.joined("content").size(), 2U << 20);
  EXPECT_EQ(line.events().size(), 5U);
  const Reply sized = ask(vllm.base, streamed(vllm, told("bytes=1000 chunks=10 unicode")));
  EXPECT_EQ(sized.joined("content").size(), 1000U);
  EXPECT_EQ(sized.events().size(), 14U);
}

TEST_F(Fault, GzipIsAMemberOfStoredBlocks) {
  start();
  const Reply reply = ask(vllm.base, chat(vllm, told("gzip")));
  EXPECT_NE(reply.head.find("content-encoding: gzip\r\n"), std::string::npos);
  const std::string& body = reply.body;
  ASSERT_GT(body.size(), 28U);
  EXPECT_EQ(body.substr(0, 3), "\x1f\x8b\x08");
  EXPECT_NE(body.find("You said: Hi"), std::string::npos);
  Gzip known;
  known.add("123456789");
  EXPECT_EQ(known.end().substr(5, 4), "\x26\x39\xf4\xcb");  // the check value of CRC-32
}

TEST_F(Fault, TheModelAndTheFinishAreAsTold) {  // M07
  start();
  const json answer = ask(vllm.base, chat(vllm, told("model=other finish=insufficient_system_resource"))).parsed();
  EXPECT_EQ(answer["model"], "other");
  EXPECT_EQ(answer["choices"][0]["finish_reason"], "insufficient_system_resource");
  EXPECT_EQ(bill()[0]["model"], "m");
}

TEST_F(Fault, ADrawnFaultComesWithoutAMarker) {
  start({"1 status=503"});
  EXPECT_EQ(ask(openai.base, chat(openai, "Hi")).status, 503);
}

TEST_F(Fault, AStallEndsByItselfOrWhenTheClientLeaves) {
  start();
  EXPECT_EQ(ask(vllm.base, streamed(vllm, told("stall=mid stall_ms=5"))).events().back(), "[DONE]");
  for (const char* words : {"stall=before", "stall=head", "stall=mid chunks=4", "delay_ms=600000", "chunk_ms=600000", "endless"}) {
    Client client = connect();
    client.send(post(vllm.base, streamed(vllm, told(words)).dump()));
    if (std::string(words).find("mid") != std::string::npos) client.read_until("fox jumps");
    if (std::string(words).find("endless") != std::string::npos) client.read(100'000);
    client.close();
    wait_until_quiet();
  }
  Client whole = connect();
  whole.send(post(vllm.base, chat(vllm, told("endless")).dump()));
  whole.read(1'000'000);
  whole.close();
  wait_until_quiet();
  const std::vector<json> lines = bill();
  ASSERT_EQ(lines.size(), 8U);
  for (std::size_t i = 1; i < lines.size(); ++i) {
    EXPECT_EQ(lines[i]["end"], "client_closed") << i;
    EXPECT_EQ(lines[i]["delivered"], false);
  }
  EXPECT_EQ(lines[1]["prompt_tokens"], 0);  // nothing had begun
  EXPECT_EQ(lines[2]["completion_tokens"], 0);
  EXPECT_GT(lines[2]["prompt_tokens"], 0);
  EXPECT_EQ(lines[3]["completion_tokens"], 8);  // half of it
  EXPECT_EQ(lines[4]["completion_tokens"], 0);
  EXPECT_EQ(lines[5]["completion_tokens"], 0);
  EXPECT_GT(lines[6]["completion_tokens"], 100);
}

TEST_F(Fault, AnEndlessAnswerThatShowsNothingHoldsUpNobody) {
  start();
  json hidden = streamed(openai, told("endless"));
  hidden["max_completion_tokens"] = 1;  // of thought, which this provider does not show
  Client client = connect();
  client.send(post(openai.base, hidden.dump()));
  client.read_until("200 OK");
  EXPECT_EQ(ask(vllm.base, streamed(vllm, "hello")).events().back(), "[DONE]");
  client.close();
  wait_until_quiet();
}

TEST_F(Fault, SignsOfLifeAreSpreadOverTheWait) {
  start();
  const auto began = std::chrono::steady_clock::now();
  const Reply reply = ask(vllm.base, streamed(vllm, told("keepalive=50 delay_ms=40")));
  EXPECT_EQ(reply.events().back(), "[DONE]");
  EXPECT_GE(std::chrono::steady_clock::now() - began, std::chrono::milliseconds{40});
}

TEST_F(Fault, StoppingBillsWhatIsUnderWay) {
  start();
  Client client = connect();
  client.send(post(vllm.base, streamed(vllm, told("stall=mid chunks=4")).dump()));
  client.read_until("fox jumps");
  const std::vector<json> lines = bill();
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_EQ(lines[0]["end"], "fault:shutdown");
  EXPECT_EQ(lines[0]["completion_tokens"], 8);
}

}  // namespace
}  // namespace fairlead::simulator
