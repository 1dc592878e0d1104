#pragma once
// Time as far as rules can tell it apart: which windows are open, which labels have ended. Pure.
#include "plan/prove/question.h"

#include <optional>
#include <vector>

namespace fairlead::prove {

struct Times {
  std::vector<TimePoint> at;     ///< a time of each kind there is, the first one
  std::vector<Value> values;     ///< of each
  std::optional<TimePoint> end;  ///< before which all times are looked at; empty: no rule has a window, so that it is all time
};

/// Looks at all times from now to the end of the year after the last that a calendar of the windows knows, and at least of the next
/// one: by then weekdays, times of day and the zones' offsets have met in every way that comes again every year. Of labels that end
/// later, at the year that begins there. No later than ten years from now, labels aside.
/// Empty: these are too many times to look at.
std::optional<Times> times_of(const Question& question, TimePoint now);

}  // namespace fairlead::prove
