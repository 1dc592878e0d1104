// A ledger's URL -> the store of its scheme. In a folder of its own, since each file of src/store/ itself is one store.
#include <fairlead/store.h>

#include <string>

namespace fairlead {

namespace {

Result<const StoreKind*> kind_of(std::string_view url) {
  const std::size_t colon = url.find(':');
  const StoreKind* kind = colon == std::string_view::npos ? nullptr : find_store(url.substr(0, colon));
  if (kind != nullptr) return kind;
  std::string known;
  for (const std::string_view name : store_names()) known.append(known.empty() ? "" : ", ").append(name).append(":");
  return Error(ErrorKind::config, ErrorOrigin::fairlead,
               "'" + std::string(url) + "' is not a ledger that this program can open: it must begin with one of " + known);
}

std::string_view place_of(std::string_view url) { return url.substr(url.find(':') + 1); }

}  // namespace

Result<std::unique_ptr<Store>> open_store(std::string_view url, StoreMode mode) {
  const auto kind = kind_of(url);
  if (!kind) return kind.error();
  return (*kind)->open(place_of(url), mode);
}

Result<std::unique_ptr<KeyStore>> open_key_store(std::string_view url, int busy_ms_max) {
  const auto kind = kind_of(url);
  if (!kind) return kind.error();
  return (*kind)->open_keys(place_of(url), busy_ms_max);
}

Result<std::unique_ptr<BudgetStore>> open_budget_store(std::string_view url, int busy_ms_max) {
  const auto kind = kind_of(url);
  if (!kind) return kind.error();
  return (*kind)->open_budgets(place_of(url), busy_ms_max);
}

}  // namespace fairlead
