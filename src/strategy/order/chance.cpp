#include "strategy/order/chance.h"

#include <algorithm>

namespace fairlead {

/// The finalizer of splitmix64, then the upper bits of a product: no division, and no bias that anybody could see.
std::uint64_t draw(std::uint32_t seed, std::uint32_t number, std::uint64_t below) {
  std::uint64_t z = (std::uint64_t{seed} << 32 | number) + 0x9e3779b97f4a7c15;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  z ^= z >> 31;
  __extension__ using Wide = unsigned __int128;
  return static_cast<std::uint64_t>(static_cast<Wide>(z) * below >> 64);
}

void explore(std::vector<Candidate>& candidates, const Conditions& conditions,
             const std::function<bool(const Candidate&)>& worth_it) {
  if (draw(conditions.seed, 0, explore_every) != 0) return;
  const auto found = std::find_if(candidates.begin(), candidates.end(), [&](const Candidate& candidate) {
    return !candidate.times && conditions.healthy(*candidate.target) && worth_it(candidate);
  });
  if (found == candidates.end()) return;
  found->explored = true;
  std::rotate(candidates.begin(), found, found + 1);
}

}  // namespace fairlead
