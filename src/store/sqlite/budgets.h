#pragma once
// Charges by whom they are of, and the table of credits.
#include <fairlead/budget_store.h>

#include "store/sqlite/database.h"

#include <memory>

namespace fairlead::sqlite {

/// The database has our schema, and its connection is the budget store's own.
std::unique_ptr<BudgetStore> make_budget_store(Database database);

}  // namespace fairlead::sqlite
