#include "exchange/relay.h"

#include <utility>

namespace fairlead::exchange {
namespace {

constexpr std::chrono::seconds quiet_before_keep_alive{10};  ///< comments of a waiting provider reach the app from then on

}  // namespace

Error app_hung_up() { return {ErrorKind::app_gone, ErrorOrigin::app, "the app hung up"}; }

Task<Result<void>> Relay::run() {
  for (;;) {
    auto bytes = co_await upstream_.read();
    const bool ended = outcome_.coder->ended();  // and takes no harm from what goes wrong behind its end
    if (!bytes && !ended) co_return bytes.error();
    pieces_.clear();
    if (!bytes || bytes->empty()) {
      auto end = outcome_.coder->finish(pieces_);
      outcome_.last = pieces_;
      co_return end;
    }
    drain_.took(bytes->size());
    if (ended) continue;
    const auto fed = outcome_.coder->feed(*bytes, pieces_);
    note_content();
    if (request_.facts.stream && !pieces_.empty() && !drain_.active() && may_pass()) {
      bool sent = true;
      if (!request_.answer.committed()) {
        const net::Fields fields = answer_fields(request_, &target_, number_);
        auto started = co_await request_.answer.start(200, fields);
        sent = started.has_value();
      }
      if (sent) {
        if (content_) request_.note_content_sent();
        auto written = co_await request_.answer.write(pieces_);
        sent = written.has_value();
      }
      if (!sent && !drain_.possible()) co_return app_hung_up();
      if (!sent) request_.cancel.request();  // read on, for the books
      if (sent) note_passed();
    }
    if (!fed) co_return fed;
    if (outcome_.coder->ended()) upstream_.last_content();
  }
}

void Relay::note_content() {
  // An answer in one piece shows nothing before its end, but it has begun.
  if (!request_.facts.stream && outcome_.coder->summary().content_bytes > 0) upstream_.first_content();
  if (content_ || !outcome_.coder->summary().content_started) return;
  content_ = true;
  upstream_.first_content();
  outcome_.progress.phase = Phase::relay;
  outcome_.progress.first_byte_us =
      std::chrono::duration_cast<std::chrono::microseconds>(request_.world.now() - outcome_.progress.sent_at).count();
}

/// Until content comes these are only the provider's signs of life: worth sending to an app that has waited for a while,
/// and no obstacle to another target's answer.
bool Relay::may_pass() const {
  return content_ || request_.answer.committed() || request_.world.steady_now() - request_.started >= quiet_before_keep_alive;
}

void Relay::note_passed() {
  if (request_.repeat) request_.repeat->note(pieces_);
  if (request_.first_byte_us) return;
  request_.first_byte_us =
      std::chrono::duration_cast<std::chrono::microseconds>(request_.world.steady_now() - request_.started).count();
}

}  // namespace fairlead::exchange
