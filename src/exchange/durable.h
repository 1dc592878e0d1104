#pragma once
// Waiting for the books: Ledger::write as an awaitable of the worker.
#include "ledger/ledger.h"
#include "net/task.h"

#include <chrono>
#include <vector>

namespace fairlead::exchange {

/// Resumes on the caller's worker once the writes are durable, or have failed. Settlements, which the ledger tries until it can,
/// are waited for up to `limit` (then ledger_unavailable); what holds an open fails by itself.
Task<Result<void>> durable(Executor executor, Ledger& ledger, std::vector<Write> writes, std::chrono::milliseconds limit);
Task<Result<void>> durable(Executor executor, Ledger& ledger, std::vector<Write> writes);

}  // namespace fairlead::exchange
