#include "net/idle.h"

#include <algorithm>
#include <utility>

namespace fairlead::net {

using std::chrono::steady_clock;

Link::Link(std::unique_ptr<Stream> stream, std::shared_ptr<TlsClient> tls, std::shared_ptr<ConnectionCounts> counts)
    : counts_(std::move(counts)), tls_(std::move(tls)), stream_(std::move(stream)) {
  ++counts_->open;
}

Link::~Link() { --counts_->open; }

IdleLinks::IdleLinks(const Executor& executor, std::shared_ptr<ConnectionCounts> counts)
    : timer_(executor), counts_(std::move(counts)) {}

std::unique_ptr<Link> IdleLinks::take(const std::string& key) {
  const auto found = stacks_.find(key);
  if (found == stacks_.end()) return nullptr;
  Stack& stack = found->second;
  std::unique_ptr<Link> taken;
  while (!taken && !stack.empty()) {
    Waiting last = std::move(stack.back());
    stack.pop_back();
    --counts_->idle;
    if (last.until > steady_clock::now() && last.link->stream().is_quiet()) taken = std::move(last.link);
  }
  return taken;
}

void IdleLinks::give(std::unique_ptr<Link> link) {
  if (!link->stream().is_open() || link->idle_max == 0) return;
  link->stream().clear_deadline();
  Stack& stack = stacks_[link->key];
  if (stack.size() >= link->idle_max) {
    stack.erase(stack.begin());
    --counts_->idle;
  }
  const SteadyTime until = steady_clock::now() + link->idle_ms_max;
  stack.push_back({std::move(link), until});
  ++counts_->idle;
  sweep_later();
}

void IdleLinks::close_all() {
  stacks_.clear();
  counts_->idle = 0;
  timer_.cancel();
}

void IdleLinks::sweep_later() {
  if (sweep_is_due_ || stacks_.empty()) return;
  SteadyTime first = SteadyTime::max();
  for (const auto& [key, stack] : stacks_)
    for (const Waiting& waiting : stack) first = std::min(first, waiting.until);
  sweep_is_due_ = true;
  timer_.expires_at(first);
  timer_.async_wait([weak = weak_from_this()](boost::system::error_code) {
    if (const auto self = weak.lock()) self->sweep();
  });
}

void IdleLinks::sweep() {
  sweep_is_due_ = false;
  const SteadyTime now = steady_clock::now();
  for (auto stack = stacks_.begin(); stack != stacks_.end();) {
    const auto old = [now](const Waiting& waiting) { return waiting.until <= now; };
    counts_->idle -= std::erase_if(stack->second, old);
    stack = stack->second.empty() ? stacks_.erase(stack) : std::next(stack);
  }
  sweep_later();
}

}  // namespace fairlead::net
