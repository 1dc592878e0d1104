#include "plan/prove/times.h"

#include "plan/policy.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <set>
#include <unordered_map>
#include <unordered_set>
#include <utility>

namespace fairlead::prove {
namespace {

using std::chrono::days;
using std::chrono::minutes;

constexpr int years_max = 10;
constexpr days a_year{53 * 7};
constexpr std::int64_t window_days_max = 2'000'000;  ///< looked at, of all windows

/// From the first to before the second.
using Span = std::pair<TimePoint, TimePoint>;

/// The different windows of all conditions, and when labels end.
struct Marks {
  std::vector<const TimeWindow*> windows;
  std::unordered_map<const TimeWindow*, std::size_t> number;  ///< of each window that is written, among the different ones
  std::set<TimePoint> ends;

  explicit Marks(const Question& question) {
    for (const Rule& rule : question.rules) add(rule.policy->when, rule.from);
    for (const Goal& goal : question.goals) add(goal.assertion->when, goal.from);
  }

  void add(const When& when, TimePoint from) {
    if (from != TimePoint::min()) ends.insert(from);
    for (const TimeWindow& window : when.times) {
      const auto known = std::find_if(windows.begin(), windows.end(), [&](const TimeWindow* other) { return *other == window; });
      number[&window] = static_cast<std::size_t>(known - windows.begin());
      if (known == windows.end()) windows.push_back(&window);
    }
  }
};

TimePoint first_of_year(int year) { return std::chrono::sys_days(std::chrono::year(year) / 1 / 1); }

int year_of(TimePoint at) { return static_cast<int>(std::chrono::year_month_day(std::chrono::floor<days>(at)).year()); }

std::vector<Span> spans_of(const Marks& marks, TimePoint now) {
  int year = year_of(now);
  for (const TimeWindow* window : marks.windows)
    if (window->calendar && !window->calendar->years.empty()) year = std::max(year, window->calendar->years.back());
  std::vector<Span> spans{{now, first_of_year(std::min(year, year_of(now) + years_max) + 2)}};
  for (const TimePoint end : marks.ends) {
    if (end < spans.back().second) continue;
    spans.emplace_back(end, marks.windows.empty() ? end + days(1) : end + a_year);
  }
  return spans;
}

/// Calls `each` with every time in the span at which the window may open or close, and with the span's begin.
template <class Each>
void for_each_edge(const TimeWindow& window, const Span& span, const Each& each) {
  const auto edges_of_offset = [&](Span part, minutes offset) {
    each(part.first);
    const std::set<int> edges{0, window.from_minute, window.to_minute};
    for (auto day = std::chrono::floor<days>(part.first + offset); TimePoint(day) < part.second + offset; day += days(1))
      for (const int minute : edges)
        if (const TimePoint at = day + minutes(minute) - offset; at > part.first && at < part.second) each(at);
  };
  TimePoint begin = span.first;
  if (window.zone)
    for (const Zone::Change& change : window.zone->changes) {
      if (change.from <= begin) continue;
      if (change.from >= span.second) break;
      edges_of_offset({begin, change.from}, minutes(window.zone->offset_minutes(begin)));
      begin = change.from;
    }
  edges_of_offset({begin, span.second}, minutes(window.zone ? window.zone->offset_minutes(begin) : 0));
}

/// Goes from change to change, and notes a time of each kind: it is told by the windows that are open and the labels that have
/// ended.
class Sweep {
 public:
  Sweep(const Question& question, const Marks& marks, Times& times) : question_(question), marks_(marks), times_(times) {}

  void pass(const Span& span) {
    const std::vector<Change> changes = changes_in(span);
    Bits open(marks_.windows.size());
    for (std::size_t i = 0; i < changes.size();) {
      const TimePoint at = changes[i].at;
      for (; i < changes.size() && changes[i].at == at; ++i)
        if (changes[i].window) open.flip(*changes[i].window);
      const auto ended = std::distance(marks_.ends.begin(), marks_.ends.upper_bound(at));
      if (seen_[ended].insert(open).second) note(at, open);
    }
  }

 private:
  struct Change {
    TimePoint at;
    std::optional<std::size_t> window;  ///< that opens or closes; empty: a label ends
  };

  std::vector<Change> changes_in(const Span& span) const {
    std::vector<Change> changes{{span.first, {}}};
    for (const TimePoint end : marks_.ends)
      if (end > span.first && end < span.second) changes.push_back({end, {}});
    for (std::size_t i = 0; i < marks_.windows.size(); ++i) {
      bool open = false;
      for_each_edge(*marks_.windows[i], span, [&](TimePoint at) {
        if (holds(*marks_.windows[i], at) == open) return;
        open = !open;
        changes.push_back({at, i});
      });
    }
    std::sort(changes.begin(), changes.end(), [](const Change& a, const Change& b) { return a.at < b.at; });
    return changes;
  }

  void note(TimePoint at, const Bits& open) {
    times_.at.push_back(at);
    times_.values.push_back(value_where(question_, [&](const When& when, TimePoint from) {
      return from <= at && (when.times.empty() || std::any_of(when.times.begin(), when.times.end(), [&](const TimeWindow& window) {
                              return open.has(marks_.number.at(&window));
                            }));
    }));
  }

  const Question& question_;
  const Marks& marks_;
  Times& times_;
  std::map<std::ptrdiff_t, std::unordered_set<Bits, Bits::Hash>> seen_;  ///< by the number of labels that have ended
};

}  // namespace

std::optional<Times> times_of(const Question& question, TimePoint now) {
  now = std::chrono::ceil<std::chrono::seconds>(now);  // as people write times
  const Marks marks(question);
  const std::vector<Span> spans = spans_of(marks, now);
  std::int64_t window_days = 0;
  for (const auto& [begin, end] : spans)
    window_days += std::chrono::ceil<days>(end - begin).count() * static_cast<std::int64_t>(marks.windows.size());
  if (window_days > window_days_max) return std::nullopt;
  Times times;
  if (!marks.windows.empty()) times.end = spans.front().second;
  Sweep sweep(question, marks, times);
  for (const Span& span : spans) sweep.pass(span);
  return times;
}

}  // namespace fairlead::prove
