#include "net/call.h"

#include "net/cancel_scope.h"
#include "net/upstream_error.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace fairlead::net {

namespace {

using std::chrono::steady_clock;

constexpr std::size_t inflated_bytes_max = 16 << 20;        // of one read
constexpr std::chrono::milliseconds stale_ms_max{500};      // what closes later may have been at work on the request
constexpr std::chrono::milliseconds unheard_ms_max{1'000};  // who took nothing more for so long, and has answered, will not listen

}  // namespace

Call::Call(std::unique_ptr<Link> link, std::shared_ptr<IdleLinks> idle, const UpstreamRequest& request, Cancel& cancel)
    : link_(std::move(link)),
      cancel_(cancel),
      timeouts_(request.provider->timeouts),
      total_until_(request.deadline),
      first_byte_until_(steady_clock::now() + timeouts_.first_byte),
      idle_(std::move(idle)) {
  if (!request.stream) timeouts_.first_byte = timeouts_.buffered;
}

SteadyTime Call::deadline() const {
  return std::min(total_until_, content_began_ ? steady_clock::now() + timeouts_.idle : first_byte_until_);
}

Error Call::fail(Error error) {
  link_.reset();
  return error;
}

Task<Result<std::unique_ptr<UpstreamAnswer>>> Call::begin(std::unique_ptr<Call> call, std::string head, const Pieces& body,
                                                          SendReport& report) {
  std::vector<std::string_view> pieces;
  pieces.reserve(1 + body.size());
  pieces.push_back(head);
  pieces.insert(pieces.end(), body.begin(), body.end());
  Stream& stream = call->link_->stream();
  const CancelScope scope(call->cancel_, [&stream] { stream.close(); });
  stream.set_deadline(call->deadline());
  auto written = stream.write_now(pieces);
  // Somebody who has answered may listen no more.
  for (std::size_t before = 0; !written;) {
    stream.set_deadline(std::min(call->deadline(), steady_clock::now() + unheard_ms_max));
    written = co_await stream.write_on(pieces);
    if (written->first != asio::error::timed_out || steady_clock::now() >= call->deadline()) break;
    const bool listens = std::exchange(before, written->second) != written->second;
    if (listens || stream.is_quiet())
      written.reset();
    else
      written->first = asio::error::shut_down;
  }
  Result<void> well = call->sent(written->first, written->second, report);
  if (!well) co_return call->fail(well.error());
  while (!call->response_.has_head()) {
    stream.set_deadline(call->deadline());
    const auto [ec, bytes] = co_await stream.read_some(call->response_);
    report.answer_began |= bytes > 0;
    well = call->took(ec, bytes, report.sent_whole ? "waiting for the answer" : "sending");
    if (!well) co_return call->fail_unanswered(well.error(), report);
  }
  call->unread_ = call->response_.body();
  well = call->check_head();
  if (!well) co_return call->fail(well.error());
  co_return std::unique_ptr<UpstreamAnswer>(std::move(call));
}

/// A provider that stops listening may have said why (413, 401): what it said is its answer.
Result<void> Call::sent(boost::system::error_code ec, std::size_t bytes, SendReport& report) {
  report.bytes_sent = bytes > 0;
  report.sent_whole = sent_whole_ = !ec;
  if (ec == asio::error::timed_out || cancel_.requested()) return stream_error(ec, cancel_, ErrorKind::upstream_closed, "sending");
  sent_at_ = steady_clock::now();
  first_byte_until_ = sent_at_ + timeouts_.first_byte;
  return {};
}

/// Stale: the provider had closed the connection, or was about to, before it saw the request.
Error Call::fail_unanswered(Error error, const SendReport& report) {
  const bool closed_unanswered = error.kind == ErrorKind::upstream_closed && !report.answer_began;
  const bool soon = !report.sent_whole || steady_clock::now() - sent_at_ < stale_ms_max;
  if (closed_unanswered && report.connection_reused && soon) error.retry = Retry::reused_connection_only;
  return fail(std::move(error));
}

Result<void> Call::check_head() {
  const int status = response_.status();
  if (status < 200 || status > 599) return protocol_error("status " + std::to_string(status));
  const std::string_view coding = response_.field("Content-Encoding");
  if (coding.empty() || equal_any_case(coding, "identity")) return {};
  if (!equal_any_case(coding, "gzip") && !equal_any_case(coding, "x-gzip") && !equal_any_case(coding, "deflate")) {
    if (status > 299) return {};  // a refusal holds whatever its words are
    return protocol_error("a content coding that was not asked for");
  }
  inflater_ = std::make_unique<wire::Inflater>();
  return {};
}

// Where a stream waits for its next token, which takes no frame but this one.
Task<Result<void>> Call::read(BodySink& sink) {
  const CancelScope scope(cancel_, [this] {
    if (link_) link_->stream().close();
  });
  std::string_view bytes = std::exchange(unread_, {});
  for (;;) {
    const auto decoded = decode(bytes);
    if (!decoded) co_return fail(decoded.error());
    if (!decoded->empty()) {
      std::optional<bool> more = sink.take(*decoded);
      if (!more) {
        more = co_await sink.rest();
        if (*more && steady_clock::now() >= total_until_)  // whoever takes it slowly has no longer
          co_return fail(stream_error(asio::error::timed_out, cancel_, ErrorKind::upstream_closed, "reading the answer"));
      }
      if (!*more) co_return boost::system::in_place_value;
    }
    if (response_.is_whole()) co_return finish();
    Stream& stream = link_->stream();
    stream.set_deadline(deadline());
    auto got = stream.read_now(response_);
    if (!got && stream.must_wait()) {
      const auto [woken] = co_await stream.readable();
      got = stream.read_woken(response_, woken);
    }
    if (!got) got = co_await stream.read_some(response_);
    const Result<void> received = took(got->first, got->second, "reading the answer");
    if (!received) co_return fail(received.error());
    bytes = response_.body();
  }
}

Result<void> Call::took(boost::system::error_code ec, std::size_t bytes, const char* doing) {
  if (ec == asio::error::eof && !cancel_.requested()) return response_.end();
  if (ec) return stream_error(ec, cancel_, ErrorKind::upstream_closed, doing);
  return response_.take(bytes);
}

Result<std::string_view> Call::decode(std::string_view bytes) {
  if (!inflater_ || bytes.empty()) return bytes;
  coded_began_ = true;
  inflated_.clear();
  const Result<void> fed = inflater_->feed(bytes, inflated_, inflated_bytes_max);
  if (!fed) return protocol_error("its content coding: " + fed.error().message());
  return inflated_;
}

Result<void> Call::finish() {
  const std::unique_ptr<wire::Inflater> inflater = std::move(inflater_);
  if (link_ && sent_whole_ && response_.keeps_alive() && !response_.has_surplus()) idle_->give(std::move(link_));
  link_.reset();
  if (inflater && coded_began_ && !inflater->finished())
    return upstream_error(ErrorKind::upstream_closed, "its compressed body is cut");
  return {};
}

}  // namespace fairlead::net
