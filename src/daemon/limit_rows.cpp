#include "daemon/limit_rows.h"

#include <nlohmann/json.hpp>

#include <map>
#include <optional>
#include <utility>

namespace fairlead::daemon {

std::vector<LimitRow> limit_rows(const Snapshot& snapshot, const std::vector<state::Limits::Shown>& counted) {
  std::map<std::pair<state::LimitedBy, std::string_view>, const state::Limits::Shown*> known;
  for (const auto& shown : counted) known[{shown.by, shown.name}] = &shown;
  std::vector<LimitRow> rows;
  const auto add = [&](state::LimitedBy by, const std::string& name, const std::optional<RateLimits>& limits) {
    if (!limits) return;
    const auto at = known.find({by, name});
    for (std::size_t i = 0; i < limit_count; ++i) {
      if (limits->most[i] == 0) continue;
      LimitRow row{by, name, static_cast<Limit>(i), limits->most[i]};
      if (at != known.end()) {
        row.used = at->second->used[i];
        row.refused = at->second->refused[i];
      }
      rows.push_back(std::move(row));
    }
  };
  for (const Key& key : snapshot.keys) add(state::LimitedBy::key, key.name, key.limits);
  for (const auto& [name, team] : snapshot.teams) add(state::LimitedBy::team, name, team.limits);
  for (const auto& route : snapshot.routes) add(state::LimitedBy::route, route->name, route->limits);
  return rows;
}

std::string limits_text(const std::vector<LimitRow>& limits, const state::Replays::Stats& replays) {
  using Json = nlohmann::ordered_json;
  Json rows = Json::array();
  for (const LimitRow& row : limits)
    rows.push_back({{"by", to_string(row.by)},
                    {"name", row.name},
                    {"limit", to_string(row.limit)},
                    {"max", row.most},
                    {"used", row.used},
                    {"refused", row.refused}});
  const Json idempotency{{"known", replays.known}, {"bytes", replays.bytes}, {"replayed", replays.replayed}};
  const Json all{{"limits", rows}, {"idempotency", idempotency}};
  return all.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace fairlead::daemon
