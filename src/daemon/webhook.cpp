#include "daemon/webhook.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <chrono>
#include <exception>
#include <utility>

#include "daemon/log.h"

namespace fairlead::daemon {
namespace {

constexpr auto use_webhook_task = asio::use_awaitable_t<Executor>();
constexpr Timeouts webhook_timeouts{Milliseconds{5'000}, Milliseconds{10'000}, Milliseconds{10'000}, Milliseconds{15'000}};

}  // namespace

Webhook::Webhook(Executor executor)
    : executor_(executor), pool_(executor), pause_(executor), cancel_(std::make_unique<net::Cancel>()) {}

void Webhook::tell(const Url& url, std::string json) {
  if (stopped_) return;
  if (waiting_.size() >= waiting_max) return log(Level::error, "webhook_dropped", {{"reason", "too many wait to be told"}});
  waiting_.push_back({url, std::move(json)});
  if (std::exchange(runs_, true)) return;
  asio::co_spawn(executor_, run(), [this](const std::exception_ptr&) { runs_ = false; });
}

void Webhook::stop() {
  if (std::exchange(stopped_, true)) return;
  if (!waiting_.empty()) log(Level::warn, "webhook_dropped", {{"reason", "stopping"}, {"messages", waiting_.size()}});
  cancel_->request();
  pause_.cancel();
}

Task<void> Webhook::run() {
  while (!waiting_.empty() && !stopped_) {
    const Message& message = waiting_.front();  // until it is told or given up it waits, so that a stop counts it
    Milliseconds wait = wait_min;
    for (int tries = 1; !stopped_; ++tries, wait = std::min(2 * wait, wait_max)) {
      bool heard = false;
      const std::string answer = co_await send(message, heard);
      if (heard || stopped_) break;
      ++failures_;
      const bool last = tries == tries_max;
      log(last ? Level::error : Level::warn, last ? "webhook_dropped" : "webhook_failed", {{"reason", answer}, {"tries", tries}});
      if (last) break;
      boost::system::error_code ignored;
      pause_.expires_after(wait);
      co_await pause_.async_wait(asio::redirect_error(use_webhook_task, ignored));
    }
    waiting_.pop_front();
  }
  pool_.close_idle();
}

Task<std::string> Webhook::send(const Message& message, bool& heard) {
  Provider there;
  there.name = "webhook";
  there.base_url = message.url;
  there.timeouts = webhook_timeouts;
  const std::string path = std::exchange(there.base_url.path, "");
  EncodedRequest encoded;
  encoded.path = path.empty() ? std::string_view("/") : std::string_view(path);
  encoded.fields.emplace_back("Content-Type", "application/json");
  encoded.body.push_back(message.json);
  net::UpstreamRequest request;
  request.provider = &there;
  request.encoded = &encoded;
  request.deadline = std::chrono::steady_clock::now() + webhook_timeouts.total;
  request.fresh_connection = true;
  net::SendReport report;
  auto answer = co_await pool_.send(request, report, *cancel_);
  if (!answer) co_return answer.error().message();
  const int status = (*answer)->status();
  heard = status >= 200 && status < 300;
  co_return "HTTP " + std::to_string(status);
}

}  // namespace fairlead::daemon
