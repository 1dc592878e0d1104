#include "state/budgets.h"

#include <algorithm>
#include <utility>

namespace fairlead::state {

void Budgets::Hold::swap(Hold& other) noexcept {
  std::swap(budgets_, other.budgets_);
  std::swap(amount_, other.amount_);
  places_.swap(other.places_);
}

std::optional<Int128> Budgets::Hold::post(Int128 actual) {
  if (budgets_ == nullptr) return std::nullopt;
  return std::exchange(budgets_, nullptr)->post(*this, actual);
}

Budgets::Held Budgets::hold(std::span<const Budget* const> budgets, Int128 worst, TimePoint now) {
  Held held;
  held.hold.places_.reserve(budgets.size());
  const std::lock_guard lock(mutex_);
  for (const Budget* budget : budgets) {
    Account& account = account_of(*budget);
    Bucket& bucket = bucket_at(account, now);
    if (worst > 0 && bucket.charged + bucket.held + worst > account.limit()) {
      held.refused = state_of(account.budget, bucket);
      held.hold.places_.clear();
      return held;
    }
    const Int128 left = account.limit() - bucket.charged - bucket.held - worst;
    held.left = held.hold.places_.empty() ? left : std::min(held.left, left);
    held.hold.places_.push_back({&account, &bucket});
  }
  // Beyond this point it fits into all of them.
  for (const Hold::Place& place : held.hold.places_) {
    place.bucket->held += worst;
    ++place.bucket->holds;
  }
  held.hold.budgets_ = this;
  held.hold.amount_ = worst;
  return held;
}

std::optional<Int128> Budgets::post(Hold& hold, Int128 actual) {
  std::optional<Int128> left;
  const std::lock_guard lock(mutex_);
  for (const auto& [account, bucket] : hold.places_) {
    bucket->held -= hold.amount_;
    --bucket->holds;
    bucket->charged += actual;
    if (actual > 0) tell(*account, *bucket);
    const Int128 here = account->limit() - bucket->charged - bucket->held;
    left = left ? std::min(*left, here) : here;
  }
  hold.places_.clear();
  return left;
}

void Budgets::know(std::span<const Budget* const> budgets) {
  const std::lock_guard lock(mutex_);
  for (const Budget* budget : budgets) {
    Account& account = account_of(*budget);
    const Int128 credit = account.budget.usd_pico;
    account.budget = *budget;
    if (budget->per == BudgetPeriod::credit) account.budget.usd_pico = credit;
    // Shares that a changed limit has passed already are no news.
    for (auto& [from, bucket] : account.periods) {
      bucket.told = 0;
      pass_in_silence(account, bucket);
    }
  }
}

bool Budgets::knows(const std::string& id) const {
  const std::lock_guard lock(mutex_);
  return accounts_.count(id) != 0;
}

void Budgets::restore(const std::string& id, TimePoint from, Int128 charged) {
  const std::lock_guard lock(mutex_);
  const auto found = accounts_.find(id);
  if (found == accounts_.end()) return;
  Bucket& bucket = bucket_at(found->second, from);
  bucket.charged += charged;
  pass_in_silence(found->second, bucket);
}

void Budgets::charge(const std::string& id, TimePoint started_at, Int128 charge, bool in_force) {
  const std::lock_guard lock(mutex_);
  const auto found = accounts_.find(id);
  if (found == accounts_.end()) return;
  Bucket& bucket = bucket_at(found->second, started_at);
  bucket.charged += charge;
  if (in_force)
    tell(found->second, bucket);
  else
    pass_in_silence(found->second, bucket);
}

void Budgets::put_in(const std::string& id, Int128 credit) {
  const std::lock_guard lock(mutex_);
  if (const auto found = accounts_.find(id); found != accounts_.end()) found->second.budget.usd_pico = credit;
}

std::optional<Int128> Budgets::take_back(const std::string& id, Int128 amount, TimePoint now) {
  const std::lock_guard lock(mutex_);
  const auto found = accounts_.find(id);
  if (found == accounts_.end()) return 0;
  Account& account = found->second;
  const Int128 left = state_of(account.budget, bucket_at(account, now)).left();
  if (left < amount) return left;
  account.budget.usd_pico -= amount;
  return std::nullopt;
}

std::vector<BudgetState> Budgets::look(std::span<const Budget* const> budgets, TimePoint now) const {
  std::vector<BudgetState> states;
  const std::lock_guard lock(mutex_);
  for (const Budget* budget : budgets) {
    const auto account = accounts_.find(budget->id);
    if (account == accounts_.end()) continue;
    const BudgetSpan span = period_of(*budget, now);
    const auto bucket = account->second.periods.find(span.from);
    Bucket none;
    none.span = span;
    states.push_back(state_of(account->second.budget, bucket == account->second.periods.end() ? none : bucket->second));
  }
  return states;
}

std::vector<BudgetNotice> Budgets::take_notices() {
  const std::lock_guard lock(mutex_);
  return std::exchange(notices_, {});
}

Budgets::Account& Budgets::account_of(const Budget& budget) {
  const auto found = accounts_.find(budget.id);
  if (found != accounts_.end()) return found->second;
  Account& account = accounts_[budget.id];
  account.budget = budget;
  return account;
}

Budgets::Bucket& Budgets::bucket_at(Account& account, TimePoint at) {
  Bucket* latest = account.latest;
  if (latest != nullptr && at >= latest->span.from && (!latest->span.until || at < *latest->span.until)) return *latest;
  const BudgetSpan span = period_of(account.budget, at);
  Bucket& bucket = account.periods[span.from];
  bucket.span = span;
  account.latest = &bucket;
  for (auto old = account.periods.begin(); account.periods.size() > periods_max && old != account.periods.end();)
    old = old->second.holds == 0 && &old->second != &bucket ? account.periods.erase(old) : std::next(old);
  return bucket;
}

BudgetState Budgets::state_of(const Budget& budget, const Bucket& bucket) {
  return {budget.of,      budget.name, budget.id,  budget.zone ? budget.zone->name : "UTC", budget.per, budget.usd_pico,
          bucket.charged, bucket.held, bucket.span};
}

void Budgets::tell(const Account& account, Bucket& bucket) {
  const std::vector<Int128>& shares = account.budget.notify_at;
  for (; bucket.told < shares.size() && bucket.charged >= multiply_pico(account.limit(), shares[bucket.told]); ++bucket.told)
    if (notices_.size() < notices_max) notices_.push_back({shares[bucket.told], state_of(account.budget, bucket)});
}

void Budgets::pass_in_silence(const Account& account, Bucket& bucket) {
  const std::size_t before = notices_.size();
  tell(account, bucket);
  notices_.resize(before);
}

}  // namespace fairlead::state
