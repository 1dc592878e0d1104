#include "state/conversations.h"

#include <algorithm>
#include <chrono>

namespace fairlead::state {
namespace {

constexpr std::size_t ways = 4;
constexpr std::size_t sets = Conversations::entries_max / ways;

std::uint32_t seconds_of(TimePoint at) {
  return static_cast<std::uint32_t>(std::chrono::floor<std::chrono::seconds>(at).time_since_epoch().count());
}

}  // namespace

std::uint64_t Conversations::key_of(std::uint64_t conversation, std::uint32_t target) {
  std::uint64_t key = (conversation ^ (target + 1ULL) * 0x9e3779b97f4a7c15) * 0xbf58476d1ce4e5b9;
  key ^= key >> 32;
  return key == 0 ? 1 : key;
}

std::size_t Conversations::set_of(std::uint64_t key) { return static_cast<std::size_t>(key % sets) * ways; }

std::optional<std::int64_t> Conversations::tokens(std::uint64_t conversation, std::uint32_t target, TimePoint now,
                                                  std::chrono::milliseconds lifetime) const {
  if (entries_.empty()) return std::nullopt;
  const std::uint64_t key = key_of(conversation, target);
  const Entry* set = entries_.data() + set_of(key);
  for (std::size_t i = 0; i < ways; ++i)
    if (set[i].key == key) {
      if (std::chrono::seconds(std::int64_t{seconds_of(now)} - set[i].at_s) > lifetime) return std::nullopt;
      return set[i].tokens;
    }
  return std::nullopt;
}

void Conversations::note(std::uint64_t conversation, std::uint32_t target, std::int64_t tokens, TimePoint now) {
  if (entries_.empty()) entries_.resize(entries_max);
  const std::uint64_t key = key_of(conversation, target);
  Entry* set = entries_.data() + set_of(key);
  Entry* place = set;
  for (std::size_t i = 0; i < ways; ++i) {
    if (set[i].key == key) {
      place = set + i;
      break;
    }
    if (set[i].at_s < place->at_s) place = set + i;
  }
  *place = {key, seconds_of(now), static_cast<std::uint32_t>(std::clamp<std::int64_t>(tokens, 0, UINT32_MAX))};
}

}  // namespace fairlead::state
