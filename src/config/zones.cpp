#include "config/zones.h"

#include <date/tz.h>

#include <chrono>
#include <map>
#include <mutex>
#include <stdexcept>

namespace fairlead::config {
namespace {

std::shared_ptr<const Zone> read_zone(const std::string& name) {
  using namespace std::chrono;
  constexpr sys_seconds begin = sys_days{year{2020} / 1 / 1}, end = sys_days{year{2050} / 1 / 1};
  try {
    const date::time_zone* found = date::locate_zone(name);
    auto zone = std::make_shared<Zone>();
    zone->name = name;
    for (sys_seconds at = begin; at < end;) {
      const date::sys_info info = found->get_info(at);
      zone->changes.push_back({at, static_cast<int>(duration_cast<minutes>(info.offset).count())});
      at = info.end;
    }
    return zone;
  } catch (const std::runtime_error&) {
    return nullptr;
  }
}

}  // namespace

std::shared_ptr<const Zone> find_zone(const std::string& name) {
  static std::mutex mutex;
  static std::map<std::string, std::shared_ptr<const Zone>> known;
  const std::lock_guard lock(mutex);
  const auto [at, fresh] = known.try_emplace(name);
  if (fresh) at->second = read_zone(name);
  return at->second;
}

}  // namespace fairlead::config
