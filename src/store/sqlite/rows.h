#pragma once
// Rows of the views -> rows of the contract.
#include <fairlead/store.h>

#include "store/sqlite/database.h"

#include <chrono>
#include <functional>
#include <optional>
#include <string_view>
#include <vector>

namespace fairlead::sqlite {

/// Inside the caller's transaction.
Result<std::optional<RequestRecord>> read_request(Database& database, std::string_view id);
/// As Store::served.
Result<std::vector<ServedRequest>> read_served(Database& database, std::string_view facts_text, TimePoint since, std::size_t most);
/// As Store::consumed.
Result<std::vector<Consumed>> read_consumed(Database& database, TimePoint since, std::chrono::microseconds step,
                                            std::int64_t before);

/// Inside the caller's transaction.
Result<void> visit_requests(Database& database, const Period& period, const std::function<void(const RequestRecord&)>& visitor);

}  // namespace fairlead::sqlite
