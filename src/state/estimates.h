#pragma once
// What the daemon has learned of its targets, routes and conversations, from settled attempts. Shared by all workers: one mutex,
// held for a few sums. No I/O; `now` is a parameter.
#include <fairlead/plan.h>

#include "state/conversations.h"
#include "state/learned.h"

#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace fairlead::state {

/// An attempt whose answer came whole, with the provider's own usage.
struct Observation {
  const Target* target = nullptr;
  const RequestFacts* facts = nullptr;
  const Usage* usage = nullptr;
  std::optional<std::int64_t> repeated_tokens;  ///< as TargetEstimate had it
  std::optional<std::int64_t> first_token_us;   ///< of a stream
  std::int64_t duration_us = 0;
  TextBytes content;             ///< of the answer
  bool reasoning_shown = false;  ///< it holds the reasoning too
  std::int64_t choices = 1;      ///< that came
  bool cut = false;              ///< by the app's own cap: it would have been longer
};

/// All that is kept, for a file and for people.
struct Everything {
  std::map<std::string, Learned> targets;
  std::map<std::string, Answers> routes;                                 ///< "" for targets that are named directly
  std::map<std::pair<std::string, std::string>, Answers> routes_by_key;  ///< (route, key)
};

class Estimates {
 public:
  static constexpr std::size_t targets_max = 10'000;  ///< what is beyond them keeps the priors
  static constexpr std::size_t routes_by_key_max = 100'000;
  /// An answer that is longer than so many expected ones, or so many of the prior, teaches as much as they: one alone makes no
  /// route too dear.
  static constexpr double output_of_expected_max = 8;

  Everything everything() const;
  /// Before any Reader is made.
  void restore(Everything everything);

  /// From now on its targets are shown, with the priors.
  void know(const Snapshot& snapshot);

  class Reader;

 private:
  struct Slot {
    std::uint32_t number = 0;
    Learned learned;
    std::optional<AnswerTimes> times;  ///< of `learned`, unless that has changed since
  };
  struct Output {
    Answers* route = nullptr;
    Answers own;
    double of_route(TimePoint now) const { return route->expected(prior_output_tokens, now); }
    double expected(TimePoint now) const { return own.expected(of_route(now), now); }
  };

  Slot* slot_of(const std::string& target);                             ///< null: there are too many
  Output* output_of(const std::string& route, const std::string& key);  ///< null: there are too many
  static void note_output(Learned& learned, Output& output, std::int64_t tokens, bool cut, TimePoint now);

  mutable std::mutex mutex_;
  // Nothing is ever taken out: readers keep addresses.
  std::unordered_map<std::string, Slot> targets_;
  std::map<std::string, Answers> routes_;
  std::map<std::pair<std::string, std::string>, Output> outputs_;
  Conversations conversations_;
};

/// One worker's access. Its thread alone.
class Estimates::Reader {
 public:
  explicit Reader(Estimates& estimates) : estimates_(&estimates) {}

  /// What is believed now of the targets that the request may reach, with the expected output of its route and key; `times` only if
  /// asked for. Views in it hold until the next call.
  Conditions conditions(const RequestFacts& facts, const std::shared_ptr<const Snapshot>& snapshot, bool times, TimePoint now);
  /// Of answers of this target; `snapshot` is the target's.
  std::array<double, script_count> output_bytes_per_token(const Target& target, const Snapshot& snapshot);
  /// `snapshot` is that of the observation.
  void note(const Observation& observation, const Snapshot& snapshot, TimePoint now);

 private:
  void use(const std::shared_ptr<const Snapshot>& snapshot);
  void look_at(const Target& target, const RequestFacts& facts, bool times, TimePoint now);
  Slot* slot_of(const Target& target, const Snapshot& snapshot);
  Output* output_of(const RequestFacts& facts, const Snapshot& snapshot);

  Estimates* estimates_;
  std::shared_ptr<const Snapshot> snapshot_;  ///< of what follows; kept, so that no address is used again
  std::vector<Slot*> slots_;                  ///< by Target::index
  std::vector<TargetEstimate> believed_;      ///< by Target::index
  std::map<std::pair<const Route*, const Key*>, Output*> outputs_;
};

}  // namespace fairlead::state
