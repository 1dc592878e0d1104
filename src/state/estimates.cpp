#include "state/estimates.h"

#include <algorithm>
#include <chrono>

namespace fairlead::state {
namespace {

constexpr std::int64_t cached_tokens_min = 64;  // no provider keeps a shorter beginning

Milliseconds cache_lifetime(const Target& target) {
  return target.provider->profile ? target.provider->profile->cache_ms : Profile{}.cache_ms;
}

const std::string& route_name(const RequestFacts& facts) {
  static const std::string none;
  return facts.route ? facts.route->name : none;
}

}  // namespace

Estimates::Slot* Estimates::slot_of(const std::string& target) {
  const auto found = targets_.find(target);
  if (found != targets_.end()) return &found->second;
  if (targets_.size() >= targets_max) return nullptr;
  Slot& slot = targets_[target];
  slot.number = static_cast<std::uint32_t>(targets_.size());
  return &slot;
}

Estimates::Output* Estimates::output_of(const std::string& route, const std::string& key) {
  const std::pair name(route, key);
  const auto found = outputs_.find(name);
  if (found != outputs_.end()) return &found->second;
  if (outputs_.size() >= routes_by_key_max) return nullptr;
  return &outputs_.emplace(name, Output{&routes_[route], {}}).first->second;
}

Everything Estimates::everything() const {
  const std::lock_guard lock(mutex_);
  Everything all;
  for (const auto& [name, slot] : targets_) all.targets.emplace(name, slot.learned);
  all.routes = routes_;
  for (const auto& [name, output] : outputs_) all.routes_by_key.emplace(name, output.own);
  return all;
}

void Estimates::restore(Everything everything) {
  const std::lock_guard lock(mutex_);
  for (auto& [name, learned] : everything.targets)
    if (Slot* slot = slot_of(name)) slot->learned = std::move(learned);
  for (const auto& [name, answers] : everything.routes) routes_[name] = answers;
  for (const auto& [name, answers] : everything.routes_by_key)
    if (Output* output = output_of(name.first, name.second)) output->own = answers;
}

void Estimates::know(const Snapshot& snapshot) {
  const std::lock_guard lock(mutex_);
  for (const auto& target : snapshot.targets) slot_of(target->name);
}

void Estimates::Reader::use(const std::shared_ptr<const Snapshot>& snapshot) {
  if (snapshot == snapshot_) return;
  snapshot_ = snapshot;
  slots_.clear();
  outputs_.clear();
  believed_.assign(snapshot->targets.size(), TargetEstimate{});
  for (const auto& target : snapshot->targets) slots_.push_back(estimates_->slot_of(target->name));
}

Estimates::Slot* Estimates::Reader::slot_of(const Target& target, const Snapshot& snapshot) {
  if (&snapshot == snapshot_.get()) return slots_[static_cast<std::size_t>(target.index)];
  return estimates_->slot_of(target.name);  // of an exchange that began before a reload
}

Estimates::Output* Estimates::Reader::output_of(const RequestFacts& facts, const Snapshot& snapshot) {
  if (&snapshot != snapshot_.get()) return estimates_->output_of(route_name(facts), facts.key->name);
  Output*& known = outputs_[{facts.route, facts.key}];
  if (!known) known = estimates_->output_of(route_name(facts), facts.key->name);
  return known;
}

void Estimates::Reader::look_at(const Target& target, const RequestFacts& facts, bool times, TimePoint now) {
  Slot* slot = slots_[static_cast<std::size_t>(target.index)];
  if (!slot) return;
  const Learned& learned = slot->learned;
  TargetEstimate& believed = believed_[static_cast<std::size_t>(target.index)];
  believed.bytes_per_token = learned.input.bytes_per_token();
  believed.output_ratio = learned.output_ratio(now);
  believed.cache_share = learned.cache_share();
  believed.repeated_tokens.reset();
  believed.times.reset();
  const Conversation& conversation = facts.conversation;
  const Milliseconds lifetime = cache_lifetime(target);
  if (conversation.whole != 0)
    believed.repeated_tokens = estimates_->conversations_.tokens(conversation.whole, slot->number, now, lifetime);
  if (conversation.opening != 0 && !believed.repeated_tokens)
    believed.repeated_tokens = estimates_->conversations_.tokens(conversation.opening, slot->number, now, lifetime);
  if (!times || !learned.measured(now)) return;
  if (!slot->times) slot->times = learned.times();
  believed.times = slot->times;
}

void Estimates::note_output(Learned& learned, Output& output, std::int64_t tokens, bool cut, TimePoint now) {
  const double ratio = learned.output_ratio(now), expected = output.expected(now) * ratio;
  const double most = output_of_expected_max * std::max(expected, static_cast<double>(prior_output_tokens));
  const double counted = std::min(static_cast<double>(tokens), most);
  if (cut && counted <= expected) return;  // it only says that it would have been longer
  output.own.note(counted / ratio, output.of_route(now), now);
  output.route->note(counted / ratio, prior_output_tokens, now);
  // After them: what of a surprise they have taken up, the ratio does not count again. So no answer makes both together expect a
  // longer one.
  learned.note_output(counted, output.expected(now), now);
}

Conditions Estimates::Reader::conditions(const RequestFacts& facts, const std::shared_ptr<const Snapshot>& snapshot, bool times,
                                         TimePoint now) {
  const std::lock_guard lock(estimates_->mutex_);
  use(snapshot);
  Conditions conditions;
  if (facts.route)
    for (const Target* target : facts.route->targets) look_at(*target, facts, times, now);
  else
    look_at(*facts.target, facts, times, now);
  if (const Output* output = output_of(facts, *snapshot)) conditions.output_tokens_expected = output->expected(now);
  conditions.estimates = believed_;
  return conditions;
}

std::array<double, script_count> Estimates::Reader::output_bytes_per_token(const Target& target, const Snapshot& snapshot) {
  const std::lock_guard lock(estimates_->mutex_);
  const Slot* slot = slot_of(target, snapshot);
  return slot ? slot->learned.answer_rates().bytes_per_token() : prior_bytes_per_token;
}

void Estimates::Reader::note(const Observation& seen, const Snapshot& snapshot, TimePoint now) {
  const std::lock_guard lock(estimates_->mutex_);
  Slot* slot = slot_of(*seen.target, snapshot);
  Output* output = output_of(*seen.facts, snapshot);
  if (!slot || !output) return;
  Learned& learned = slot->learned;
  const std::int64_t input = seen.usage->input_total(), answer = seen.usage->output_total() / seen.choices;
  const RequestFacts& facts = *seen.facts;
  // Images and sound are tokens that no text tells of.
  if (!facts.needs.has(Capability::vision) && !facts.needs.has(Capability::audio)) learned.note_input(facts.text, input, now);
  // What was thought unseen is in no text, and told apart by who tells of it at all.
  learned.note_answer(seen.content, seen.reasoning_shown ? seen.usage->output_total() : seen.usage->output.value_or(0), now);
  note_output(learned, *output, answer, seen.cut, now);
  if (seen.repeated_tokens && input > 0)
    learned.note_cache(seen.usage->cached_input.value_or(0), std::min(*seen.repeated_tokens, input));
  learned.note_times(seen.first_token_us, seen.duration_us, answer, now);
  slot->times.reset();
  if (input < cached_tokens_min) return;
  const Conversation& conversation = facts.conversation;
  if (conversation.whole != 0)
    estimates_->conversations_.note(conversation.whole, slot->number, input + seen.usage->output.value_or(0), now);
  if (conversation.opening != 0)
    estimates_->conversations_.note(conversation.opening, slot->number,
                                    static_cast<std::int64_t>(static_cast<double>(input) * conversation.opening_share), now);
}

}  // namespace fairlead::state
