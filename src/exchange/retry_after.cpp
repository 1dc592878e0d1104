#include "exchange/retry_after.h"

#include <charconv>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <ctime>
#include <string>

namespace fairlead::exchange {
namespace {

constexpr Milliseconds longest = std::chrono::hours(24);

std::optional<double> read_number(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed);
  if (error != std::errc{} || end != text.data() + text.size() || !std::isfinite(value) || value < 0) return std::nullopt;
  return value;
}

std::optional<Milliseconds> within_a_day(double ms) {
  if (ms > static_cast<double>(longest.count())) return std::nullopt;
  return Milliseconds(static_cast<std::int64_t>(std::ceil(ms)));
}

std::optional<Milliseconds> until_date(const std::string& text, TimePoint now) {
  std::tm date{};
  const char* const end = ::strptime(text.c_str(), "%a, %d %b %Y %H:%M:%S GMT", &date);
  if (end == nullptr || *end != '\0') return std::nullopt;
  const TimePoint then{std::chrono::seconds(::timegm(&date))};
  if (then < now) return std::nullopt;  // one of the two clocks is wrong
  return within_a_day(std::chrono::duration<double, std::milli>(then - now).count());
}

}  // namespace

std::optional<Milliseconds> read_retry_after(std::string_view retry_after_ms, std::string_view retry_after, TimePoint now) {
  if (const auto ms = read_number(retry_after_ms)) return within_a_day(*ms);
  if (const auto seconds = read_number(retry_after)) return within_a_day(*seconds * 1000);
  return until_date(std::string(retry_after), now);
}

}  // namespace fairlead::exchange
