#pragma once
// One request and its answer on one connection. Made by Pool. One worker's thread.
#include "net/cancel.h"
#include "net/idle.h"
#include "net/response.h"
#include "net/upstream.h"
#include "wire/inflate.h"

#include <algorithm>
#include <chrono>
#include <memory>
#include <string>

namespace fairlead::net {

class Call final : public UpstreamAnswer {
 public:
  /// `cancel` must outlive every wait; the link goes back to `idle` after a clean answer, and is closed otherwise.
  Call(std::unique_ptr<Link> link, std::shared_ptr<IdleLinks> idle, const UpstreamRequest& request, Cancel& cancel);

  /// Sends the request, and waits for the head of an answer that may be read on, which it is then. `report` tells how far it came.
  static Task<Result<std::unique_ptr<UpstreamAnswer>>> begin(std::unique_ptr<Call> call, std::string head, const Pieces& body,
                                                             SendReport& report);

  int status() const override { return response_.status(); }
  std::string_view field(std::string_view name) const override { return response_.field(name); }
  Task<Result<void>> read(BodySink& sink) override;
  void first_content() override {
    content_began_ = true;
    response_.forget_fields();
  }
  void end_within(std::chrono::milliseconds time) override {
    total_until_ = std::min(total_until_, std::chrono::steady_clock::now() + time);
  }

 private:
  Result<void> sent(boost::system::error_code ec, std::size_t bytes, SendReport& report);
  Error fail_unanswered(Error error, const SendReport& report);
  /// What a read brought.
  Result<void> took(boost::system::error_code ec, std::size_t bytes, const char* doing);
  Result<void> check_head();
  Result<std::string_view> decode(std::string_view bytes);
  Result<void> finish();
  Error fail(Error error);
  SteadyTime deadline() const;

  // What each read touches comes first: a stream among thousands finds none of it in the caches.
  std::unique_ptr<Link> link_;  ///< null after the end
  Cancel& cancel_;
  Timeouts timeouts_;
  SteadyTime total_until_, first_byte_until_;
  std::string_view unread_;  ///< came with the head
  std::unique_ptr<wire::Inflater> inflater_;
  bool coded_began_ = false;  ///< an empty body is no compressed one, whatever the head says
  bool content_began_ = false;
  bool sent_whole_ = false;
  Response response_;
  std::string inflated_;
  SteadyTime sent_at_;
  std::shared_ptr<IdleLinks> idle_;
};

}  // namespace fairlead::net
