#pragma once
// A request with an Idempotency-Key: is it done already, and what becomes of its answer. One worker's thread.
#include <fairlead/result.h>

#include "net/app.h"
#include "state/replays.h"
#include "state/window.h"

#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace fairlead::exchange {

class Repeat {
 public:
  /// `rules` outlive it. Errors: bad_request, idempotency_in_progress, idempotency_mismatch, idempotency_gone.
  static Result<std::unique_ptr<Repeat>> begin(state::Replays& replays, std::string_view key_name, std::string_view idempotency_key,
                                               std::string_view body, const Idempotency& rules, state::SteadyTime now);

  /// What was answered before; null: this request is the first.
  const state::KeptAnswer* kept() const { return kept_.get(); }
  /// For the row.
  const std::string& facts() const { return facts_; }
  /// Something of the answer, as the app sees it.
  void note(std::span<const std::string_view> pieces);
  /// It was answered whole, and the books have it: from here on a repeat gets what was noted. Else the request is forgotten.
  void finish(const std::string& request_id, const std::string& target, bool stream, state::SteadyTime now);

 private:
  Repeat(const Idempotency& rules, std::string facts, state::Replays::Found found);
  bool has_room(std::size_t bytes);

  const Idempotency& rules_;
  std::string facts_;
  std::shared_ptr<const state::KeptAnswer> kept_;
  std::unique_ptr<state::Replays::Turn> turn_;
  std::string answer_;
  bool too_large_ = false;  ///< to be kept
};

/// The field `Idempotency-Key`; null: there is none. Errors: bad_request, if there are several.
Result<const net::Field*> idempotency_field(const net::AppRequest& app);

/// Header fields of an answer that was kept.
net::Fields replay_fields(const state::KeptAnswer& kept, const std::string& request_id);

}  // namespace fairlead::exchange
