#pragma once
// What the journal holds and the store does not: requests under way, and requests that ended. Used by the start, which replays the
// journal, and by the feeder, which follows it. One thread.
#include <fairlead/result.h>
#include <fairlead/store.h>

#include "ledger/codec.h"

#include <chrono>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace fairlead {

class Intake {
 public:
  using Clock = std::chrono::steady_clock;

  explicit Intake(Store& store) : store_(store) {}

  /// A segment begins.
  void begin_segment(std::uint64_t sequence);
  /// The next frame of the segment. False if some of its bytes are no rows; those before them are taken.
  bool take(std::string_view frame, Clock::time_point now);

  /// Whether saving gives way to whoever else wants the core.
  void set_yields(bool yields) { yields_ = yields; }
  /// Requests that ended and are not saved yet.
  std::size_t ended() const { return ended_.size(); }
  /// Saves them. Errors: ledger_unavailable; what is not saved then is kept. A request that the store can never take is dropped and
  /// counted, so that it stops no other.
  Result<void> save_ended();
  /// Saves, as they stand, requests that have been under way since `before` or longer.
  Result<void> save_open(Clock::time_point before);

  std::size_t open() const { return open_.size(); }
  /// The oldest segment that holds a row which the store has not; or the current one.
  std::uint64_t needed_from() const;
  std::uint64_t taken_rows() const { return taken_rows_; }
  std::uint64_t unsaved_rows() const { return unsaved_rows_; }
  std::uint64_t refused_rows() const { return refused_rows_; }

 private:
  /// Rows of one segment.
  struct Part {
    std::shared_ptr<const Texts> texts;
    std::string rows;
  };
  struct Request {
    std::vector<Part> earlier;
    Part last;
    Clock::time_point since;
    std::uint64_t unsaved_from = 0;  ///< the segment of the oldest row that the store has not; 0: it has all
    std::uint32_t unsaved_rows = 0;
    bool continues = false;               ///< its open row is not here, but in the store
    std::unique_ptr<RequestRecord> base;  ///< what the store has of it, if it continues
    bool ended = false;
  };
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view id) const { return std::hash<std::string_view>()(id); }
  };
  using Requests = std::unordered_map<std::string, Request, Hash, std::equal_to<>>;
  class Batch;

  void add(Request& request, const EncodedRow& row);
  bool assemble(const Request& request);
  Result<void> fetch_bases(std::span<Request* const> batch, std::span<const std::string_view> ids);
  Result<void> save(std::span<Request* const> batch);
  void saved(Request& request);
  void refuse(Request& request);

  Store& store_;
  bool yields_ = false;
  std::uint64_t sequence_ = 0;
  std::shared_ptr<Texts> texts_;
  Requests open_;
  std::vector<Requests::node_type> ended_;
  RecordBuilder builder_;
  std::uint64_t taken_rows_ = 0, unsaved_rows_ = 0, refused_rows_ = 0;
};

}  // namespace fairlead
