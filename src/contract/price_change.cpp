// When another price begins to hold.
#include <fairlead/snapshot.h>

#include <algorithm>

namespace fairlead {
namespace {

/// When the window may begin or end on the days from `at` to `until`.
void add_edges(const TimeWindow& window, TimePoint at, TimePoint until, std::vector<TimePoint>& edges) {
  using namespace std::chrono;
  for (auto day = floor<days>(at) - days(2); day <= floor<days>(until) + days(2); day += days(1))
    for (const int minute : {window.from_minute, window.to_minute}) {
      const TimePoint local = day + minutes(minute);
      if (!window.zone) {
        edges.push_back(local);
        continue;
      }
      // Of the two offsets around a change to or from summer time, each is right for some of the day.
      for (const auto near : {-hours(12), hours(12)}) edges.push_back(local - minutes(window.zone->offset_minutes(local + near)));
    }
  if (!window.zone) return;
  for (const Zone::Change& change : window.zone->changes) edges.push_back(change.from);
}

}  // namespace

std::optional<TimePoint> next_change(const Target& target, const PricedBy& by, TimePoint at, TimePoint until) {
  std::vector<TimePoint> edges;
  for (const auto* prices : {&target.contract, &target.model->prices})
    for (const Price& price : *prices) {
      edges.push_back(price.from);
      if (price.until) edges.push_back(*price.until);
      for (const PriceWindow& window : price.windows) add_edges(window.time, at, until, edges);
    }
  for (const auto* shares : {&target.provider->discounts, &target.provider->surcharges})
    for (const DatedShare& share : *shares) {
      if (share.from) edges.push_back(*share.from);
      if (share.until) edges.push_back(*share.until);
    }
  std::sort(edges.begin(), edges.end());
  const auto rates_at = [&](TimePoint time) {
    const auto price = price_of(target, by, time);
    return price ? std::optional(price->rates) : std::nullopt;
  };
  const auto now = rates_at(at);
  for (const TimePoint edge : edges)
    if (edge > at && edge <= until && rates_at(edge) != now) return edge;
  return std::nullopt;
}

}  // namespace fairlead
