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

std::string iso_8601(TimePoint at) {
  using namespace std::chrono;
  const auto day = floor<days>(at);
  const year_month_day date(day);
  const hh_mm_ss time(floor<seconds>(at - day));
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%04d-%02u-%02uT%02d:%02d:%02dZ", int{date.year()}, unsigned{date.month()},
                unsigned{date.day()}, static_cast<int>(time.hours().count()), static_cast<int>(time.minutes().count()),
                static_cast<int>(time.seconds().count()));
  return text.data();
}

std::string iso_8601_us(TimePoint at) {
  std::string text = iso_8601(at);
  const std::string us = std::to_string((at - std::chrono::floor<std::chrono::seconds>(at)).count());
  return text.insert(text.size() - 1, "." + std::string(6 - us.size(), '0') + us);
}

}  // namespace fairlead
