#pragma once
// What the app is told of its request: fields of the answer, its end, an answer that was kept, an error. One worker's thread.
#include "exchange/request.h"
#include "exchange/retry.h"

#include <optional>

namespace fairlead::exchange {

/// To a request that has no row; its id is there for whoever reports it.
net::WholeAnswer error_answer(World& world, const Error& error);

/// Header fields of an answer. `target`, that answers: null if that is not known yet.
net::Fields answer_fields(const Request& request, const Target* target, int attempts);

/// An answer in one piece, or the proper end of a stream: `last`. `cost_usd`, in units of 10^-12, of an answer in one piece: empty
/// if it has none that is known.
Task<void> tell_end(Request& request, const Target& target, int attempts, const Pieces& last, std::optional<Int128> cost_usd);
/// The kept answer of request.repeat, at once.
Task<void> tell_kept(Request& request);
/// An error answer, or, where a stream has begun, its last event: never a clean end. `resets_at`: of the budget that refused it.
Task<void> tell_failure(Request& request, const Failure& failure, int attempts, std::optional<TimePoint> resets_at);

}  // namespace fairlead::exchange
