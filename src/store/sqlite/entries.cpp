#include "store/sqlite/entries.h"

#include "store/sqlite/chain.h"

#include <functional>
#include <utility>

namespace fairlead::sqlite {
namespace {

constexpr Entry kinds[] = {Entry::correction, Entry::credit, Entry::closing};

/// Each row in the order of booking, as JSON with all that it says; of a correction also what its group stands for. Ledgers have
/// these texts: a change of one needs a mark of its own, beside this one for the links that are there.
std::string select(Entry kind) {
  switch (kind) {
    case Entry::correction:
      return "SELECT json_object('correction', c.id, 'booked_at', c.booked_at, 'reason', c.reason, 'request_id', c.request_id, "
             "'day', c.day, 'cost_pico', c.cost_pico, 'usd_pico', c.usd_pico, 'charge_usd_pico', c.charge_usd_pico, "
             "'key', g.key, 'team', g.team, 'project', g.project, 'route', g.route, 'provider', g.provider, 'model', g.model, "
             "'target', g.target, 'usage_source', g.usage_source, 'currency', g.currency) "
             "FROM corrections c LEFT JOIN sum_groups g ON g.id = c.sum_group ORDER BY c.id";
    case Entry::credit:
      return "SELECT json_object('credit', n, 'whose', whose, 'name', name, 'usd_pico', usd_pico, 'at', at, 'note', note) "
             "FROM credits ORDER BY n";
    case Entry::closing:
      return "SELECT json_object('closing', month, 'until', until, 'closed_at', closed_at, 'attempts', attempts, "
             "'usd_milli', usd_milli, 'usd_rest_pico', usd_rest_pico, 'charge_milli', charge_milli, "
             "'charge_rest_pico', charge_rest_pico) FROM closings ORDER BY until";
  }
  return {};
}

Result<void> visit(Database& database, const std::string& sql, const std::function<Result<void>(std::string)>& visitor) {
  Statement rows(database.handle(), sql);
  for (;;) {
    const auto row = rows.step();
    if (!row) return row.error();
    if (!*row) return {};
    if (auto done = visitor(rows.text(0)); !done) return done;
  }
}

}  // namespace

Result<void> seal_last(Database& database, Entry kind) {
  return visit(database, select(kind) + " DESC LIMIT 1", [&](const std::string& note) { return record_entry(database, note); });
}

Result<void> seal_all(Database& database) {
  for (const Entry kind : kinds)
    if (auto done = visit(database, select(kind), [&](const std::string& note) { return record_entry(database, note); }); !done)
      return done;
  return {};
}

Result<std::set<std::string>> read_entries(Database& database) {
  std::set<std::string> entries;
  for (const Entry kind : kinds) {
    auto done = visit(database, select(kind), [&](std::string note) {
      entries.insert(std::move(note));
      return Result<void>();
    });
    if (!done) return done.error();
  }
  return entries;
}

}  // namespace fairlead::sqlite
