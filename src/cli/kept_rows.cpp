#include "cli/kept_rows.h"

namespace fairlead::cli {

Result<void> require_kept_rows(Store& store, std::optional<TimePoint> since) {
  ReportQuery query;  // a report that needs rows, of no time at all: it is refused, or empty
  query.cut.emplace().by_request = true;
  query.since = since;
  query.until = since.value_or(TimePoint());
  if (const auto rows = store.report(query); !rows) return rows.error();
  return {};
}

}  // namespace fairlead::cli
