#pragma once
// What strategies leave to chance, told by a seed alone, so that the same plan can be made again. Pure.
#include <fairlead/plan.h>

#include <cstdint>
#include <functional>
#include <vector>

namespace fairlead {

inline constexpr std::uint32_t explore_every = 16;  ///< one request of so many

/// The `number`-th draw of a seed: evenly spread over [0, `below`).
std::uint64_t draw(std::uint32_t seed, std::uint32_t number, std::uint64_t below);

/// One request of `explore_every` goes to the first healthy candidate that is not measured and for which `worth_it` holds: nobody
/// knows how fast a target is that is never asked. It is put in front, and marked. The others keep their order.
void explore(std::vector<Candidate>& candidates, const Conditions& conditions,
             const std::function<bool(const Candidate&)>& worth_it);

}  // namespace fairlead
