#pragma once
// Who may still ask for how much: what was admitted for keys, teams and routes that have limits. Shared by all workers: one mutex,
// held for a few sums, and only for requests under some limit. No I/O; `now` is a parameter, of the clock that never goes back.
#include <fairlead/rate_limits.h>

#include "state/window.h"

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace fairlead::state {

enum class LimitedBy : std::uint8_t { key, team, route };
inline constexpr std::size_t limited_by_count = 3;
std::string_view to_string(LimitedBy by);

/// One whose limits a request is under.
struct Limited {
  LimitedBy by = LimitedBy::key;
  std::string_view name;
  const RateLimits* limits = nullptr;
};

/// What a request is taken to consume until it is known.
struct TokenEstimate {
  std::int64_t input = 0;
  std::int64_t output = 0;
};

class Limits {
 public:
  class Admitted;

  /// Of all limits on requests, or on tokens, the one that leaves the least.
  struct Room {
    std::int64_t most = 0, left = 0;
    SteadySpan reset{0};  ///< until all of `most` is left, if nothing is added
  };
  struct Refusal {
    LimitedBy by = LimitedBy::key;
    std::string name;
    Limit limit = Limit::parallel;
    std::int64_t most = 0;
    std::optional<SteadySpan> retry_after;  ///< until all limits would admit it, if nothing is added; empty: never
  };
  struct Answer;

  /// Admits a request under all of these limits, or under none: what is refused counts nowhere. Tokens beyond a whole limit are
  /// taken as that limit, so that they pass alone; but if the input alone is beyond it, or there are more than can be counted, the
  /// request never fits.
  Answer admit(std::span<const Limited> all, const TokenEstimate& tokens, SteadyTime now);

  /// What an earlier process admitted.
  struct Earlier {
    LimitedBy by = LimitedBy::key;
    std::string name;
    std::int64_t requests = 0, tokens = 0;
    SteadyTime at;
  };
  /// All that earlier processes admitted before this one began, for the windows of a day; in place of what was told of it before.
  void recall(std::span<const Earlier> all, SteadyTime began);
  /// Finer steps of time are not kept of a window once it holds much.
  static constexpr SteadySpan recalled_step = SteadySpan(std::chrono::hours(24)) / static_cast<int>(Window::steps);

  /// What people and metrics see.
  struct Shown {
    LimitedBy by;
    std::string name;
    RateLimits limits;                             ///< under which it was last asked for
    std::array<std::int64_t, limit_count> used{};  ///< by Limit
    std::array<std::uint64_t, limit_count> refused{};
  };
  std::vector<Shown> everything(SteadyTime now);

  static constexpr std::size_t kept_max = 10'000;  ///< beyond it, those are forgotten of whom nothing is counted

 private:
  static constexpr std::size_t window_count = 4;  ///< of all limits but `parallel`
  static constexpr std::chrono::minutes minute{1};
  static constexpr std::chrono::hours day{24};

  struct Meter {
    std::array<Window, window_count> windows{Window(minute), Window(day), Window(minute), Window(day)};
    std::int64_t under_way = 0;
    std::array<std::uint64_t, limit_count> refused{};
    RateLimits limits;
  };
  /// What a request counts as, at one meter.
  struct Taken {
    Meter* meter = nullptr;
    std::array<std::optional<SteadyTime>, window_count> from{};
  };
  using Meters = std::map<std::string, Meter, std::less<>>;

  Meter& meter_of(const Limited& limited);
  void forget_idle(SteadyTime now);
  static bool is_idle(Meter& meter, SteadyTime now);
  std::optional<Refusal> refusal_of(std::span<const Limited> all, std::span<Meter* const> meters, const TokenEstimate& tokens,
                                    SteadyTime now);
  Taken take(Meter& meter, const RateLimits& limits, std::int64_t tokens, SteadyTime now);
  static std::optional<Room> room_of(std::span<Meter* const> meters, std::span<const Limited> all, Limit minutely, Limit daily,
                                     SteadyTime now);

  std::mutex mutex_;
  SteadyTime latest_{};
  std::array<Meters, limited_by_count> meters_;  ///< addresses are kept while something is under way
  std::size_t count_ = 0, forget_at_ = kept_max;
};

/// A request that was admitted. It is under way until this ends; unless settled or withdrawn, the estimate stays counted.
class Limits::Admitted {
 public:
  Admitted() = default;
  ~Admitted() { release(); }
  Admitted(const Admitted&) = delete;
  Admitted& operator=(const Admitted&) = delete;

  /// It ended, and this is what it consumed.
  void settle(std::int64_t tokens);
  /// It ended before anything was done for it: it counts as never admitted.
  void withdraw();

 private:
  friend class Limits;
  void end(std::int64_t requests, std::int64_t tokens);
  void release();

  Limits* limits_ = nullptr;  ///< null: nothing is held
  std::array<Taken, limited_by_count> taken_{};
  std::int64_t tokens_ = 0;
};

struct Limits::Answer {
  std::unique_ptr<Admitted> admitted;  ///< null: refused
  Refusal refusal;
  std::optional<Room> requests, tokens;  ///< after this request; empty: no limit on them
};

}  // namespace fairlead::state
