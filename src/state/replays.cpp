#include "state/replays.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace fairlead::state {
namespace {

using Now = std::chrono::steady_clock::time_point;

constexpr std::size_t entry_bytes = 192;  // of the map's node and the queue, about

/// Of answers under way: the rest is for the names of requests that end meanwhile.
std::size_t held_bytes_max(const Idempotency& rules) { return rules.memory_bytes_max / 4 * 3; }

}  // namespace

std::size_t Replays::Hash::operator()(const Mark& mark) const {
  std::size_t hash = 0;
  std::memcpy(&hash, mark.data(), sizeof hash);  // it is one already
  return hash;
}

std::size_t Replays::bytes_of(const Entry& entry) {
  if (!entry.answer) return entry_bytes;
  const KeptAnswer& answer = *entry.answer;
  return entry_bytes + sizeof answer + answer.body.capacity() + answer.target.capacity() + answer.request_id.capacity();
}

Replays::Found Replays::begin(const Mark& name, const Mark& body, const Idempotency& rules, Now now) {
  const std::lock_guard lock(mutex_);
  forget_ended(rules, now);
  const auto [at, fresh] = known_.try_emplace(name);
  Entry& entry = at->second;
  Found found;
  if (fresh) {
    entry.body = body;
    found.turn = std::make_unique<Turn>(*this, name);
  } else if (entry.body != body) {
    found.standing = Standing::other;
  } else if (entry.running) {
    found.standing = Standing::running;
  } else if (!entry.answer) {
    found.standing = Standing::gone;
  } else {
    found.standing = Standing::answered;
    found.answer = entry.answer;
    ++replayed_;
  }
  return found;
}

void Replays::recall(const Mark& name, const Mark& body, Now ended_at) {
  const std::lock_guard lock(mutex_);
  const auto [at, fresh] = known_.try_emplace(name);
  if (!fresh) {
    if (!at->second.running && !at->second.answer) at->second.ended_at = std::max(at->second.ended_at, ended_at);
    return;
  }
  at->second = Entry{body, false, nullptr, ended_at};
  ended_.insert(std::upper_bound(ended_.begin(), ended_.end(), ended_at,
                                 [this](Now time, const Mark& other) { return time < known_.at(other).ended_at; }),
                name);
  bytes_ += bytes_of(at->second);
}

Replays::Stats Replays::stats() const {
  const std::lock_guard lock(mutex_);
  return {known_.size(), bytes_, replayed_};
}

void Replays::forget_old(const Idempotency& rules, Now now) {
  const std::lock_guard lock(mutex_);
  forget_ended(rules, now);
}

bool Replays::hold(std::size_t before, std::size_t bytes, const Idempotency& rules) {
  const std::lock_guard lock(mutex_);
  const std::size_t held = held_ - before + bytes;
  if (bytes > before && (held > held_bytes_max(rules) || names_bytes() + held > rules.memory_bytes_max)) return false;
  bytes_ = bytes_ - held_ + held;
  held_ = held;
  forget_answers(rules);
  return true;
}

void Replays::finish(const Mark& name, std::size_t held, std::shared_ptr<const KeptAnswer> answer, const Idempotency& rules,
                     Now now) {
  const std::lock_guard lock(mutex_);
  bytes_ -= held;
  held_ -= held;
  Entry& entry = known_.at(name);
  entry.running = false;
  entry.answer = std::move(answer);
  entry.ended_at = now;
  ended_.push_back(name);
  bytes_ += bytes_of(entry);
  forget_answers(rules);
  // A name that is forgotten is done and paid again, so no answer pushes one out: those give way to each other alone.
  while (names_bytes() > rules.memory_bytes_max) forget_oldest();
}

void Replays::abandon(const Mark& name, std::size_t held) {
  const std::lock_guard lock(mutex_);
  bytes_ -= held;
  held_ -= held;
  known_.erase(name);
}

void Replays::forget_ended(const Idempotency& rules, Now now) {
  while (!ended_.empty() && known_.at(ended_.front()).ended_at + rules.window <= now) forget_oldest();
}

/// Of requests that have ended.
std::size_t Replays::names_bytes() const { return ended_.size() * entry_bytes; }

/// The oldest, until there is room: they go before what is known of requests without one.
void Replays::forget_answers(const Idempotency& rules) {
  while (bytes_ > rules.memory_bytes_max && without_ < ended_.size()) {
    Entry& entry = known_.at(ended_[without_++]);
    bytes_ -= bytes_of(entry);
    entry.answer = nullptr;
    bytes_ += bytes_of(entry);
  }
}

void Replays::forget_oldest() {
  const auto at = known_.find(ended_.front());
  bytes_ -= bytes_of(at->second);
  known_.erase(at);
  ended_.pop_front();
  if (without_ > 0) --without_;
}

Replays::Turn::~Turn() {
  if (replays_ != nullptr) replays_->abandon(name_, held_);
}

bool Replays::Turn::hold(std::size_t bytes, const Idempotency& rules) {
  if (!replays_->hold(held_, bytes, rules)) return false;
  held_ = bytes;
  return true;
}

void Replays::Turn::finish(std::shared_ptr<const KeptAnswer> answer, const Idempotency& rules, Now now) {
  if (replays_ != nullptr) std::exchange(replays_, nullptr)->finish(name_, held_, std::move(answer), rules, now);
}

}  // namespace fairlead::state
