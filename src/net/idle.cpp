#include "net/idle.h"

#include <algorithm>
#include <utility>

namespace fairlead::net {

using std::chrono::steady_clock;

Destination::Destination(const Provider& provider)
    : name(provider.name),
      base_url(provider.base_url),
      ca_file(provider.ca_file),
      ca_pem(provider.ca_pem),
      proxy(provider.proxy),
      proxy_authorization(provider.proxy_authorization) {}

bool Destination::is_of(const Provider& provider) const {
  return name == provider.name && base_url == provider.base_url && ca_file == provider.ca_file && ca_pem == provider.ca_pem &&
         proxy == provider.proxy && proxy_authorization == provider.proxy_authorization;
}

Link::Link(std::shared_ptr<const Destination> to, std::unique_ptr<Stream> stream, std::shared_ptr<TlsClient> tls,
           std::shared_ptr<ConnectionCounts> counts)
    : destination(std::move(to)), counts_(std::move(counts)), tls_(std::move(tls)), stream_(std::move(stream)) {
  ++counts_->open;
}

Link::~Link() { --counts_->open; }

IdleLinks::IdleLinks(const Executor& executor, std::shared_ptr<ConnectionCounts> counts)
    : timer_(executor), counts_(std::move(counts)) {}

IdleLinks::Stack* IdleLinks::find(const Provider& provider) {
  for (Stack& stack : stacks_)
    if (stack.destination->is_of(provider)) return &stack;
  return nullptr;
}

std::shared_ptr<const Destination> IdleLinks::destination_of(const Provider& provider) {
  if (const Stack* stack = find(provider)) return stack->destination;
  return stacks_.emplace_back(Stack{std::make_shared<const Destination>(provider)}).destination;
}

std::unique_ptr<Link> IdleLinks::take(const Provider& provider) {
  Stack* const stack = find(provider);
  if (stack == nullptr) return nullptr;
  std::unique_ptr<Link> taken;
  while (!taken && !stack->links.empty()) {
    Waiting last = std::move(stack->links.back());
    stack->links.pop_back();
    --counts_->idle;
    if (last.until > steady_clock::now() && last.link->stream().is_quiet()) taken = std::move(last.link);
  }
  return taken;
}

void IdleLinks::give(std::unique_ptr<Link> link) {
  if (!link->stream().is_open() || link->idle_max == 0) return;
  link->stream().clear_deadline();
  const auto stack =
      std::find_if(stacks_.begin(), stacks_.end(), [&](const Stack& s) { return s.destination == link->destination; });
  if (stack->links.size() >= link->idle_max) {
    stack->links.erase(stack->links.begin());
    --counts_->idle;
  }
  const SteadyTime until = steady_clock::now() + link->idle_ms_max;
  stack->links.push_back({std::move(link), until});
  ++counts_->idle;
  sweep_by(until);
}

void IdleLinks::close_all() {
  for (Stack& stack : stacks_) stack.links.clear();
  counts_->idle = 0;
  sweep_at_ = SteadyTime::max();
  timer_.cancel();
}

/// Then, or before.
void IdleLinks::sweep_by(SteadyTime at) {
  if (at >= sweep_at_) return;
  sweep_at_ = at;
  timer_.expires_at(at);
  timer_.async_wait([weak = weak_from_this()](boost::system::error_code ec) {
    if (ec == asio::error::operation_aborted) return;
    if (const auto self = weak.lock()) self->sweep();
  });
}

void IdleLinks::sweep() {
  const SteadyTime now = steady_clock::now();
  SteadyTime first = SteadyTime::max();
  for (Stack& stack : stacks_) {
    counts_->idle -= std::erase_if(stack.links, [now](const Waiting& waiting) { return waiting.until <= now; });
    for (const Waiting& waiting : stack.links) first = std::min(first, waiting.until);
  }
  std::erase_if(stacks_, [](const Stack& stack) { return stack.links.empty() && stack.destination.use_count() == 1; });
  sweep_at_ = SteadyTime::max();
  sweep_by(first);
}

}  // namespace fairlead::net
