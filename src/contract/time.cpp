#include <fairlead/time.h>

#include <array>
#include <cstdio>

namespace fairlead {

std::string day_text(TimePoint at) {
  const std::chrono::year_month_day date(std::chrono::floor<std::chrono::days>(at));
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%04d-%02u-%02u", int{date.year()}, unsigned{date.month()}, unsigned{date.day()});
  return text.data();
}

}  // namespace fairlead
