#pragma once
// What was charged of each budget, and what is held for attempts under way: two-phase money. A hold takes its worst cost from every
// budget that applies in one step, or from none; what it then cost is posted in its place, once. Shared by workers; no I/O.
#include <fairlead/budget.h>

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace fairlead::state {

/// One budget as it stands in one period.
struct BudgetState {
  BudgetOf of = BudgetOf::installation;
  std::string name, id, zone;
  BudgetPeriod per = BudgetPeriod::month;
  Int128 limit = 0, charged = 0, held = 0;
  BudgetSpan span;
  Int128 left() const { return limit - charged - held; }
};

/// A share of a budget that was reached.
struct BudgetNotice {
  Int128 share = 0;  ///< 10^-12
  BudgetState at;
};

class Budgets {
  struct Bucket;
  struct Account;

 public:
  /// An amount that nobody else can spend. It ends by post(), or, void, with the object.
  class Hold {
   public:
    Hold() = default;
    Hold(Hold&& other) noexcept { swap(other); }
    Hold& operator=(Hold&& other) noexcept {
      Hold(std::move(other)).swap(*this);
      return *this;
    }
    ~Hold() { (void)post(0); }

    /// What the attempt cost, even if that is more than was held, goes to the period of its admission. What is left then of the
    /// budget with the least; empty if there was no hold any more, which changes nothing.
    std::optional<Int128> post(Int128 actual);
    void swap(Hold& other) noexcept;

   private:
    friend class Budgets;
    Budgets* budgets_ = nullptr;
    Int128 amount_ = 0;
    struct Place {
      Account* account;
      Bucket* bucket;
    };
    std::vector<Place> places_;
  };

  struct Held {
    Hold hold;
    Int128 left = 0;                     ///< beside it, of the budget with the least
    std::optional<BudgetState> refused;  ///< that would have been overrun; then nothing is held
  };

  Budgets() = default;
  Budgets(const Budgets&) = delete;
  Budgets& operator=(const Budgets&) = delete;

  /// For an attempt that may cost `worst`, of a request that was admitted at `now`. What is free is never refused.
  Held hold(std::span<const Budget* const> budgets, Int128 worst, TimePoint now);

  /// What the configuration says now. Holds and charges stay.
  void know(std::span<const Budget* const> budgets);
  bool knows(const std::string& id) const;
  /// What the ledger has of the period that begins at `from`; not told of again. For budgets that are known, before they are used.
  void restore(const std::string& id, TimePoint from, Int128 charged);
  /// What was charged for a request that began then and held nothing of this budget. Not told of, if it is not `in_force`.
  void charge(const std::string& id, TimePoint started_at, Int128 charge, bool in_force);
  /// For credits: all that was ever put in.
  void put_in(const std::string& id, Int128 credit);
  /// Takes an amount of a credit, so that nobody can spend it from then on, or nothing: then, what is left.
  std::optional<Int128> take_back(const std::string& id, Int128 amount, TimePoint now);

  std::vector<BudgetState> look(std::span<const Budget* const> budgets, TimePoint now) const;
  /// Since the last time; the oldest first.
  std::vector<BudgetNotice> take_notices();

  static constexpr std::size_t periods_max = 1'000;   ///< kept of one budget, so that a clock that steps back finds them
  static constexpr std::size_t notices_max = 10'000;  ///< that nobody took

 private:
  struct Bucket {
    BudgetSpan span;
    Int128 charged = 0, held = 0;
    std::uint32_t holds = 0;
    std::size_t told = 0;  ///< of the shares, how many
  };
  struct Account {
    Budget budget;
    std::map<TimePoint, Bucket> periods;
    Bucket* latest = nullptr;
    Int128 limit() const { return budget.usd_pico; }
  };

  Account& account_of(const Budget& budget);
  static Bucket& bucket_at(Account& account, TimePoint at);
  static BudgetState state_of(const Budget& budget, const Bucket& bucket);
  void tell(const Account& account, Bucket& bucket);
  void pass_in_silence(const Account& account, Bucket& bucket);
  std::optional<Int128> post(Hold& hold, Int128 actual);

  mutable std::mutex mutex_;  // guards what follows, and all that holds point to
  std::unordered_map<std::string, Account> accounts_;
  std::vector<BudgetNotice> notices_;
};

}  // namespace fairlead::state
