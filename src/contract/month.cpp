#include <fairlead/bookkeeper.h>

#include <charconv>
#include <chrono>

namespace fairlead {

std::optional<Month> parse_month(std::string_view name) {
  int year = 0;
  unsigned number = 0;
  const auto whole = [](const char* from, const char* to, auto& value) {
    const auto read = std::from_chars(from, to, value);
    return read.ec == std::errc() && read.ptr == to;
  };
  if (name.size() != 7 || name[4] != '-' || !whole(name.data(), name.data() + 4, year) ||
      !whole(name.data() + 5, name.data() + 7, number))
    return std::nullopt;
  const std::chrono::year_month month = std::chrono::year(year) / std::chrono::month(number);
  if (!month.ok() || year < 1970) return std::nullopt;
  return Month{std::string(name), std::chrono::sys_days(month / 1), std::chrono::sys_days((month + std::chrono::months(1)) / 1)};
}

}  // namespace fairlead
