#include "daemon/late_charges.h"

#include <algorithm>
#include <optional>
#include <set>

namespace fairlead::daemon {

/// Looks at the records on their way into the store.
class LateCharges::Passing final : public RecordSource {
 public:
  Passing(LateCharges& charges, RecordSource& records) : charges_(charges), records_(records) {}
  const RequestRecord* next() override {
    const RequestRecord* record = records_.next();
    if (record != nullptr) charges_.note(*record);
    return record;
  }

 private:
  LateCharges& charges_;
  RecordSource& records_;
};

class LateCharges::Watched final : public Store {
 public:
  Watched(LateCharges& charges, std::unique_ptr<Store> store) : charges_(charges), store_(std::move(store)) {}

  Result<void> save(RecordSource& records) override {
    const std::lock_guard lock(charges_.saves_);
    charges_.late_.clear();
    charges_.progress_.clear();
    Passing passing(charges_, records);
    auto done = store_->save(passing);
    if (done) charges_.saved();
    return done;
  }
  Result<void> sync() override { return store_->sync(); }
  Result<std::int64_t> next_number() override { return store_->next_number(); }
  Result<void> keep_from(std::int64_t number) override { return store_->keep_from(number); }
  Result<std::int64_t> recover(TimePoint now) override { return store_->recover(now); }
  Result<std::vector<ReportRow>> report(const ReportQuery& query) override { return store_->report(query); }
  Result<std::optional<RequestRecord>> request(std::string_view id) override { return store_->request(id); }
  Result<ChainCheck> check_chain(const std::vector<ChainLink>& anchors) override { return store_->check_chain(anchors); }
  Result<SumsCheck> check_sums() override { return store_->check_sums(); }
  Result<void> visit(const Period& period, const std::function<void(const RequestRecord&)>& visitor) override {
    return store_->visit(period, visitor);
  }
  Result<std::vector<ServedRequest>> served(std::string_view facts_text, TimePoint since, std::size_t most) override {
    return store_->served(facts_text, since, most);
  }
  Result<std::vector<Consumed>> consumed(TimePoint since, std::chrono::microseconds step, std::int64_t before) override {
    return store_->consumed(since, step, before);
  }
  std::string journal() const override { return store_->journal(); }

 private:
  LateCharges& charges_;
  std::unique_ptr<Store> store_;
};

std::unique_ptr<Store> LateCharges::watch(std::unique_ptr<Store> store) {
  return std::make_unique<Watched>(*this, std::move(store));
}

bool LateCharges::Account::is_in(std::uint64_t snapshot) const {
  return (std::upper_bound(turns.begin(), turns.end(), snapshot) - turns.begin()) % 2 == 1;
}

void LateCharges::know(const std::string& snapshot_hash, std::span<const Counted> budgets) {
  const std::lock_guard lock(mutex_);
  ++number_;
  current_ = snapshot_hash;
  // One that comes again is the same, whatever was in between.
  if (snapshots_.try_emplace(snapshot_hash, number_).second) in_order_.push_back(snapshot_hash);
  if (in_order_.size() > snapshots_max) {
    snapshots_.erase(in_order_.front());
    in_order_.pop_front();
  }
  std::set<std::string_view> ids;
  for (const Counted& one : budgets) {
    account_of(*one.budget).from = one.from;
    ids.insert(one.budget->id);
  }
  absent_ = 0;
  for (auto& [whose, accounts] : accounts_)
    for (Account& account : accounts) {
      const bool is_there = ids.count(account.id) != 0;
      if (is_there != account.is_in_force()) account.turns.push_back(number_);
      if (!is_there) ++absent_;
    }
}

void LateCharges::count_from(const Budget& budget, TimePoint from) {
  const std::lock_guard lock(mutex_);
  account_of(budget).from = from;
}

LateCharges::Account& LateCharges::account_of(const Budget& budget) {
  std::vector<Account>& accounts = accounts_[{budget.of, budget.name}];
  for (Account& account : accounts)
    if (account.id == budget.id) return account;
  return accounts.emplace_back(Account{budget.id, TimePoint::min(), {}});
}

void LateCharges::note(const RequestRecord& record) {
  const auto known = settled_.empty() ? settled_.end() : settled_.find(record.open.id);
  const std::size_t before = known == settled_.end() ? 0 : known->second;
  const auto settled = static_cast<std::size_t>(
      std::count_if(record.attempts.begin(), record.attempts.end(), [](const auto& one) { return one.state != RowState::open; }));
  const bool ended = record.state != RowState::open && settled == record.attempts.size();
  if (ended ? before > 0 : settled > before) progress_.push_back({record.open.id, settled, ended});
  const std::lock_guard lock(mutex_);
  if (accounts_.empty() || (absent_ == 0 && record.open.snapshot_hash == current_)) return;
  const auto snapshot = snapshots_.find(record.open.snapshot_hash);
  if (snapshot == snapshots_.end()) return;
  for (std::size_t i = before; i < record.attempts.size(); ++i)
    if (record.attempts[i].state != RowState::open) note_late(record, record.attempts[i], snapshot->second);
}

/// An attempt whose end is saved for the first time.
void LateCharges::note_late(const RequestRecord& record, const RequestRecord::Attempt& attempt, std::uint64_t snapshot) {
  const Int128 charge = attempt.settle.charge_usd_pico.value_or(0);
  if (charge == 0) return;
  const RequestOpen& open = record.open;
  const std::pair<BudgetOf, std::string> all[] = {{BudgetOf::installation, ""},      {BudgetOf::team, open.team},
                                                  {BudgetOf::project, open.project}, {BudgetOf::key, open.key},
                                                  {BudgetOf::route, open.route},     {BudgetOf::provider, attempt.open.provider}};
  for (const auto& whose : all) {
    const auto accounts = accounts_.find(whose);
    if (accounts == accounts_.end()) continue;
    for (const Account& account : accounts->second)
      if (!account.is_in(snapshot) && open.started_at >= account.from)
        late_.push_back({account.id, open.started_at, charge, account.is_in_force()});
  }
}

void LateCharges::saved() {
  for (const Late& late : late_) budgets_.charge(late.id, late.started_at, late.charge, late.in_force);
  for (const Progress& one : progress_)
    if (one.ended)
      settled_.erase(one.request);
    else
      settled_[one.request] = one.settled;
}

}  // namespace fairlead::daemon
