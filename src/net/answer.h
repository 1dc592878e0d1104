#pragma once
// The answer to one request over an app's connection: HTTP/1 heads and chunks. Made by net/connection. One worker's thread.
#include "net/app.h"
#include "net/framing.h"
#include "net/http_date.h"
#include "net/lookout.h"
#include "net/stream.h"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace fairlead::net {

/// What the request and the server ask of the answer's form.
struct AnswerForm {
  bool http_1_0 = false;   ///< no chunks: such an answer ends with its connection
  bool head_only = false;  ///< the request's method was HEAD
  bool keep_alive = true;
  Milliseconds write_ms_max{};

  void follow(const Head& head) {
    http_1_0 = head.http_1_0;
    head_only = head.method == "HEAD";
    keep_alive = head.keep_alive;
  }
};

class SocketAnswer final : public AppAnswer {
 public:
  SocketAnswer(Stream& stream, HttpDate& date, Lookout& lookout, AnswerForm form)
      : stream_(stream), date_(date), lookout_(lookout), form_(form) {}
  ~SocketAnswer() override { stream_.stop_watch(); }
  SocketAnswer(const SocketAnswer&) = delete;
  SocketAnswer& operator=(const SocketAnswer&) = delete;

  Task<Result<void>> send(int status, const Fields& fields, std::span<const std::string_view> body) override;
  Result<void> start(int status, const Fields& fields) override;
  std::optional<Result<void>> write_now(std::span<const std::string_view> pieces) override;
  Task<Result<void>> write_on() override;
  Task<Result<void>> finish(std::span<const std::string_view> pieces) override;
  void abort() override;
  bool committed() const override { return committed_; }
  void watch(Cancel& cancel) override;

  /// No further request on this connection; said in the head, if that is still here.
  void close_after() { form_.keep_alive = false; }
  /// Ends the work under way for it: as if the app had hung up.
  void give_up();
  /// The same while the app is still there: its last words can be sent.
  void hurry();
  /// The Cancel of watch() is about to be gone.
  void forget_cancel() { cancel_ = nullptr; }

  /// Whole, and all of it was written.
  bool complete() const { return whole_; }
  bool unanswered() const { return state_ == State::nothing && !gone_; }
  bool keep_alive() const { return form_.keep_alive; }

 private:
  enum class State : std::uint8_t { nothing, started, ended };

  /// `length`: of the body; empty: it is not known yet.
  void make_head(int status, const Fields& fields, std::optional<std::size_t> length);
  void gather_chunk(std::span<const std::string_view> pieces, bool last);
  std::string_view size_line(std::size_t bytes);
  Task<Result<void>> flush();
  std::optional<Result<void>> flush_now();
  Result<void> flushed(boost::system::error_code error);
  void end();

  static thread_local Pieces gathered_;  ///< for the write that follows: a stream that waits holds none
  Stream& stream_;
  HttpDate& date_;
  Lookout& lookout_;
  AnswerForm form_;
  State state_ = State::nothing;
  bool committed_ = false;
  bool gone_ = false;
  bool whole_ = false;
  std::string head_;  ///< empty once it went out
  std::array<char, 24> size_line_;
  Pieces waiting_;  ///< of the write under way, which could not go out at once
  Cancel* cancel_ = nullptr;
  Lookout::Turn turn_;
};

}  // namespace fairlead::net
