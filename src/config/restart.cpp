#include "config/restart.h"

#include <algorithm>

namespace fairlead::config {

std::vector<std::string> needs_restart(const Snapshot& now, const Snapshot& next) {
  const auto same_listener = [](const Listener& a, const Listener& b) {
    return a.address == b.address && a.certificate.empty() == b.certificate.empty();
  };
  std::vector<std::string> options;
  if (!std::equal(now.listen.begin(), now.listen.end(), next.listen.begin(), next.listen.end(), same_listener))
    options.emplace_back("listen");
  if (now.admin != next.admin) options.emplace_back("admin");
  if (now.ledger != next.ledger) options.emplace_back("ledger");
  if (now.ledger_on_disk != next.ledger_on_disk) options.emplace_back("ledger_sync");
  if (now.workers != next.workers) options.emplace_back("workers");
  return options;
}

}  // namespace fairlead::config
