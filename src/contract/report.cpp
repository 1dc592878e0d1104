#include <fairlead/store.h>

#include <algorithm>

namespace fairlead {

void add_tokens(Usage& usage, const Usage& more) {
  for (const auto kind : token_kinds)
    if (more.*kind) usage.*kind = (usage.*kind).value_or(0) + *(more.*kind);
}

void add_money(ReportRow& row, const Money& more) {
  const auto at = std::lower_bound(row.cost.begin(), row.cost.end(), more.currency,
                                   [](const Money& money, const Currency& currency) { return money.currency < currency; });
  if (at != row.cost.end() && at->currency == more.currency)
    at->pico += more.pico;
  else
    row.cost.insert(at, more);
}

void add_figures(ReportRow& row, const ReportRow& more) {
  row.requests += more.requests;
  row.attempts += more.attempts;
  row.failed_attempts += more.failed_attempts;
  add_tokens(row.usage, more.usage);
  row.estimated_attempts += more.estimated_attempts;
  row.unpriced_attempts += more.unpriced_attempts;
  for (const Money& cost : more.cost) add_money(row, cost);
  row.usd_pico += more.usd_pico;
  row.charge_usd_pico += more.charge_usd_pico;
  row.estimated_usd_pico += more.estimated_usd_pico;
}

}  // namespace fairlead
