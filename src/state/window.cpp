#include "state/window.h"

#include <algorithm>

namespace fairlead::state {

std::int64_t Window::used(SteadyTime now) {
  drop(now);
  return used_;
}

SteadyTime Window::add(std::int64_t count, SteadyTime now) {
  drop(now);
  if (live() == 0 || entries_.back().from < now)
    entries_.push_back({live() < steps ? now : now + length_ / static_cast<std::int64_t>(steps), 0});
  entries_.back().count += count;
  used_ += count;
  return entries_.back().from;
}

void Window::add_earlier(std::int64_t count, SteadyTime from) {
  const auto begin = entries_.begin() + static_cast<std::ptrdiff_t>(first_);
  auto at = std::lower_bound(begin, entries_.end(), from, [](const Entry& e, SteadyTime t) { return e.from < t; });
  if (at == entries_.end() || at->from != from) at = entries_.insert(at, {from, 0});
  at->count += count;
  used_ += count;
}

void Window::forget_before(SteadyTime from) {
  for (; live() > 0 && entries_[first_].from < from; ++first_) used_ -= entries_[first_].count;
}

void Window::correct(SteadyTime from, std::int64_t difference) {
  const auto begin = entries_.begin() + static_cast<std::ptrdiff_t>(first_);
  const auto at = std::lower_bound(begin, entries_.end(), from, [](const Entry& e, SteadyTime t) { return e.from < t; });
  if (at == entries_.end() || at->from != from) return;
  at->count += difference;
  used_ += difference;
}

SteadyTime Window::fits_at(std::int64_t count, std::int64_t most, SteadyTime now) {
  drop(now);
  std::int64_t left = used_;
  SteadyTime at = now;
  for (std::size_t i = first_; i < entries_.size() && left > most - count; ++i) {
    left -= entries_[i].count;
    at = entries_[i].from + length_;
  }
  return at;
}

SteadyTime Window::empty_at(SteadyTime now) {
  drop(now);
  for (std::size_t i = entries_.size(); i > first_; --i)
    if (entries_[i - 1].count != 0) return entries_[i - 1].from + length_;
  return now;
}

void Window::drop(SteadyTime now) {
  for (; live() > 0 && entries_[first_].from + length_ <= now; ++first_) used_ -= entries_[first_].count;
  if (first_ < entries_.size() && first_ < steps) return;
  entries_.erase(entries_.begin(), entries_.begin() + static_cast<std::ptrdiff_t>(first_));
  first_ = 0;
}

}  // namespace fairlead::state
