#include "net/pool.h"

#include "net/call.h"
#include "net/dial.h"
#include "net/upstream_error.h"
#include "net/upstream_head.h"

#include <algorithm>
#include <utility>

namespace fairlead::net {

namespace {

using std::chrono::steady_clock;

Task<Result<std::unique_ptr<UpstreamAnswer>>> failed_at_once(Error error) { co_return error; }

}  // namespace

Pool::Pool(Executor executor, LookUp look_up)
    : executor_(std::move(executor)),
      counts_(std::make_shared<ConnectionCounts>()),
      idle_(std::make_shared<IdleLinks>(executor_, counts_)),
      addresses_(executor_, std::move(look_up)) {}

Pool::~Pool() { close_idle(); }

void Pool::close_idle() { idle_->close_all(); }

/// What the configuration has read is what holds: a file that changes is taken with the reload that looks it through. Then sessions
/// made under the old one are not resumed.
Result<std::shared_ptr<TlsClient>> Pool::tls_for(const Provider& provider) {
  Trust& trust = trusts_[provider.ca_file];
  if (trust.tls && trust.ca_pem == provider.ca_pem) return trust.tls;
  if (!provider.ca_file.empty() && provider.ca_pem.empty())  // not the system's store in its place
    return upstream_error(ErrorKind::upstream_tls, "the CA file was not read");
  Result<std::unique_ptr<TlsClient>> made = TlsClient::make(provider.ca_pem);
  if (!made) return upstream_error(ErrorKind::upstream_tls, made.error().message());
  trust = {std::move(*made), provider.ca_pem};
  return trust.tls;
}

Task<Result<std::unique_ptr<Link>>> Pool::connect(const UpstreamRequest& request, SendReport& report, Cancel& cancel) {
  const Provider& provider = *request.provider;
  const SteadyTime started = steady_clock::now();
  std::shared_ptr<TlsClient> tls;
  if (provider.base_url.tls) {
    Result<std::shared_ptr<TlsClient>> found = tls_for(provider);
    if (!found) co_return found.error();
    tls = std::move(*found);
  }
  const SteadyTime deadline = std::min(request.deadline, started + provider.timeouts.connect);
  Result<std::unique_ptr<Stream>> stream = co_await dial(executor_, addresses_, tls.get(), provider, deadline, cancel);
  if (!stream && stream.error().kind == ErrorKind::overloaded && idle() > 0) {
    close_idle();  // who is waiting comes before who may come
    stream = co_await dial(executor_, addresses_, tls.get(), provider, deadline, cancel);
  }
  report.connect_us = std::chrono::duration_cast<std::chrono::microseconds>(steady_clock::now() - started).count();
  if (!stream) co_return stream.error();
  co_return std::make_unique<Link>(idle_->destination_of(provider), std::move(*stream), std::move(tls), counts_);
}

// Only what may wait is a coroutine: mostly that is the call alone.
Task<Result<std::unique_ptr<UpstreamAnswer>>> Pool::send(const UpstreamRequest& request, SendReport& report, Cancel& cancel) {
  if (cancel.requested()) return failed_at_once(upstream_error(ErrorKind::app_gone, "before sending"));
  Result<std::string> head = upstream_head(request);
  if (!head) return failed_at_once(head.error());
  std::unique_ptr<Link> link;
  if (!request.fresh_connection) link = idle_->take(*request.provider);
  report.connection_reused = link != nullptr;
  if (!link) return connect_and_ask(request, std::move(*head), report, cancel);
  return ask(std::move(link), request, std::move(*head), report, cancel);
}

Task<Result<std::unique_ptr<UpstreamAnswer>>> Pool::connect_and_ask(const UpstreamRequest& request, std::string head,
                                                                    SendReport& report, Cancel& cancel) {
  Result<std::unique_ptr<Link>> link = co_await connect(request, report, cancel);
  if (!link) co_return link.error();
  co_return co_await ask(std::move(*link), request, std::move(head), report, cancel);
}

Task<Result<std::unique_ptr<UpstreamAnswer>>> Pool::ask(std::unique_ptr<Link> link, const UpstreamRequest& request,
                                                        std::string head, SendReport& report, Cancel& cancel) {
  const Provider& provider = *request.provider;
  link->idle_max = static_cast<std::size_t>(std::max(provider.idle_connections_max, 0));
  link->idle_ms_max = provider.idle_connection_ms_max;
  return Call::begin(std::make_unique<Call>(std::move(link), idle_, request, cancel), std::move(head), request.encoded->body,
                     report);
}

}  // namespace fairlead::net
