#pragma once
// One request from its start to its settled row: the corridor. One worker's thread.
#include <fairlead/row.h>
#include <fairlead/snapshot.h>

#include "config/cell.h"
#include "exchange/books.h"
#include "exchange/texts.h"
#include "net/app.h"
#include "net/upstream.h"
#include "state/budgets.h"
#include "state/estimates.h"
#include "state/limits.h"
#include "state/replays.h"

#include <functional>
#include <memory>
#include <random>
#include <span>
#include <string>

namespace fairlead::exchange {

/// A finished exchange; metrics and logs are read off it.
struct Ended {
  struct Attempt {
    const Target* target;
    const AttemptSettle* settle;
  };
  const Key& key;
  const Route* route;  ///< null: there is none
  TimePoint started_at;
  const RequestSettle& settle;
  std::span<const Attempt> attempts;
  std::string detail;  ///< of the last error, for the log alone; of a refusal of ours, what the app was told
};

class Observer {
 public:
  virtual ~Observer() = default;
  virtual void ended(const Ended& exchange) = 0;
  /// A request that ended before it had a row: no key, no such path. `peer`: "127.0.0.1:50312".
  virtual void turned_away(const Error& error, const std::string& peer) = 0;
};

/// What the corridor of one worker stands in. Everything outlives every exchange.
struct World {
  Executor executor;
  config::Cell::Reader snapshot;
  Books& books;
  net::Upstream& upstream;
  Observer& observer;
  std::function<TimePoint()> now;
  std::function<SteadyTime()> steady_now;
  std::mt19937_64 random;
  Texts texts;
  state::Estimates::Reader estimates;
  state::Budgets& budgets;
  state::Limits& limits;
  state::Replays& replays;
};

/// POST /v1/chat/completions.
Task<void> run_exchange(World& world, std::unique_ptr<net::AppRequest> request, net::AppAnswer& answer);

}  // namespace fairlead::exchange
