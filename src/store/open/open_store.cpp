// A ledger's URL -> the store of its scheme. In a folder of its own, since each file of src/store/ itself is one store.
#include <fairlead/store.h>

#include <string>

namespace fairlead {

Result<std::unique_ptr<Store>> open_store(std::string_view url, StoreMode mode) {
  const std::size_t colon = url.find(':');
  const StoreKind* kind = colon == std::string_view::npos ? nullptr : find_store(url.substr(0, colon));
  if (kind != nullptr) return kind->open(url.substr(colon + 1), mode);
  std::string known;
  for (const std::string_view name : store_names()) known.append(known.empty() ? "" : ", ").append(name).append(":");
  return Error(ErrorKind::config, ErrorOrigin::fairlead,
               "'" + std::string(url) + "' is not a ledger that this program can open: it must begin with one of " + known);
}

}  // namespace fairlead
