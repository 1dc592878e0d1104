#pragma once
// One chat request at the simulated provider: read, refused or answered, cut where its script says so, and billed. One thread.
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "simulator/bill.h"
#include "simulator/connection.h"
#include "simulator/script.h"
#include "simulator/shape.h"
#include "simulator/tokens.h"

namespace fairlead::simulator {

/// What all attempts at one simulator share.
struct World {
  Director director;
  Bill bill;
  std::vector<std::vector<std::string>> sold;  ///< by kind: the names of its models; none: it serves whatever is asked for
  std::uint64_t seed = 0;
  std::function<TimePoint()> now;
  PromptCache cache;
  std::uint64_t attempts = 0;
  bool stopping = false;

  const std::vector<std::string>& models_of(const Habits& habits) const { return sold[static_cast<std::size_t>(habits.kind)]; }
};

/// The models of each kind, in the order of all_kinds(), without the kind's name.
std::vector<std::vector<std::string>> sold_by_kind(const std::vector<PricedModel>& models);

class Attempt {
 public:
  Attempt(World& world, Connection& connection, const Request& request, const Habits& habits);

  /// Ends with the answer written, or not, and the line on the bill. `true`: the connection can take another request.
  Task<bool> run();

 private:
  Task<bool> perform();
  Task<bool> refuse(const Refusal& refusal);
  Task<bool> refuse_as_told();
  Task<bool> answer_whole();
  Task<bool> answer_stream();
  Task<bool> stream_opening();
  Task<bool> stream_pieces();
  Task<bool> stream_trouble();
  Task<bool> stream_ending();
  Task<bool> wait_in_queue(std::string_view type);
  void begin_head(std::string_view type, std::size_t body_bytes);
  Task<bool> generate(const Piece& piece);
  Task<bool> reach(Place place);
  Task<bool> pause(std::int64_t milliseconds);
  Task<bool> flush();

  void bill_after_close();
  void count(const Piece& piece);
  std::optional<Refusal> read();
  void begin_answer();
  void event(std::string_view json);
  Task<bool> cut(std::string_view how);
  bool usage_with_ending() const;
  std::string running_usage();
  std::string final_usage();
  Fields fields_of(int status, std::string type) const;

  World& world_;
  Connection& connection_;
  const Request& request_;
  const Habits& habits_;
  std::uint64_t number_;
  BillLine line_;
  Chat chat_;
  Script script_;
  Answer answer_;
  UsageTold usage_ = UsageTold::none;  ///< where usage goes, by habit, request and script; `habit`: a chunk of its own
  std::optional<Shape> shape_;
  std::optional<AnswerWriter> writer_;
  std::optional<Tokens> told_;       ///< the last true usage written
  std::optional<Tokens> told_sent_;  ///< and the last one sent
};

}  // namespace fairlead::simulator
