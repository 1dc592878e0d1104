#pragma once
// One try of one request at one target: send, read the answer, relay it. One worker's thread.
#include <fairlead/dialect.h>

#include "exchange/drain.h"
#include "exchange/request.h"
#include "exchange/settle.h"

#include <memory>

namespace fairlead::exchange {

/// What an attempt leaves behind.
struct AttemptOutcome {
  AttemptProgress progress;
  std::optional<Milliseconds> retry_after;
  std::unique_ptr<AnswerCoder> coder;  ///< holds the bytes that `last` points into
  Pieces last;                         ///< what the app still has to get: a buffered answer whole, or the end of a stream
  bool whole = false;                  ///< the answer came to its proper end, whether an app was there for it or not

  /// Once it is over.
  AttemptEnd end() const;
};

/// One try. It ends with ask(), if that says so, or with relayed().
class Attempt final : net::BodySink {
 public:
  /// `sent_at`: as its row has it. `outcome` is as made before.
  Attempt(Request& request, const Candidate& candidate, int number, TimePoint sent_at, AttemptOutcome& outcome);

  /// Sends the request, and waits for an answer that can be relayed. False: there is none.
  Task<bool> ask(bool fresh_connection);
  /// Everything that the app may see goes out as it comes, but for the end, which waits for the books. What it gives is for
  /// relayed(), which puts the end into `outcome`.
  Task<Result<void>> relay() { return upstream_->read(*this); }
  void relayed(const Result<void>& read);

 private:
  std::optional<bool> take(std::string_view bytes) override;
  Task<bool> rest() override;
  bool passed(bool sent);
  bool goes_on();
  Task<void> take_refusal();
  void end(const Result<void>& result);
  bool start_answer();
  void note_content();
  bool may_pass() const;
  void note_passed();

  static thread_local Pieces pieces_;  ///< from bytes that came to the write of them: a stream that waits holds none
  Request& request_;
  const Target& target_;
  int number_;
  AttemptOutcome& outcome_;
  AttemptProgress& progress_;  ///< of the outcome
  Drain drain_;
  std::unique_ptr<net::UpstreamAnswer> upstream_;
  Result<void> fed_;   ///< what the coder said of the bytes that are being passed on
  const bool stream_;  ///< the app asked for one
  bool content_ = false;
};

}  // namespace fairlead::exchange
