// A ledger's URL -> the store of its scheme. In a folder of its own, since each file of src/store/ itself is one store.
#include <fairlead/bookkeeper.h>
#include <fairlead/store.h>

#include <string>

namespace fairlead {
namespace {

Error unknown(std::string_view url) {
  std::string known;
  for (const std::string_view name : store_names()) known.append(known.empty() ? "" : ", ").append(name).append(":");
  return {ErrorKind::config, ErrorOrigin::fairlead,
          "'" + std::string(url) + "' is not a ledger that this program can open: it must begin with one of " + known};
}

/// What follows the scheme, if there is such a store.
struct Where {
  const StoreKind* kind = nullptr;
  std::string_view rest;
};
Where where_is(std::string_view url) {
  const std::size_t colon = url.find(':');
  if (colon == std::string_view::npos) return {};
  return {find_store(url.substr(0, colon)), url.substr(colon + 1)};
}

}  // namespace

Result<std::unique_ptr<Store>> open_store(std::string_view url, StoreMode mode) {
  const Where where = where_is(url);
  if (where.kind == nullptr) return unknown(url);
  return where.kind->open(where.rest, mode);
}

Result<std::unique_ptr<Bookkeeper>> open_bookkeeper(std::string_view url) {
  const Where where = where_is(url);
  if (where.kind == nullptr) return unknown(url);
  return where.kind->open_bookkeeper(where.rest);
}

Result<std::unique_ptr<KeyStore>> open_key_store(std::string_view url, int busy_ms_max) {
  const Where where = where_is(url);
  if (where.kind == nullptr) return unknown(url);
  return where.kind->open_keys(where.rest, busy_ms_max);
}

Result<std::unique_ptr<BudgetStore>> open_budget_store(std::string_view url, int busy_ms_max) {
  const Where where = where_is(url);
  if (where.kind == nullptr) return unknown(url);
  return where.kind->open_budgets(where.rest, busy_ms_max);
}

}  // namespace fairlead
