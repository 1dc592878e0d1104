#include "exchange/drain.h"

namespace fairlead::exchange {

Drain::Drain(net::Cancel& app, const Provider& provider, const net::SendReport& report, std::size_t bytes_max,
             const Executor& executor)
    : app_(app), report_(report), bytes_left_(bytes_max) {
  if (!provider.drain_ms_max) return;
  own_ = std::make_shared<Own>(executor);
  app_.set_hook([this, time_max = *provider.drain_ms_max] { begin(time_max); });
}

Drain::~Drain() {
  if (own_) app_.clear_hook();
}

void Drain::begin(Milliseconds time_max) {
  if (app_.hurried()) return own_->cancel.request(net::Cancel::Reason::draining);
  if (!report_.bytes_sent) return own_->cancel.request();
  own_->timer.expires_after(time_max);
  own_->timer.async_wait([own = std::weak_ptr(own_)](boost::system::error_code error) {
    const auto still = own.lock();
    if (!error && still) still->cancel.request();
  });
}

void Drain::took(std::size_t bytes) {
  if (!active()) return;
  if (bytes > bytes_left_) return own_->cancel.request();
  bytes_left_ -= bytes;
}

}  // namespace fairlead::exchange
