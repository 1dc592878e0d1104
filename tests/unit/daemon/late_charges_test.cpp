#include "daemon/late_charges.h"

#include <gtest/gtest.h>

#include "unit/store/rows.h"

namespace fairlead::daemon {
namespace {

using test::attempt_open;
using test::attempt_settle;
using test::noon;
using test::open_attempt;
using test::record_of;
using test::request_open;
using test::request_settle;
using test::settled_attempt;

/// A store that keeps nothing, and can be locked.
class Sink final : public Store {
 public:
  explicit Sink(bool& locked) : locked_(locked) {}
  Result<void> save(RecordSource& records) override {
    while (records.next() != nullptr) {
    }
    if (locked_) return Error(ErrorKind::ledger_unavailable, ErrorOrigin::fairlead, "locked");
    return {};
  }
  Result<void> sync() override { return {}; }
  Result<std::int64_t> next_number() override { return 1; }
  Result<void> keep_from(std::int64_t) override { return {}; }
  Result<std::int64_t> recover(TimePoint) override { return 0; }
  Result<std::vector<ReportRow>> report(const ReportQuery&) override { return std::vector<ReportRow>(); }
  Result<std::optional<RequestRecord>> request(std::string_view) override { return std::optional<RequestRecord>(); }
  Result<ChainCheck> check_chain(const std::vector<ChainLink>&) override { return ChainCheck(); }
  Result<SumsCheck> check_sums() override { return SumsCheck(); }
  Result<void> visit(const Period&, const std::function<void(const RequestRecord&)>&) override { return {}; }
  Result<std::vector<ServedRequest>> served(std::string_view, TimePoint, std::size_t) override {
    return std::vector<ServedRequest>();
  }
  Result<std::vector<Consumed>> consumed(TimePoint, std::chrono::microseconds, std::int64_t) override {
    return std::vector<Consumed>();
  }
  std::string journal() const override { return ""; }

 private:
  bool& locked_;
};

Budget budget_of(BudgetOf of, const std::string& name, BudgetPeriod per = BudgetPeriod::all) {
  Budget budget;
  budget.of = of;
  budget.name = name;
  budget.per = per;
  budget.usd_pico = 1'000'000;
  budget.id = id_of(budget);
  return budget;
}

/// Of the snapshot, with so many attempts that were charged 10 each, and perhaps one that is open.
RequestRecord record(const std::string& id, const std::string& snapshot, int settled, bool open = false) {
  RequestOpen request = request_open(id);
  request.snapshot_hash = snapshot;
  std::vector<RequestRecord::Attempt> attempts;
  for (int number = 1; number <= settled; ++number) {
    AttemptSettle settle = attempt_settle(id, number);
    settle.charge_usd_pico = 10;
    attempts.push_back(settled_attempt(attempt_open(id, number, "deepseek"), settle));
  }
  if (open) attempts.push_back(open_attempt(attempt_open(id, settled + 1, "deepseek")));
  return open ? record_of(request, std::move(attempts)) : record_of(request, std::move(attempts), request_settle(id, settled));
}

class LateChargesTest : public testing::Test {
 protected:
  void hold(const std::string& snapshot, const std::vector<const Budget*>& budgets) {
    std::vector<LateCharges::Counted> counted;
    for (const Budget* budget : budgets) counted.push_back({budget, TimePoint::min()});
    const auto between_saves = charges_.stop_saves();
    charges_.know(snapshot, counted);
    budgets_.know(budgets);
  }
  void save(std::vector<RequestRecord> records) { (void)test::save(*store_, std::move(records)); }
  Int128 charged(const Budget& budget) const {
    const Budget* one = &budget;
    return budgets_.look({&one, 1}, noon).at(0).charged;
  }

  bool locked_ = false;
  state::Budgets budgets_;
  LateCharges charges_{budgets_};
  std::unique_ptr<Store> store_ = charges_.watch(std::make_unique<Sink>(locked_));
  const Budget key_ = budget_of(BudgetOf::key, "checkout"), other_ = budget_of(BudgetOf::key, "other"), provider_ = [] {
    Budget budget = budget_of(BudgetOf::provider, "deepseek");
    budget.notify_at = {parse_decimal("0.00001").value(), parse_decimal("0.00002").value()};
    return budget;
  }();
};

TEST_F(LateChargesTest, ANewBudgetCountsWhatIsSavedOfSnapshotsWithoutIt) {
  hold("a", {&key_});
  save({record("before", "a", 1)});  // the new budget is filled with it
  hold("b", {&key_, &other_, &provider_});
  save({record("late", "a", 2), record("new", "b", 1), record("unknown", "x", 1)});
  EXPECT_EQ(charged(provider_), 20) << "what is of b was posted by its worker";
  EXPECT_EQ(charged(key_), 0) << "it was in both";
  EXPECT_EQ(charged(other_), 0);
}

TEST_F(LateChargesTest, AnAttemptCountsOnceHoweverOftenItsRequestIsSaved) {
  hold("a", {});
  save({record("early", "a", 1, true)});
  hold("b", {&provider_});
  save({record("early", "a", 2), record("long", "a", 1, true)});
  EXPECT_EQ(charged(provider_), 20) << "the first attempt of the early one was in the store already";
  locked_ = true;
  save({record("long", "a", 2)});
  EXPECT_EQ(charged(provider_), 20) << "nothing was saved";
  locked_ = false;
  save({record("long", "a", 2)});
  EXPECT_EQ(charged(provider_), 30);

  RequestRecord broke = record("broke", "a", 1, true);  // it ended, and its second attempt has not
  broke.state = RowState::settled;
  save({broke});
  EXPECT_EQ(charged(provider_), 40);
  save({record("broke", "a", 2)});
  EXPECT_EQ(charged(provider_), 50);
}

TEST_F(LateChargesTest, ABudgetThatWasLeftOutAndComesBackHasMissedNothing) {
  hold("a", {&provider_});
  hold("b", {});
  save({record("1", "b", 1), record("2", "a", 1)});
  EXPECT_EQ(charged(provider_), 10);
  EXPECT_TRUE(budgets_.take_notices().empty()) << "there is no such budget now";
  hold("a", {&provider_});
  save({record("3", "b", 1), record("4", "a", 1)});
  EXPECT_EQ(charged(provider_), 20);
  EXPECT_EQ(budgets_.take_notices().size(), 1U) << "the second share";
}

TEST_F(LateChargesTest, ACreditCountsFromWhenItWasFirstPutIn) {
  const Budget credit = budget_of(BudgetOf::key, "checkout", BudgetPeriod::credit);
  hold("a", {});
  {
    const auto between_saves = charges_.stop_saves();
    const LateCharges::Counted counted{&credit, TimePoint::max()};
    charges_.know("b", {&counted, 1});
    const Budget* one = &credit;
    budgets_.know({&one, 1});
  }
  save({record("1", "a", 1)});
  EXPECT_EQ(charged(credit), 0);
  charges_.count_from(credit, noon);
  save({record("2", "a", 1)});
  EXPECT_EQ(charged(credit), 10);
}

}  // namespace
}  // namespace fairlead::daemon
