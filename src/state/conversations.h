#pragma once
// Which target has seen how much of which conversation, and when: a bounded table, in which the oldest of four gives way. Not
// shared between threads.
#include <fairlead/time.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace fairlead::state {

class Conversations {
 public:
  static constexpr std::size_t entries_max = 32'768;

  /// Tokens of it that the target was sent, if that was not longer ago than `lifetime`.
  std::optional<std::int64_t> tokens(std::uint64_t conversation, std::uint32_t target, TimePoint now,
                                     std::chrono::milliseconds lifetime) const;
  void note(std::uint64_t conversation, std::uint32_t target, std::int64_t tokens, TimePoint now);

 private:
  struct Entry {
    std::uint64_t key = 0;   ///< 0: free
    std::uint32_t at_s = 0;  ///< since 1970
    std::uint32_t tokens = 0;
  };
  static std::uint64_t key_of(std::uint64_t conversation, std::uint32_t target);
  static std::size_t set_of(std::uint64_t key);

  std::vector<Entry> entries_;  ///< made with the first note
};

}  // namespace fairlead::state
