// What budgets read of the ledger, and the credits that they write there.
#include <fairlead/bookkeeper.h>
#include <fairlead/budget_store.h>
#include <fairlead/store.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "unit/store/rows.h"

namespace fairlead {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

struct ChargedRecords final : RecordSource {
  explicit ChargedRecords(std::vector<RequestRecord> given) : all(std::move(given)) {}
  const RequestRecord* next() override { return at < all.size() ? &all[at++] : nullptr; }
  std::vector<RequestRecord> all;
  std::size_t at = 0;
};

RequestRecord charged(const std::string& id, TimePoint at, std::vector<std::pair<const char*, Int128>> attempts) {
  RequestRecord record;
  record.state = RowState::settled;
  record.open = test::request_open(id, at);
  record.settle.id = id;
  record.settle.attempts = static_cast<int>(attempts.size());
  int number = 1;
  for (const auto& [provider, charge] : attempts) {
    RequestRecord::Attempt attempt;
    attempt.state = RowState::settled;
    attempt.open = test::attempt_open(id, number, provider, at + std::chrono::seconds(number));
    attempt.settle = test::attempt_settle(id, number++);
    attempt.settle.charge_usd_pico = charge;
    record.attempts.push_back(attempt);
  }
  return record;
}

std::vector<std::string> told(const std::vector<Charge>& charges) {
  std::vector<std::string> texts;
  for (const Charge& charge : charges)
    texts.push_back(charge.key + " " + charge.team + " " + charge.project + " " + charge.route + " " + charge.provider + " " +
                    format_decimal(charge.usd_pico));
  return texts;
}

TEST(BudgetStore, SumsChargesOfRequestsThatBeganInASpan) {
  const test::Folder folder;
  const std::string url = "sqlite:" + folder.file("ledger.db");
  auto store = open_store(url, StoreMode::write);
  ASSERT_TRUE(store);
  const TimePoint noon = test::noon, one = noon + std::chrono::hours(1);
  // Near the largest amount of a row, so that sums are beyond 64 bits.
  const Int128 large = Int128{9'000'000} * pico_per_unit;
  ChargedRecords records({charged("a", noon - std::chrono::microseconds(1), {{"deepseek", 5}}),
                          charged("b", noon, {{"deepseek", large}}), charged("c", noon, {{"deepseek", large}, {"qwen", 3}}),
                          charged("d", one, {{"qwen", 40}}),
                          charged("e", noon + std::chrono::hours(30), {{"qwen", 2}, {"qwen", 100}})});
  ASSERT_TRUE((*store)->save(records));
  auto budgets = open_budget_store(url, 1'000);
  ASSERT_TRUE(budgets);
  EXPECT_THAT(told(*(*budgets)->charges({noon, one})),
              ElementsAre("checkout payments till chat deepseek 18000000", "checkout payments till chat qwen 0.000000000003"))
      << "the one before began earlier, though it was sent later";
  EXPECT_THAT(told(*(*budgets)->charges({one, std::nullopt})), ElementsAre("checkout payments till chat qwen 0.000000000142"));
  EXPECT_THAT(told(*(*budgets)->charges({one + std::chrono::hours(1), noon + std::chrono::hours(30)})), IsEmpty());
  EXPECT_THAT(told(*(*budgets)->charges({one, noon + std::chrono::hours(31)})),
              ElementsAre("checkout payments till chat qwen 0.000000000142"))
      << "each once, wherever the sums by hour begin and end";
  EXPECT_THAT(
      told(*(*budgets)->charges({TimePoint(), std::nullopt})),
      ElementsAre("checkout payments till chat deepseek 18000000.000000000005", "checkout payments till chat qwen 0.000000000145"));
}

TEST(BudgetStore, ChargesStayWhenTheirRowsGo) {
  const test::Folder folder;
  const std::string url = "sqlite:" + folder.file("ledger.db");
  auto store = open_store(url, StoreMode::write);
  ASSERT_TRUE(store);
  const TimePoint put_in = test::noon + std::chrono::minutes(20);
  ChargedRecords records({charged("a", put_in + std::chrono::minutes(1), {{"deepseek", 40}}),
                          charged("b", put_in + std::chrono::hours(1), {{"deepseek", 2}}),
                          charged("c", put_in + std::chrono::days(50), {{"deepseek", 100}})});
  ASSERT_TRUE((*store)->save(records));
  auto budgets = open_budget_store(url, 1'000);
  ASSERT_TRUE(budgets);
  const auto before = told(*(*budgets)->charges({put_in, std::nullopt}));
  EXPECT_THAT(before, ElementsAre("checkout payments till chat deepseek 0.000000000142"));
  auto books = open_bookkeeper(url);
  ASSERT_TRUE(books);
  const auto old = (*books)->old_rows(test::noon + std::chrono::days(30));
  ASSERT_TRUE(old && *old);
  ASSERT_TRUE((*books)->let_go(**old, "", test::noon));
  EXPECT_EQ(told(*(*budgets)->charges({put_in, std::nullopt})), before) << "they are on their way out";
  ASSERT_EQ(*(*books)->remove(10), 2);
  EXPECT_EQ(told(*(*budgets)->charges({put_in, std::nullopt})), before);
}

TEST(BudgetStore, TellsOfEachHourOnceWhereverASpanBeginsAndEnds) {
  const test::Folder folder;
  const std::string url = "sqlite:" + folder.file("ledger.db");
  auto store = open_store(url, StoreMode::write);
  ASSERT_TRUE(store);
  constexpr int hours = 62;
  const auto at = [](int hour) { return std::chrono::floor<std::chrono::days>(test::noon) + std::chrono::hours(hour); };
  std::vector<RequestRecord> all;
  for (int hour = 0; hour < hours; ++hour)
    all.push_back(charged(std::to_string(hour), at(hour), {{"deepseek", Int128{1} << hour}}));
  ChargedRecords records(std::move(all));
  ASSERT_TRUE((*store)->save(records));
  auto budgets = open_budget_store(url, 1'000);
  ASSERT_TRUE(budgets);
  for (int from = 0; from < hours; ++from)
    for (int until = from + 1; until <= hours; ++until) {
      const auto charges = (*budgets)->charges({at(from), at(until)});
      ASSERT_TRUE(charges && charges->size() == 1);
      ASSERT_TRUE(charges->front().usd_pico == (Int128{1} << until) - (Int128{1} << from)) << from << " to " << until;
    }
}

// What was saved in one transaction is told whole or not at all, though one part of it is read off rows and the other off sums.
TEST(BudgetStore, TellsChargesAsOfOneInstant) {
  const test::Folder folder;
  const std::string url = "sqlite:" + folder.file("ledger.db");
  auto store = open_store(url, StoreMode::write);
  ASSERT_TRUE(store);
  auto budgets = open_budget_store(url, 10'000);
  ASSERT_TRUE(budgets);
  std::atomic<bool> over = false;
  std::thread writer([&] {
    for (int i = 0; i < 300; ++i) {
      const std::string id = std::to_string(i);
      ChargedRecords records({charged("near" + id, test::noon, {{"deepseek", 1}}),
                              charged("far" + id, test::noon + std::chrono::hours(5), {{"qwen", 1}})});
      EXPECT_TRUE((*store)->save(records));
    }
    over = true;
  });
  while (!over) {
    const auto charges = (*budgets)->charges({test::noon, std::nullopt});
    EXPECT_TRUE(charges);
    if (!charges || charges->empty()) continue;
    EXPECT_EQ(charges->size(), 2U);
    EXPECT_TRUE(charges->front().usd_pico == charges->back().usd_pico);
  }
  writer.join();
}

TEST(BudgetStore, KeepsCreditsBesideAWriter) {
  const test::Folder folder;
  const std::string url = "sqlite:" + folder.file("ledger.db");
  EXPECT_FALSE(open_budget_store(url, 1'000)) << "there is no ledger yet";
  auto store = open_store(url, StoreMode::write);
  ASSERT_TRUE(store);
  ASSERT_TRUE(
      (*open_budget_store(url, 1'000))->add({BudgetOf::team, "payments", 25 * Int128{pico_per_unit}, test::noon, "invoice 7"}));
  ASSERT_TRUE((*open_budget_store(url, 1'000))->add({BudgetOf::key, "checkout", -5, test::noon, ""}));
  const auto credits = (*open_budget_store(url, 1'000))->credits();
  ASSERT_TRUE(credits);
  ASSERT_EQ(credits->size(), 2U);
  EXPECT_EQ((*credits)[0].of, BudgetOf::team);
  EXPECT_EQ((*credits)[0].name + (*credits)[0].note, "paymentsinvoice 7");
  EXPECT_EQ((*credits)[0].at, test::noon);
  EXPECT_EQ((*credits)[1].usd_pico, -5);
}

}  // namespace
}  // namespace fairlead
