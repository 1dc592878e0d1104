#include "exchange/durable.h"

#include <boost/asio/async_result.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <memory>
#include <optional>
#include <utility>

namespace fairlead::exchange {
namespace {

/// One wait, touched on the worker's thread only. The work guard keeps the worker's loop alive meanwhile.
template <class Handler>
struct Waiting {
  std::optional<Handler> handler;  ///< empty: resumed
  asio::executor_work_guard<Executor> work;
  std::optional<Timer> timer;

  void resume(Result<void> result) {
    if (!handler) return;
    if (timer) timer->cancel();
    auto taken = std::move(*handler);
    handler.reset();
    work.reset();
    std::move(taken)(std::move(result));
  }
};

struct Initiate {
  Executor executor;
  Ledger* ledger;
  std::optional<std::chrono::milliseconds> limit;

  template <class Handler>
  void operator()(Handler handler, std::vector<Write> writes) const {
    auto waiting = std::make_shared<Waiting<Handler>>(Waiting<Handler>{std::move(handler), asio::make_work_guard(executor), {}});
    if (limit) {
      waiting->timer.emplace(executor, *limit);
      waiting->timer->async_wait([waiting](boost::system::error_code error) {
        if (!error)
          waiting->resume(
              Error(ErrorKind::ledger_unavailable, ErrorOrigin::fairlead, "the ledger cannot be written at the moment"));
      });
    }
    // The last reference must go on the worker's thread: the callback gives its own away.
    ledger->write(std::move(writes), [waiting = std::move(waiting), worker = executor](Result<void> result) mutable {
      asio::post(worker,
                 [waiting = std::move(waiting), result = std::move(result)]() mutable { waiting->resume(std::move(result)); });
    });
  }
};

Task<Result<void>> wait_for(Initiate initiate, std::vector<Write> writes) {
  return asio::async_initiate<const asio::use_awaitable_t<Executor>, void(Result<void>)>(
      initiate, asio::use_awaitable_t<Executor>(), std::move(writes));
}

}  // namespace

Task<Result<void>> durable(Executor executor, Ledger& ledger, std::vector<Write> writes, std::chrono::milliseconds limit) {
  return wait_for(Initiate{executor, &ledger, limit}, std::move(writes));
}

Task<Result<void>> durable(Executor executor, Ledger& ledger, std::vector<Write> writes) {
  return wait_for(Initiate{executor, &ledger, std::nullopt}, std::move(writes));
}

}  // namespace fairlead::exchange
