#pragma once
// What was answered to requests with an Idempotency-Key, so that a repeat gets the same answer and nothing is done twice. Shared by
// all workers: one mutex, held for a look-up or for room, and only for requests with the header. Bounded by what the configuration
// says; in memory alone. No I/O; `now` is a parameter, of the clock that never goes back.
#include <fairlead/snapshot.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

namespace fairlead::state {

/// The half of a SHA-256: of what bears a repeat's name, or of its body.
using Mark = std::array<std::uint8_t, 16>;

struct KeptAnswer {
  std::string request_id;  ///< of the request that was served
  std::string target;
  bool stream = false;
  std::string body;  ///< as the app got it; of a stream all of its events
};

class Replays {
 public:
  class Turn;
  enum class Standing : std::uint8_t {
    first,     ///< nothing is known of it: it may be done
    running,   ///< the same request is under way
    other,     ///< the name stands for another body
    gone,      ///< it was done, and the answer is not kept
    answered,  ///< it was done, and here is the answer
  };
  struct Found;

  /// `name`: of the key's request. `first` makes it running, until the turn ends.
  Found begin(const Mark& name, const Mark& body, const Idempotency& rules, std::chrono::steady_clock::time_point now);

  /// Of an earlier process: was done, and the answer is not kept. The newest first; told again, the later time holds.
  void recall(const Mark& name, const Mark& body, std::chrono::steady_clock::time_point ended_at);

  /// What is too old for `rules`; begin() does it too.
  void forget_old(const Idempotency& rules, std::chrono::steady_clock::time_point now);

  struct Stats {
    std::size_t known = 0, bytes = 0;  ///< answers under way included
    std::uint64_t replayed = 0;
  };
  Stats stats() const;

 private:
  struct Entry {
    Mark body{};
    bool running = true;
    std::shared_ptr<const KeptAnswer> answer;  ///< null: it is not kept
    std::chrono::steady_clock::time_point ended_at;
  };
  struct Hash {
    std::size_t operator()(const Mark& mark) const;
  };
  using Known = std::unordered_map<Mark, Entry, Hash>;

  static std::size_t bytes_of(const Entry& entry);
  bool hold(std::size_t before, std::size_t bytes, const Idempotency& rules);
  void finish(const Mark& name, std::size_t held, std::shared_ptr<const KeptAnswer> answer, const Idempotency& rules,
              std::chrono::steady_clock::time_point now);
  void abandon(const Mark& name, std::size_t held);
  void forget_ended(const Idempotency& rules, std::chrono::steady_clock::time_point now);
  std::size_t names_bytes() const;
  void forget_answers(const Idempotency& rules);
  void forget_oldest();

  mutable std::mutex mutex_;
  Known known_;
  std::deque<Mark> ended_;   ///< in the order of their ends
  std::size_t without_ = 0;  ///< so many of the oldest keep no answer
  std::size_t bytes_ = 0;    ///< of those that have ended, and what is held for the others
  std::size_t held_ = 0;     ///< of bytes_, for the others
  std::uint64_t replayed_ = 0;
};

/// A request is under way for its name. Ends with finish(), or is forgotten: then a repeat is done anew.
class Replays::Turn {
 public:
  Turn(Replays& replays, const Mark& name) : replays_(&replays), name_(name) {}
  ~Turn();
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;
  /// Room for an answer of so many bytes, in place of what it had: older answers go for it, but no name of a request that was
  /// served, and a part is left to new ones. False, and nothing has changed: there is none.
  bool hold(std::size_t bytes, const Idempotency& rules);
  /// `answer`: null if it is too large to be kept.
  void finish(std::shared_ptr<const KeptAnswer> answer, const Idempotency& rules, std::chrono::steady_clock::time_point now);

 private:
  Replays* replays_;  ///< null: it has ended
  Mark name_;
  std::size_t held_ = 0;
};

struct Replays::Found {
  Standing standing = Standing::first;
  std::unique_ptr<Turn> turn;                ///< if `first`
  std::shared_ptr<const KeptAnswer> answer;  ///< if `answered`
};

}  // namespace fairlead::state
