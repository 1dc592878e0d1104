#pragma once
// What every part of the corridor shares of the request that is under way. One worker's thread.
#include <fairlead/dialect.h>
#include <fairlead/plan.h>

#include "exchange/exchange.h"
#include "exchange/repeat.h"

#include <memory>
#include <optional>
#include <string>

namespace fairlead::exchange {

/// What only the beginning of an attempt needs: what the app asks, and the plan that was made for it.
struct Question {
  ChatRequest chat;
  Plan plan;
};

struct Request {
  World& world;
  std::shared_ptr<const Snapshot> snapshot;
  std::unique_ptr<net::AppRequest> app;  ///< null once `content_sent`
  net::AppAnswer& answer;
  const Dialect& dialect;  ///< the apps'
  SteadyTime started;
  bool content_sent = false;  ///< beyond this there is no second attempt
  Rows opening = {};          ///< that the books have; null once `content_sent`, and the ledger has let go of it
  std::optional<std::int64_t> first_byte_us = {};
  std::unique_ptr<Repeat> repeat = nullptr;                           ///< null: there is no Idempotency-Key
  net::Cancel cancel = {};                                            ///< requested when the app is gone
  std::unique_ptr<Question> question = std::make_unique<Question>();  ///< null once `content_sent`
  RequestFacts facts = {};
  std::string id = {};
  SteadyTime deadline = {};
  std::optional<Int128> spent_usd_pico = 0;  ///< by the attempts that have ended; empty: what one of them cost is unknown
  std::optional<Int128> budget_left = {};    ///< in USD, of the budget with the least; empty: none counts it
  net::Fields more_fields = {};              ///< of the answer, whatever it is

  /// The app sees something of an answer, the first or more: no other attempt can follow, and what only that would need is freed,
  /// since a stream may take minutes.
  void note_content_sent();
};

}  // namespace fairlead::exchange
