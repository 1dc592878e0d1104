#include "exchange/repeat.h"

#include <algorithm>
#include <utility>

#include "plan/head.h"
#include "plan/repeat.h"

namespace fairlead::exchange {
namespace {

constexpr std::string_view field_name = "idempotency-key";

Error refuse_repeat(state::Replays::Standing standing) {
  using Standing = state::Replays::Standing;
  switch (standing) {
    case Standing::running:
      return {ErrorKind::idempotency_in_progress, ErrorOrigin::app, "A request with this Idempotency-Key is under way; try again."};
    case Standing::other:
      return {ErrorKind::idempotency_mismatch, ErrorOrigin::app, "This Idempotency-Key was used for another request."};
    default:
      return {
          ErrorKind::idempotency_gone, ErrorOrigin::app,
          "The request with this Idempotency-Key was served, and its answer is not kept. Use another Idempotency-Key to have it "
          "done again."};
  }
}

}  // namespace

Repeat::Repeat(const Idempotency& rules, std::string facts, state::Replays::Found found)
    : rules_(rules), facts_(std::move(facts)), kept_(std::move(found.answer)), turn_(std::move(found.turn)) {}

Result<std::unique_ptr<Repeat>> Repeat::begin(state::Replays& replays, std::string_view key_name, std::string_view idempotency_key,
                                              std::string_view body, const Idempotency& rules, state::SteadyTime now) {
  const auto marks = repeat_marks(key_name, idempotency_key, body);
  if (!marks) return marks.error();
  auto found = replays.begin(marks->name, marks->body, rules, now);
  if (!found.turn && !found.answer) return refuse_repeat(found.standing);
  return std::unique_ptr<Repeat>(new Repeat(rules, facts_text(*marks), std::move(found)));
}

void Repeat::note(std::span<const std::string_view> pieces) {
  if (!turn_) return;
  for (const std::string_view piece : pieces) {
    too_large_ = too_large_ || !has_room(answer_.size() + piece.size());
    if (!too_large_) answer_ += piece;
  }
  if (!too_large_) return;
  answer_ = {};
  (void)turn_->hold(0, rules_);
}

/// For an answer of so many bytes. There is twice as much room each time, so that few bytes are copied often, or as much as there
/// is.
bool Repeat::has_room(std::size_t bytes) {
  if (bytes > rules_.answer_bytes_max) return false;
  const std::size_t had = answer_.capacity();
  if (bytes <= had) return true;
  const std::size_t least = bytes - had;
  std::size_t more = std::max(least, had);
  while (!turn_->hold(had + more, rules_)) {
    if (more == least) return false;
    more = std::max(least, more / 2);
  }
  std::string longer;  // reserve() would double what is there
  longer.reserve(had + more);
  longer += answer_;
  answer_ = std::move(longer);
  return true;
}

void Repeat::finish(const std::string& request_id, const std::string& target, bool stream, state::SteadyTime now) {
  if (!turn_) return;
  std::shared_ptr<const state::KeptAnswer> answer;
  if (!too_large_) {
    answer_.shrink_to_fit();
    answer = std::make_shared<const state::KeptAnswer>(state::KeptAnswer{request_id, target, stream, std::move(answer_)});
  }
  turn_->finish(std::move(answer), rules_, now);
}

Result<const net::Field*> idempotency_field(const net::AppRequest& app) {
  const net::Field* found = nullptr;
  for (const net::Field& field : app.fields) {
    if (field.name.size() != field_name.size() || !begins_as(field.name, field_name)) continue;
    if (found != nullptr) {
      Error error(ErrorKind::bad_request, ErrorOrigin::app, "There is more than one Idempotency-Key.");
      error.set_param("Idempotency-Key");
      return error;
    }
    found = &field;
  }
  return found;
}

net::Fields replay_fields(const state::KeptAnswer& kept, const std::string& request_id) {
  net::Fields fields;
  fields.emplace_back("content-type", kept.stream ? "text/event-stream; charset=utf-8" : "application/json");
  if (kept.stream) fields.emplace_back("cache-control", "no-cache");
  fields.emplace_back("x-request-id", request_id);
  fields.emplace_back("x-fairlead-target", kept.target);
  fields.emplace_back("x-fairlead-attempts", "0");
  if (!kept.stream) fields.emplace_back("x-fairlead-cost-usd", "0");
  fields.emplace_back("x-fairlead-replayed", "true");
  fields.emplace_back("x-fairlead-replay-of", kept.request_id);
  return fields;
}

}  // namespace fairlead::exchange
