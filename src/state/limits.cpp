#include "state/limits.h"

#include <fairlead/countable.h>

#include <algorithm>

namespace fairlead::state {
namespace {

constexpr std::chrono::seconds slot_look_again{1};  // nobody knows when a request under way will end

std::size_t number(Limit limit) { return static_cast<std::size_t>(limit); }
bool counts_tokens(Limit limit) { return limit == Limit::tokens_per_minute || limit == Limit::tokens_per_day; }
std::int64_t sum_of(const TokenEstimate& tokens) { return countable_tokens(Int128{tokens.input} + tokens.output); }

}  // namespace

std::string_view to_string(LimitedBy by) {
  switch (by) {
    case LimitedBy::key: return "key";
    case LimitedBy::team: return "team";
    case LimitedBy::route: return "route";
  }
  return "";
}

Limits::Answer Limits::admit(std::span<const Limited> all, const TokenEstimate& tokens, SteadyTime now) {
  const std::lock_guard lock(mutex_);
  now = latest_ = std::max(latest_, now);  // workers read the clock before they wait for each other
  if (count_ >= forget_at_) forget_idle(now);
  all = all.first(std::min(all.size(), limited_by_count));
  std::array<Meter*, limited_by_count> found{};
  for (std::size_t i = 0; i < all.size(); ++i) found[i] = &meter_of(all[i]);
  const std::span<Meter* const> meters(found.data(), all.size());

  Answer answer;
  if (auto refusal = refusal_of(all, meters, tokens, now)) {
    answer.refusal = std::move(*refusal);
  } else {
    answer.admitted = std::make_unique<Admitted>();
    answer.admitted->limits_ = this;
    answer.admitted->tokens_ = sum_of(tokens);
    for (std::size_t i = 0; i < all.size(); ++i)
      answer.admitted->taken_[i] = take(*meters[i], *all[i].limits, answer.admitted->tokens_, now);
  }
  answer.requests = room_of(meters, all, Limit::requests_per_minute, Limit::requests_per_day, now);
  answer.tokens = room_of(meters, all, Limit::tokens_per_minute, Limit::tokens_per_day, now);
  return answer;
}

void Limits::recall(std::span<const Earlier> all, SteadyTime began) {
  constexpr Limit daily[] = {Limit::requests_per_day, Limit::tokens_per_day};
  const std::lock_guard lock(mutex_);
  for (Meters& meters : meters_)
    for (auto& [name, meter] : meters)
      for (const Limit limit : daily) meter.windows[number(limit)].forget_before(began);
  for (const Earlier& some : all) {
    const auto [found, fresh] = meters_[static_cast<std::size_t>(some.by)].try_emplace(some.name);
    if (fresh) ++count_;
    const SteadyTime at = std::min(some.at, began - SteadySpan(1));  // a step of time may end later
    found->second.windows[number(Limit::requests_per_day)].add_earlier(some.requests, at);
    found->second.windows[number(Limit::tokens_per_day)].add_earlier(some.tokens, at);
  }
}

/// The limit that takes the longest to admit the request; empty: all of them do now.
std::optional<Limits::Refusal> Limits::refusal_of(std::span<const Limited> all, std::span<Meter* const> meters,
                                                  const TokenEstimate& tokens, SteadyTime now) {
  const std::int64_t sum = sum_of(tokens);
  std::optional<Refusal> worst;
  Meter* at = nullptr;
  const auto refuse = [&](std::size_t i, Limit limit, std::optional<SteadySpan> wait) {
    const bool longer = !worst || (worst->retry_after && (!wait || *wait > *worst->retry_after));
    if (!longer) return;
    worst = Refusal{all[i].by, std::string(all[i].name), limit, all[i].limits->of(limit), wait};
    at = meters[i];
  };
  for (std::size_t i = 0; i < all.size(); ++i) {
    for (std::size_t w = 0; w < window_count; ++w) {
      const auto limit = static_cast<Limit>(w);
      const std::int64_t most = all[i].limits->of(limit);
      if (most == 0) continue;
      const std::int64_t count = counts_tokens(limit) ? std::min(sum, most) : 1;
      if (counts_tokens(limit) && (tokens.input > most || sum == countable_tokens_max))
        refuse(i, limit, std::nullopt);
      else if (meters[i]->windows[w].used(now) > most - count)
        refuse(i, limit, meters[i]->windows[w].fits_at(count, most, now) - now);
    }
    const std::int64_t parallel = all[i].limits->of(Limit::parallel);
    if (parallel != 0 && meters[i]->under_way >= parallel) refuse(i, Limit::parallel, slot_look_again);
  }
  if (at != nullptr) ++at->refused[number(worst->limit)];
  return worst;
}

Limits::Taken Limits::take(Meter& meter, const RateLimits& limits, std::int64_t tokens, SteadyTime now) {
  Taken taken;
  taken.meter = &meter;
  ++meter.under_way;
  for (std::size_t w = 0; w < window_count; ++w) {
    const auto limit = static_cast<Limit>(w);
    if (limits.of(limit) != 0) taken.from[w] = meter.windows[w].add(counts_tokens(limit) ? tokens : 1, now);
  }
  return taken;
}

std::optional<Limits::Room> Limits::room_of(std::span<Meter* const> meters, std::span<const Limited> all, Limit minutely,
                                            Limit daily, SteadyTime now) {
  std::optional<Room> least;
  for (std::size_t i = 0; i < all.size(); ++i)
    for (const Limit limit : {minutely, daily}) {
      const std::int64_t most = all[i].limits->of(limit);
      if (most == 0) continue;
      Window& window = meters[i]->windows[number(limit)];
      const std::int64_t left = std::max<std::int64_t>(0, most - window.used(now));
      if (!least || left < least->left) least = Room{most, left, window.empty_at(now) - now};
    }
  return least;
}

std::vector<Limits::Shown> Limits::everything(SteadyTime now) {
  const std::lock_guard lock(mutex_);
  now = latest_ = std::max(latest_, now);
  std::vector<Shown> all;
  for (std::size_t by = 0; by < limited_by_count; ++by)
    for (auto& [name, meter] : meters_[by]) {
      Shown shown{static_cast<LimitedBy>(by), name, meter.limits, {}, meter.refused};
      for (std::size_t w = 0; w < window_count; ++w) shown.used[w] = meter.windows[w].used(now);
      shown.used[number(Limit::parallel)] = meter.under_way;
      all.push_back(std::move(shown));
    }
  return all;
}

Limits::Meter& Limits::meter_of(const Limited& limited) {
  Meters& meters = meters_[static_cast<std::size_t>(limited.by)];
  auto at = meters.find(limited.name);
  if (at == meters.end()) {
    at = meters.emplace(std::string(limited.name), Meter{}).first;
    ++count_;
  }
  at->second.limits = *limited.limits;
  return at->second;
}

void Limits::forget_idle(SteadyTime now) {
  count_ = 0;
  for (Meters& meters : meters_) {
    for (auto at = meters.begin(); at != meters.end();) at = is_idle(at->second, now) ? meters.erase(at) : std::next(at);
    count_ += meters.size();
  }
  forget_at_ = std::max(kept_max, 2 * count_);
}

bool Limits::is_idle(Meter& meter, SteadyTime now) {
  return meter.under_way == 0 &&
         std::all_of(meter.windows.begin(), meter.windows.end(), [now](Window& window) { return window.used(now) == 0; });
}

void Limits::Admitted::settle(std::int64_t tokens) { end(0, tokens - tokens_); }

void Limits::Admitted::withdraw() { end(-1, -tokens_); }

/// Corrects what was counted by these, and ends.
void Limits::Admitted::end(std::int64_t requests, std::int64_t tokens) {
  if (limits_ == nullptr) return;
  {
    const std::lock_guard lock(limits_->mutex_);
    for (const Taken& taken : taken_)
      for (std::size_t w = 0; w < window_count; ++w)
        if (taken.from[w])
          taken.meter->windows[w].correct(*taken.from[w], counts_tokens(static_cast<Limit>(w)) ? tokens : requests);
  }
  release();
}

void Limits::Admitted::release() {
  if (limits_ == nullptr) return;
  const std::lock_guard lock(limits_->mutex_);
  for (const Taken& taken : taken_)
    if (taken.meter != nullptr) --taken.meter->under_way;
  limits_ = nullptr;
}

}  // namespace fairlead::state
