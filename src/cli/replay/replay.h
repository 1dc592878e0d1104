#pragma once
// Requests of the past through another configuration, without sending anything. Pure.
#include <fairlead/snapshot.h>
#include <fairlead/store.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

namespace fairlead::cli {

/// What would have become of a request, beside what did.
enum class Replayed : std::uint8_t {
  stays,     ///< it would go where it went
  moves,     ///< elsewhere
  refused,   ///< it was sent, and would be refused
  admitted,  ///< it was refused, and would be sent
  kept_out,  ///< refused then and now
  unknown,   ///< it cannot be asked: there is no such key, route or tag any more
};
inline constexpr std::size_t replayed_count = 6;
std::string_view to_string(Replayed outcome);

/// Requests of one route that share where they went, where they would go, and why not.
struct ReplayGroup {
  std::int64_t requests = 0;
  Int128 before_usd = 0;       ///< what they did cost, all attempts
  Int128 after_usd = 0;        ///< what their tokens would cost there
  std::int64_t unpriced = 0;   ///< would go to a target without a price: their cost is unknown
  std::int64_t tokenless = 0;  ///< nobody knows their tokens: they were never answered
};
using ReplayKey = std::tuple<Replayed, std::string, std::string, std::string, std::string>;  ///< outcome, route, from, to, why

class Replay {
 public:
  explicit Replay(const Snapshot& snapshot) : snapshot_(snapshot) {}
  void add(const RequestRecord& record);

  const std::map<ReplayKey, ReplayGroup>& groups() const { return groups_; }
  /// Of these outcomes, or of all.
  ReplayGroup total(std::optional<Replayed> outcome) const;
  /// Requests whose prompt was not searched for all that rules ask now.
  std::int64_t content_unknown() const { return content_unknown_; }
  /// Requests of no group: repeats with an Idempotency-Key, which are not sent under any configuration.
  std::int64_t repeats() const { return repeats_; }

 private:
  struct Fate;
  Fate fate_of(const RequestRecord& record);

  const Snapshot& snapshot_;
  std::map<ReplayKey, ReplayGroup> groups_;
  std::int64_t content_unknown_ = 0, repeats_ = 0;
};

}  // namespace fairlead::cli
