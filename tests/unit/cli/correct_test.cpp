// What `correct` refuses, since what it books is there for ever.
#include "cli/correction_checks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <stdexcept>

#include "cli/commands.h"
#include "unit/cli/said.h"
#include "unit/store/rows.h"

namespace fairlead::cli {
namespace {

using test::Folder;
using test::Said;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

/// A request that went to deepseek and then to openai, one that went nowhere, and a configuration that knows dear instead of
/// openai.
class CorrectTest : public testing::Test {
 protected:
  CorrectTest() {
    std::ofstream(folder_.file("fairlead.yaml")) << "ledger: " + url() + R"(
fx: {CNY: "0.125"}
providers:
  deepseek: {base_url: "http://127.0.0.1:1"}
  dear: {base_url: "http://127.0.0.1:1"}
routes:
  chat: {targets: [deepseek/deepseek-chat, dear/dear-chat]}
  batch: {targets: [dear/dear-chat]}
teams: {research: {}}
keys: [{name: notebooks, team: science, project: papers, routes: [chat], hash: "sha256:)" +
                                                        std::string(64, '5') + "\"}]\n";
    const auto store = open_store(url(), StoreMode::write);
    if (!store) throw std::runtime_error(store.error().message());
    const auto done = test::save(
        **store,
        {test::record_of(test::request_open("req_1"),
                         {test::settled_attempt(test::attempt_open("req_1"), test::attempt_settle("req_1")),
                          test::settled_attempt(test::attempt_open("req_1", 2, "openai"), test::attempt_settle("req_1", 2))},
                         test::request_settle("req_1", 2)),
         test::record_of(test::request_open("req_2"), {}, test::request_settle("req_2", 0))});
    if (!done) throw std::runtime_error(done.error().detail());
  }
  std::string url() const { return "sqlite:" + folder_.file("ledger.db"); }

  Said say(std::vector<std::string> options) const {
    options.insert(options.begin(), "correct");
    std::reverse(options.begin(), options.end());  // as the parser takes them
    return test::say({add_correct}, std::move(options));
  }
  Said correct(std::vector<std::string> options, bool configured = true) const {
    for (const std::string& option : configured ? std::vector<std::string>{"--config", folder_.file("fairlead.yaml")}
                                                : std::vector<std::string>{"--ledger", url()})
      options.push_back(option);
    return say(std::move(options));
  }
  /// Of a day of a provider, with an amount and a reason.
  Said of_a_day(std::vector<std::string> options, bool configured = true) const {
    const auto given = [&](const char* option) { return std::find(options.begin(), options.end(), option) != options.end(); };
    for (const auto& [option, value] :
         {std::pair("--amount", "1"), {"--reason", "why"}, {"--provider", "deepseek"}, {"--day", "2026-11-01"}})
      if (!given(option)) options.insert(options.end(), {option, value});
    return correct(std::move(options), configured);
  }
  /// What is refused as a wrong option, and books nothing.
  std::string refusal(const Said& said) const {
    EXPECT_EQ(said.exit_code, 2) << said.out << said.err;
    EXPECT_EQ(said.out, "");
    EXPECT_EQ(booked().size(), 0U);
    return said.err;
  }
  /// "provider/model team: reason" of each that was booked.
  std::vector<std::string> booked() const {
    const auto rows = (*open_store(url(), StoreMode::read))->report({{"target", "team"}, {}, {}});
    std::vector<std::string> all;
    for (const ReportRow& row : *rows)
      if (!row.correction.empty()) all.push_back(row.group[0] + " " + row.group[1] + ": " + row.correction);
    return all;
  }

  Folder folder_;
};

TEST(CorrectionReason, HoldsSomethingToRead) {
  for (const char* empty : {"", " ", "  \xc2\xa0 ", "\xe2\x80\x8b", "\xe3\x80\x80"})
    EXPECT_THAT(wrong_reason(empty), HasSubstr("empty"));
  for (const char* control : {"a\nb", "a\tb", "\x1b[2J", "a\x7f", "a\xc2\x9b", "a\xe2\x80\xa8", "a\xe2\x80\xae"})
    EXPECT_THAT(wrong_reason(control), HasSubstr("control characters"));
  for (const char* bytes : {"caf\xe9", "\xc0\x80", "\xed\xa0\x80", "cut \xe2\x82"})
    EXPECT_THAT(wrong_reason(bytes), HasSubstr("not UTF-8"));
  EXPECT_THAT(wrong_reason(std::string(201, 'a')), HasSubstr("201 characters: 200 are the most"));
  std::string longest;
  for (int i = 0; i < reason_characters_max; ++i) longest += "\xe9\x87\x91";
  for (const std::string& good : {std::string("x"), std::string("invoice 17: billed twice"), longest})
    EXPECT_EQ(wrong_reason(good), "");
}

TEST_F(CorrectTest, ARequestOrADayIsCorrectedForAReason) {
  for (const char* reason : {"", "  ", "a\nb", "caf\xe9"})
    EXPECT_THAT(refusal(of_a_day({"--reason", reason})), HasSubstr("the reason "));
  EXPECT_EQ(of_a_day({"--reason", "caf\xc3\xa9"}).out, "Booked: 1 USD (1 USD), charge 0 USD: caf\xc3\xa9\n");
}

TEST_F(CorrectTest, AmountsMustAgree) {
  const auto told = [&](std::vector<std::string> options) { return refusal(of_a_day(std::move(options))); };
  EXPECT_THAT(told({"--amount", "5", "--usd", "6"}), HasSubstr("in USD already"));
  EXPECT_THAT(told({"--amount", "5", "--usd", "0"}), HasSubstr("in USD already"));
  EXPECT_THAT(told({"--amount", "5", "--currency", "CNY", "--usd", "-1"}), HasSubstr("both are less"));
  EXPECT_THAT(told({"--amount", "-5", "--currency", "CNY", "--usd", "1"}), HasSubstr("both are less"));
  EXPECT_THAT(told({"--amount", "-5", "--charge", "5"}), HasSubstr("opposite ways"));
  EXPECT_THAT(told({"--amount", "0"}), HasSubstr("nothing is corrected"));
  EXPECT_THAT(told({"--amount", "0.00", "--currency", "CNY", "--charge", "0"}), HasSubstr("nothing is corrected"));
  EXPECT_EQ(of_a_day({"--amount", "5", "--usd", "5.00"}).exit_code, 0);
  EXPECT_EQ(of_a_day({"--amount", "-8", "--currency", "CNY", "--charge", "-1"}).out,
            "Booked: -8 CNY (-1 USD), charge -1 USD: why\n");
  EXPECT_EQ(of_a_day({"--amount", "0", "--charge", "-1"}).exit_code, 0);
  EXPECT_EQ(of_a_day({"--amount", "0", "--currency", "CNY", "--usd", "-1"}).exit_code, 0) << "the rate was wrong";
}

TEST_F(CorrectTest, TheDayHasBegun) {
  EXPECT_THAT(refusal(of_a_day({"--day", "9999-01-01"})), HasSubstr("--day 9999-01-01 is still to come"));
}

TEST_F(CorrectTest, NamesAreKnownToTheConfigurationOrTheLedger) {
  const auto told = [&](const char* option, const char* name) { return refusal(of_a_day({option, name})); };
  EXPECT_THAT(told("--provider", "depseek"),
              HasSubstr("neither the configuration nor the ledger knows a provider 'depseek'; did you mean 'deepseek'?"));
  EXPECT_THAT(told("--provider", "opnai"), HasSubstr("did you mean 'openai'?")) << "of the ledger alone";
  EXPECT_THAT(told("--model", "deepsek-chat"), HasSubstr("a model 'deepsek-chat' of deepseek; did you mean 'deepseek-chat'?"));
  EXPECT_THAT(told("--model", "dear-chat"), HasSubstr("a model 'dear-chat' of deepseek")) << "that of another provider";
  EXPECT_THAT(told("--key", "notebook"), HasSubstr("a key 'notebook'; did you mean 'notebooks'?"));
  EXPECT_THAT(told("--team", "sciense"), HasSubstr("a team 'sciense'; did you mean 'science'?"));
  EXPECT_THAT(told("--project", "paper"), HasSubstr("a project 'paper'; did you mean 'papers'?"));
  EXPECT_THAT(told("--route", "bach"), HasSubstr("a route 'bach'; did you mean 'batch'?"));
  EXPECT_THAT(told("--team", "\x1b[2J"), AllOf(HasSubstr("a team '?[2J'"), Not(HasSubstr("\x1b"))));
  EXPECT_EQ(
      of_a_day({"--provider", "openai", "--model", "openai-chat", "--team", "payments", "--key", "checkout", "--project", "till"})
          .exit_code,
      0)
      << "what the ledger knows";
  EXPECT_EQ(of_a_day({"--provider", "dear", "--model", "dear-chat", "--team", "research", "--key", "notebooks", "--route", "batch"})
                .exit_code,
            0)
      << "what the configuration knows";
}

TEST_F(CorrectTest, WithoutAConfigurationTheLedgerKnowsTheNames) {
  EXPECT_THAT(refusal(of_a_day({"--provider", "dear"}, false)), HasSubstr("the ledger knows no provider 'dear'"));
  EXPECT_THAT(refusal(of_a_day({"--team", "payment"}, false)),
              HasSubstr("the ledger knows no team 'payment'; did you mean 'payments'?"));
  EXPECT_EQ(of_a_day({"--team", "payments"}, false).exit_code, 0);
}

TEST_F(CorrectTest, AKeyOfTheDatabaseIsKnownThoughItWasRevoked) {
  const auto keys = open_key_store(url(), 1'000);
  StoredKey key;
  key.name = "shop";
  key.hash = "sha256:" + std::string(64, '7');
  key.options = R"({"routes":["chat"]})";
  ASSERT_TRUE((*keys)->add(key));
  ASSERT_TRUE((*keys)->revoke("shop", test::noon, "me", ""));
  for (const bool configured : {true, false}) EXPECT_EQ(of_a_day({"--key", "shop"}, configured).exit_code, 0);
}

TEST_F(CorrectTest, WhatWasBookedToANameCanBeTakenBack) {
  {
    Correction mistaken;
    mistaken.booked_at = test::noon;
    mistaken.reason = "of old";
    mistaken.provider = "nobody";
    mistaken.usd_pico = 1;
    ASSERT_TRUE((*open_bookkeeper(url()))->correct(mistaken));
  }
  EXPECT_EQ(of_a_day({"--provider", "nobody", "--amount", "-1"}).exit_code, 0);
}

TEST_F(CorrectTest, ARequestIsCorrectedWhereItWent) {
  const auto of = [&](std::vector<std::string> options) {
    options.insert(options.end(), {"--amount", "1", "--reason", "why"});
    return correct(std::move(options));
  };
  EXPECT_THAT(refusal(of({"--request", "req_1", "--provider", "dear"})),
              HasSubstr("was not sent there: its attempts went to deepseek/deepseek-chat, openai/openai-chat."));
  EXPECT_THAT(refusal(of({"--request", "req_1", "--provider", "openai", "--model", "deepseek-chat"})),
              HasSubstr("was not sent there"));
  EXPECT_THAT(refusal(of({"--request", "req_2", "--provider", "deepseek"})), HasSubstr("its attempts went to nobody"));
  EXPECT_THAT(refusal(of({"--request", "req_\x1b", "--provider", "deepseek"})),
              HasSubstr("there is no request req_? in the ledger"));
  EXPECT_THAT(refusal(of({"--request", "req_1", "--team", "payment"})), HasSubstr("did you mean 'payments'?"));
  EXPECT_EQ(of({"--request", "req_1"}).exit_code, 0);
  EXPECT_THAT(booked(), testing::ElementsAre("openai/openai-chat payments: why")) << "where its last attempt went";
  EXPECT_EQ(of({"--request", "req_1", "--provider", "deepseek", "--team", "research"}).exit_code, 0);
  EXPECT_THAT(booked(), testing::Contains("deepseek/deepseek-chat research: why")) << "with that attempt's model";
}

TEST_F(CorrectTest, TheNewestRequestIsBookedByItsId) {
  ASSERT_EQ(correct({"--request", "last", "--amount", "1", "--reason", "why"}).exit_code, 0);
  const auto record = (*open_store(url(), StoreMode::read))->request("last");
  Correction correction;
  correction.request_id = "last";
  EXPECT_EQ(take_request(correction, **record), "");
  EXPECT_EQ(correction.request_id, "req_2");
}

}  // namespace
}  // namespace fairlead::cli
