// `usage` and `explain` as a person calls them, on a small ledger.
#include "cli/books.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include <fstream>

#include "cli/commands.h"
#include "unit/cli/said.h"
#include "unit/store/rows.h"

namespace fairlead::cli {
namespace {

using test::attempt_open;
using test::attempt_settle;
using test::Folder;
using test::noon;
using test::open_attempt;
using test::record_of;
using test::request_open;
using test::request_settle;
using test::Said;
using test::settled_attempt;
using testing::HasSubstr;
using testing::Not;
using Json = nlohmann::json;

Said say(const std::string& command_line) { return test::say({add_usage, add_explain}, command_line); }

/// One request that failed at deepseek and was answered by openai, one without a price, and one in flight.
class BooksTest : public testing::Test {
 protected:
  BooksTest() {
    auto store = open_store(url(), StoreMode::write);
    if (!store) throw std::runtime_error(store.error().message());
    RequestOpen first = request_open("req_1");
    first.requested_model = "chat\x1b[2J";
    first.plan = R"({"strategy":"cheapest","candidates":[
      {"target":"deepseek/deepseek-chat","currency":"CNY","rates":{"input":"2","cached_input":"0.2","output":"3"}},
      {"target":"openai/openai-chat","facts":{"origin":"US","operator":"US","hosting":"cloud","retention":"none","labels":{"dpa":"2027-06-30"}},"currency":"USD","rates":{"input":"0.25","output":"2"}},
      {"target":"onprem/qwen3"}],
      "rejections":[{"target":"qwen/qwen-max","by":"policy","rule":"government-devices","reason":"Executive memo 14"}]})";
    first.expected = "[[120,0,320,168000000],[120,0,320,670000000],null]";
    AttemptSettle failed = attempt_settle("req_1");
    failed.error = "upstream_closed";
    failed.phase = Phase::relay;
    failed.usage_source = UsageSource::estimated;
    AttemptSettle answered = attempt_settle("req_1", 2);
    answered.cost = Money{105'000'000, {}};
    answered.usd_pico = 105'000'000;
    answered.usd_rate = pico_per_unit;
    answered.price = R"({"currency":"USD","input":"0.25","output":"2"})";
    RequestSettle end = request_settle("req_1", 2);
    end.target = "openai/openai-chat";
    end.usd_pico = 133'672'000;
    AttemptSettle unpriced = attempt_settle("req_2");
    unpriced.cost.reset();
    unpriced.usd_pico = unpriced.usd_rate = unpriced.charge_usd_pico = std::nullopt;
    unpriced.price.clear();
    const auto day_later = noon + std::chrono::hours(24);
    RequestSettle free = request_settle("req_2");
    free.usd_pico = 0;
    const auto done = test::save(
        **store,
        {record_of(first,
                   {settled_attempt(attempt_open("req_1"), failed), settled_attempt(attempt_open("req_1", 2, "openai"), answered)},
                   end),
         record_of(request_open("req_2", day_later), {settled_attempt(attempt_open("req_2", 1, "=cmd()", day_later), unpriced)},
                   free),
         record_of(request_open("req_3", day_later), {open_attempt(attempt_open("req_3", 1, "deepseek", day_later))})});
    if (!done) throw std::runtime_error(done.error().detail());
  }

  std::string url() const { return "sqlite:" + folder_.file("ledger.db"); }
  Said say_of_ledger(const std::string& command) const { return say(command + " --ledger " + url()); }

  Folder folder_;
};

TEST_F(BooksTest, UsageIsATableWithATotalAndItsDoubts) {
  const Said said = say_of_ledger("usage --by provider");
  EXPECT_EQ(said.exit_code, 0) << said.err;
  EXPECT_EQ(said.out,
            "provider  requests  attempts  failed  input  cached  output  estimated  unpriced  billed CNY  billed USD     cost USD "
            " charge USD\n"
            "=cmd()           1         1       0     36      64      40      0.0 %         1                                    0 "
            "          0\n"
            "deepseek         1         2       1     36      64      40     50.0 %         0   0.0002048              0.000028672 "
            " 0.00003584\n"
            "openai           1         1       0     36      64      40      0.0 %         0                0.000105     0.000105 "
            " 0.00003584\n"
            "----------------------------------------------------------------------------------------------------------------------"
            "-----------\n"
            "total            3         4       1    108     192     120     25.0 %         1   0.0002048    0.000105  0.000133672 "
            " 0.00007168\n"
            "\n1 of 4 attempts (25.0 %), and 21.4 % of their cost, could only be estimated: no provider's figures came, or none "
            "that can be.\n"
            "\n1 attempt without a price: the cost is unknown, and in no sum above.\n");
}

TEST_F(BooksTest, UsageAsCsvIsExactAndSafeToOpen) {
  const Said said = say_of_ledger("usage --format csv --by provider,day");
  EXPECT_EQ(
      said.out,
      "provider,day,correction,requests,attempts,failed_attempts,input_tokens,cached_input_tokens,cache_write_tokens,"
      "output_tokens,reasoning_tokens,audio_tokens,image_tokens,estimated_attempts,estimated_share,unpriced_attempts,billed_CNY,"
      "billed_USD,cost_usd,estimated_usd,charge_usd\r\n"
      "'=cmd(),2026-11-02,,1,1,0,36,64,,40,,,,0,0,1,,,0,0,0\r\n"
      "deepseek,2026-11-01,,0,1,1,36,64,,40,,,,1,1,0,0.0002048,,0.000028672,0.000028672,0.00003584\r\n"
      "deepseek,2026-11-02,,1,1,0,,,,,,,,0,0,0,,,0,0,0\r\n"
      "openai,2026-11-01,,1,1,0,36,64,,40,,,,0,0,0,,0.000105,0.000105,0,0.00003584\r\n");
}

TEST_F(BooksTest, UsageAsJsonKeepsAmountsAsDecimalsAndUnknownAsNull) {
  const Said said = say_of_ledger("usage --format json --by provider --since 2026-11-01 --until 2026-11-02T00:00Z");
  const Json json = Json::parse(said.out);
  EXPECT_EQ(json["since"], "2026-11-01T00:00:00.000000Z");
  ASSERT_EQ(json["rows"].size(), 2u);
  EXPECT_EQ(json["rows"][0]["provider"], "deepseek");
  EXPECT_EQ(json["rows"][0]["usage"]["reasoning"], nullptr);
  EXPECT_EQ(json["rows"][0]["estimated_share"], "1");
  EXPECT_EQ(json["total"]["requests"], 1);
  EXPECT_EQ(json["total"]["attempts"], 2);
  EXPECT_EQ(json["total"]["billed"], (Json{{"CNY", "0.0002048"}, {"USD", "0.000105"}}));
  EXPECT_EQ(json["total"]["cost_usd"], "0.000133672");
}

TEST_F(BooksTest, UsageOfNothingSaysSo) {
  EXPECT_EQ(say_of_ledger("usage --since 2030-01-01").out, "No attempts in this period.\n");
}

TEST_F(BooksTest, UsageByTotalIsOneLine) {
  EXPECT_THAT(say_of_ledger("usage --by total --until 2026-11-02").out,
              testing::StartsWith("requests  attempts  failed  input  cached  output  estimated  unpriced  billed CNY  billed USD  "
                                  "   cost USD  charge USD\n"
                                  "       1         2       1     72     128      80     50.0 %         0   0.0002048    0.000105  "
                                  "0.000133672  0.00007168\n"));
}

TEST_F(BooksTest, WrongArgumentsAreExplained) {
  const std::pair<std::string, std::string> cases[] = {
      {"usage --by colour", "choose from provider, model"},
      {"usage --since 2026-13-01", "is not a time in UTC"},
      {"usage --since yesterday", "is not a time in UTC"},
      {"usage --until 2026-11-01T24:00", "is not a time in UTC"},
      {"usage --format xml", "xml"},
      {"usage --config a.yaml", "exclude"},
  };
  for (const auto& [command, text] : cases) {
    const Said said = say_of_ledger(command);
    EXPECT_EQ(said.exit_code, 2) << command;
    EXPECT_THAT(said.err, HasSubstr(text)) << command;
    EXPECT_EQ(said.out, "");
  }
}

TEST_F(BooksTest, ExplainTellsAPersonWhyAndWhatItCost) {
  const Said said = say_of_ledger("explain req_1");
  EXPECT_EQ(said.exit_code, 0) << said.err;
  EXPECT_EQ(
      said.out,
      "Request req_1\n"
      "  asked    2026-11-01T12:00:00.000000Z by key checkout of team payments, project till for model chat?[2J (route chat)\n"
      "           /v1/chat/completions, streamed; configuration 5f1c\n"
      "  content  2 payment_card, no secret\n"
      "  facts    tags batch\n"
      "  outcome  HTTP 200 from openai/openai-chat, after 2 attempts\n"
      "  timing   first byte 151.0 ms, whole 2.00 s\n"
      "  target   openai/openai-chat was configured as origin US, operator US, region not stated, hosting cloud, retention none, "
      "label dpa until 2027-06-30\n"
      "  cost     0.000133672 USD, partly estimated\n"
      "\n"
      "Candidates, by strategy cheapest, best first\n"
      "     target                  expected USD  in its currency  arithmetic\n"
      "  1  deepseek/deepseek-chat      0.000168       0.0012 CNY  120 input x 2 + 320 output x 3 CNY per million\n"
      "  2  openai/openai-chat           0.00067      0.00067 USD  120 input x 0.25 + 320 output x 2 USD per million\n"
      "  3  onprem/qwen3                no price\n"
      "\n"
      "Rejected\n"
      "  target         by      rule                reason\n"
      "  qwen/qwen-max  policy  government-devices  Executive memo 14\n"
      "\n"
      "Attempts\n"
      "     target                  outcome                   HTTP  input  cached  output  usage             billed     cost USD"
      "  connect  first byte   whole\n"
      "  1  deepseek/deepseek-chat  upstream_closed in relay   200     36      64      40  estimated  0.0002048 CNY  0.000028672"
      "  20.0 ms    150.0 ms  2.00 s\n"
      "  2  openai/openai-chat      ok                         200     36      64      40  reported    0.000105 USD     0.000105"
      "  20.0 ms    150.0 ms  2.00 s\n"
      "\n"
      "In the ledger\n"
      "  2026-11-01T12:00:00.000000Z  deepseek/deepseek-chat  settled  estimated  the answer names another model: deepseek-v3.2\n"
      "    36 input x 2 + 64 cached_input x 0.2 + 40 output x 3 CNY per million = 0.0002048 CNY x 0.14 = 0.000028672 USD; the "
      "provider says 0.000028 USD\n"
      "  2026-11-01T12:00:00.000000Z  openai/openai-chat  settled  reported  the answer names another model: deepseek-v3.2\n"
      "    36 input x 0.25 + 64 cached_input x 0.25 + 40 output x 2 USD per million = 0.000105 USD; the provider says 0.000028 "
      "USD\n");
}

TEST_F(BooksTest, ExplainLastIsTheNewestAlsoWhileItIsOpen) {
  const Said said = say_of_ledger("explain last");
  EXPECT_THAT(said.out, HasSubstr("Request req_3"));
  EXPECT_THAT(said.out, HasSubstr("outcome  not over yet"));
  EXPECT_THAT(said.out, Not(HasSubstr("cost ")));
}

TEST_F(BooksTest, ExplainSaysWhereTheCostIsUnknown) {
  const Said said = say_of_ledger("explain req_2");
  EXPECT_THAT(said.out, HasSubstr("0 USD, and an unknown amount for attempts without a price"));
  EXPECT_THAT(said.out, HasSubstr("no price: the cost is unknown"));
}

TEST_F(BooksTest, ExplainAsJsonLeavesNothingOut) {
  const Json json = Json::parse(say_of_ledger("explain req_1 --format json").out);
  EXPECT_EQ(json["state"], "settled");
  EXPECT_EQ(json["content"], (Json{{"payment_card", 2}, {"secret", 0}}));
  EXPECT_EQ(json["plan"]["candidates"].size(), 3u);
  EXPECT_EQ(json["plan"]["rejections"][0]["rule"], "government-devices");
  EXPECT_EQ(json["attempts"][0]["cost"], (Json{{"amount", "0.0002048"}, {"currency", "CNY"}}));
  EXPECT_EQ(json["attempts"][1]["usage"]["cache_write"], nullptr);
  EXPECT_EQ(json["attempts"][1]["price"]["output"], "2");
  EXPECT_EQ(json["cost_usd"], "0.000133672");
}

TEST_F(BooksTest, SaysWhatIsMissing) {
  EXPECT_THAT(say_of_ledger("explain nobody").err, HasSubstr("no request 'nobody'"));
  EXPECT_EQ(say_of_ledger("explain nobody").exit_code, 1);
  const Said said = say("usage --ledger sqlite:" + folder_.file("none.db"));
  EXPECT_EQ(said.exit_code, 1);
  EXPECT_THAT(said.err, HasSubstr("there is no ledger at"));
  EXPECT_EQ(say("usage --config " + folder_.file("none.yaml")).exit_code, 1);
}

}  // namespace
}  // namespace fairlead::cli
