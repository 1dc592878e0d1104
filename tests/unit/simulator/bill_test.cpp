#include "simulator/bill.h"

#include "rehearsal.h"

namespace fairlead::simulator {
namespace {

class BillTest : public Rehearsal {};

struct Priced {
  const char* what;
  const char* kind;
  const char* model;
  Tokens tokens;  ///< prompt, cached, cache_write, completion, reasoning
  TimePoint when;
  const char* cost;
};

TEST(Invoice, IsTheSumOfTokensTimesRates) {
  class Models : public Rehearsal {
   public:
    using Rehearsal::models;
    void TestBody() override {}
  };
  const TimePoint quiet = at(2026, 11, 18, 5), peak = at(2026, 11, 18, 2), weekend = at(2026, 11, 21, 2),
                  before = at(2026, 9, 10, 3, 59);
  const Priced table[] = {
      {"cached apart from the rest", "deepseek", "deepseek-flash", {339, 320, 0, 92, 48}, quiet, "0.00005901"},
      {"a window", "deepseek", "deepseek-flash", {339, 320, 0, 92, 48}, peak, "0.00011802"},
      {"not on a Saturday", "deepseek", "deepseek-flash", {339, 320, 0, 92, 48}, weekend, "0.00005901"},
      {"before there was a price", "deepseek", "deepseek-flash", {339, 320, 0, 92, 48}, before, "0"},
      {"cache writes have their own rate", "openai", "gpt-6-luna", {1'000, 200, 300, 10, 0}, quiet, "0.000191"},
      {"no rate for cached: it costs what input costs", "qwen", "qwen-plus", {1'000, 500, 0, 0, 0}, quiet, "0.0004"},
      {"a tier reprices all of it", "qwen", "qwen-plus", {1'001, 0, 0, 10, 0}, quiet, "0.0012372"},
      {"half a pico is rounded up", "deepseek", "deepseek-flash", {1, 1, 0, 0, 0}, quiet, "0.000000003"},
      {"one's own machine", "vllm", "m", {1'000, 0, 0, 1'000, 0}, quiet, "0"},
      {"a billion of each", "deepseek", "deepseek-flash", {1'000'000'000, 0, 0, 1'000'000'000, 0}, quiet, "750"},
  };
  for (const Priced& row : table) {
    BillLine line;
    line.kind = row.kind;
    line.model = row.model;
    line.tokens = row.tokens;
    line.at = row.when;
    EXPECT_EQ(format_decimal(invoice(Models::models(), line)), row.cost) << row.what;
  }
}

TEST(Invoice, RoundsHalfAPicoUp) {
  Price price;
  price.rates.input = 500'000;  // half a pico for each token
  const std::vector<PricedModel> models{{"x/y", {price}}};
  BillLine line;
  line.kind = "x";
  line.model = "y";
  for (const auto& [tokens, pico] : {std::pair<int, int>{1, 1}, {2, 1}, {3, 2}}) {
    line.tokens.prompt = tokens;
    EXPECT_EQ(static_cast<int>(invoice(models, line)), pico);
  }
}

TEST_F(BillTest, ALineSaysAllOfAnAttempt) {
  start();
  const json body = streamed(deepseek, "Hi");
  const Reply reply = ask(deepseek.base, body);
  json line = bill().at(0);
  EXPECT_FALSE(line["bill_id"].get<std::string>().empty());
  line.erase("bill_id");
  EXPECT_EQ(line, json({{"client_request_id", "row-1"},
                        {"id", reply.chunks()[0]["id"]},
                        {"kind", "deepseek"},
                        {"model", "deepseek-flash"},
                        {"at", "2026-11-18T05:00:00.000000Z"},
                        {"stream", true},
                        {"status", 200},
                        {"prompt_tokens", 8},
                        {"cached_tokens", 0},
                        {"cache_write_tokens", 0},
                        {"completion_tokens", 10},
                        {"reasoning_tokens", 7},
                        {"thinking", true},
                        {"service_tier", "standard"},
                        {"reported", true},
                        {"delivered", true},
                        {"cost", "0.0000072"},
                        {"currency", "USD"},
                        {"request_bytes", body.dump().size()},
                        {"end", "done"}}));
}

TEST_F(BillTest, WhatTheClientIsToldIsWhatIsBilled) {  // M01
  start();
  for (const Seat& seat : {deepseek, qwen, openai})
    for (const json& body : {chat(seat, "Say it [[sim bytes=500]]"), streamed(seat, "Say it [[sim bytes=500]]")}) {
      const Reply reply = ask(seat.base, body);
      const json usage = body.contains("stream") ? reply.chunks().back()["usage"] : reply.parsed()["usage"];
      EXPECT_EQ(usage["completion_tokens"], seat.base == qwen.base ? 125 : 133);
    }
  const std::vector<json> lines = bill();
  for (std::size_t i = 0; i < lines.size(); i += 2) {
    EXPECT_EQ(lines[i]["completion_tokens"], lines[i + 1]["completion_tokens"]);
    EXPECT_EQ(lines[i]["cost"], lines[i + 1]["cost"]);
    EXPECT_EQ(lines[i]["reported"], true);
    EXPECT_NE(lines[i]["bill_id"], lines[i + 1]["bill_id"]);
  }
}

TEST_F(BillTest, ARepeatedBeginningIsReadFromTheCache) {  // M04
  start();
  const std::string long_text(8'000, 'x');
  json body = chat(deepseek, long_text);
  EXPECT_EQ(ask(deepseek.base, body).parsed()["usage"]["prompt_cache_hit_tokens"], 0);
  body["messages"].push_back({{"role", "assistant"}, {"content", "yes"}});
  body["messages"].push_back({{"role", "user"}, {"content", "more"}});
  const json usage = ask(deepseek.base, body).parsed()["usage"];
  EXPECT_EQ(usage["prompt_cache_hit_tokens"], 2007 / 64 * 64);
  EXPECT_EQ(usage["prompt_cache_hit_tokens"].get<int>() + usage["prompt_cache_miss_tokens"].get<int>(), usage["prompt_tokens"]);
  const json told = ask(openai.base, chat(openai, "Hi [[sim cached=3 cache_write=2]]")).parsed()["usage"]["prompt_tokens_details"];
  EXPECT_EQ(told["cached_tokens"], 3);
  EXPECT_EQ(told["cache_write_tokens"], 2);
  const json explicit_cache =
      ask(qwen.base, chat(qwen, "Hi [[sim cached=0 cache_write=2]]")).parsed()["usage"]["prompt_tokens_details"];
  EXPECT_EQ(explicit_cache["cache_type"], "ephemeral");
  EXPECT_EQ(bill()[1]["cached_tokens"], 2007 / 64 * 64);
}

TEST_F(BillTest, AnUnwritableBillIsRefusedAtTheStart) {
  asio::io_context context;
  Options options;
  options.bill = "/nonexistent/bill";
  const auto opened = Simulator::open(context, options);
  ASSERT_TRUE(opened.has_error());
  EXPECT_NE(opened.error().sentence.find("/nonexistent/bill"), std::string::npos);
  for (const char* address : {"", "127.0.0.1", "localhost:1", "127.0.0.1:99999", "127.0.0.1:x"}) {
    Options bad;
    bad.listen = address;
    EXPECT_TRUE(Simulator::open(context, bad).has_error()) << address;
  }
}

}  // namespace
}  // namespace fairlead::simulator
