#include "daemon/budget_desk.h"

#include "daemon/budget_json.h"
#include "daemon/log.h"
#include "plan/budgets.h"

#include <algorithm>
#include <map>
#include <mutex>
#include <optional>
#include <utility>

namespace fairlead::daemon {
namespace {

constexpr int credit_busy_ms_max = 2'000;

bool is_of(const Charge& charge, const Budget& budget) {
  switch (budget.of) {
    case BudgetOf::installation: return true;
    case BudgetOf::team: return charge.team == budget.name;
    case BudgetOf::project: return charge.project == budget.name;
    case BudgetOf::key: return charge.key == budget.name;
    case BudgetOf::route: return charge.route == budget.name;
    case BudgetOf::provider: return charge.provider == budget.name;
  }
  return false;
}

Int128 put_in(const std::vector<Credit>& credits, const Budget& budget) {
  Int128 sum = 0;
  for (const Credit& credit : credits)
    if (credit.of == budget.of && credit.name == budget.name) sum += credit.usd_pico;
  return sum;
}

std::optional<TimePoint> first_put_in(const std::vector<Credit>& credits, const Budget& budget) {
  for (const Credit& credit : credits)
    if (credit.of == budget.of && credit.name == budget.name) return credit.at;
  return std::nullopt;
}

}  // namespace

/// Looks charges up once for all budgets that have a period in common.
class BudgetDesk::Filling {
 public:
  explicit Filling(BudgetStore& store) : store_(store) {}

  Result<Int128> charged(const Budget& budget, const BudgetSpan& span) {
    auto& charges = by_span_[{span.from, span.until.value_or(TimePoint::max())}];
    if (!charges) {
      auto read = store_.charges(span);
      if (!read) return read.error();
      charges = std::move(*read);
    }
    Int128 sum = 0;
    for (const Charge& charge : *charges)
      if (is_of(charge, budget)) sum += charge.usd_pico;
    return sum;
  }

 private:
  BudgetStore& store_;
  std::map<std::pair<TimePoint, TimePoint>, std::optional<std::vector<Charge>>> by_span_;
};

Result<void> BudgetDesk::open(const std::string& ledger) {
  auto store = open_budget_store(ledger, credit_busy_ms_max);
  if (!store) return store.error();
  auto credits = (*store)->credits();
  if (!credits) return credits.error();
  store_ = std::move(*store);
  credits_ = std::move(*credits);
  return {};
}

Result<void> BudgetDesk::know(const Snapshot& snapshot, TimePoint now) {
  const std::vector<const Budget*> budgets = all_budgets(snapshot);
  struct Found {
    const Budget* budget;
    TimePoint from;
    Int128 charged;
  };
  std::vector<Found> found;
  std::vector<LateCharges::Counted> counted;
  Filling filling(*store_);
  const auto is_new = [&](const Budget* budget) { return !budgets_.knows(budget->id); };
  std::unique_lock<std::mutex> between_saves;
  std::optional<TimePoint> newest;
  if (std::any_of(budgets.begin(), budgets.end(), is_new)) {
    between_saves = late_charges_.stop_saves();
    const auto sent = store_->newest();
    if (!sent) return sent.error();
    newest = *sent;
  }
  for (const Budget* budget : budgets) {
    counted.push_back({budget, counts_from(*budget)});
    if (!is_new(budget)) continue;
    // If the clock is wrong and is set right later, the period is probably that of the newest row.
    std::vector<BudgetSpan> spans{period_of(*budget, now)};
    if (const BudgetSpan other = period_of(*budget, newest.value_or(now)); other.from != spans.front().from) spans.push_back(other);
    for (BudgetSpan span : spans) {
      const TimePoint from = span.from;
      if (budget->per == BudgetPeriod::credit) {
        if (counted.back().from == TimePoint::max()) continue;
        span.from = counted.back().from;
      }
      const auto charged = filling.charged(*budget, span);
      if (!charged) return charged.error();
      found.push_back({budget, from, *charged});
    }
  }
  // Beyond this point nothing can fail.
  late_charges_.know(snapshot.hash, counted);
  budgets_.know(budgets);
  for (const Found& one : found) budgets_.restore(one.budget->id, one.from, one.charged);
  for (const Budget* budget : budgets)
    if (budget->per == BudgetPeriod::credit) budgets_.put_in(budget->id, put_in(credits_, *budget));
  return {};
}

/// Of which requests: those that began then or later.
TimePoint BudgetDesk::counts_from(const Budget& budget) const {
  if (budget.per != BudgetPeriod::credit) return TimePoint::min();
  return first_put_in(credits_, budget).value_or(TimePoint::max());
}

void BudgetDesk::tell(const Snapshot& snapshot) {
  for (const state::BudgetNotice& notice : budgets_.take_notices()) {
    ++notices_;
    log(Level::warn, "budget_share_reached",
        {{"budget", notice.at.id},
         {"share", format_decimal(notice.share)},
         {"charged_usd", format_decimal(notice.at.charged)},
         {"limit_usd", format_decimal(notice.at.limit)}});
    if (snapshot.notify_webhook) webhook_.tell(*snapshot.notify_webhook, notice_json(notice));
  }
}

std::vector<state::BudgetState> BudgetDesk::states(const Snapshot& snapshot, TimePoint now) const {
  return budgets_.look(all_budgets(snapshot), now);
}

std::string BudgetDesk::budgets_text(const Snapshot& snapshot, TimePoint now) const { return budgets_json(states(snapshot, now)); }

Result<std::string> BudgetDesk::top_up(std::string_view asked, const Snapshot& snapshot, TimePoint now) {
  auto credit = read_credit(asked);
  if (!credit) return credit.error();
  credit->at = now;
  const Budget* budget = nullptr;
  for (const Budget* one : all_budgets(snapshot))
    if (one->per == BudgetPeriod::credit && one->of == credit->of && one->name == credit->name) budget = one;
  if (budget == nullptr)
    return Error(ErrorKind::not_found, ErrorOrigin::app,
                 "there is no " + std::string(to_string(credit->of)) + " '" + credit->name + "' with `credit: true`");
  if (credit->usd_pico < 0)
    if (const auto left = budgets_.take_back(budget->id, -credit->usd_pico, now))
      return Error(ErrorKind::bad_request, ErrorOrigin::app,
                   "of " + budget->id + " " + format_decimal(*left) + " USD are left, so " + format_decimal(-credit->usd_pico) +
                       " cannot be taken back");
  // Beyond this point no request can spend what goes back, however long the store takes.
  if (auto added = store_->add(*credit); !added) {
    budgets_.put_in(budget->id, put_in(credits_, *budget));
    return added.error();
  }
  credits_.push_back(*credit);
  late_charges_.count_from(*budget, counts_from(*budget));
  budgets_.put_in(budget->id, put_in(credits_, *budget));
  log(Level::info, "credit_topped_up", {{"budget", budget->id}, {"usd", format_decimal(credit->usd_pico)}, {"note", credit->note}});
  return budgets_json(budgets_.look({&budget, 1}, now));
}

Result<std::string> BudgetDesk::credits_text() {
  auto credits = store_->credits();
  if (!credits) return credits.error();
  return credits_json(*credits);
}

}  // namespace fairlead::daemon
