#pragma once
// The world's errors as values. Used everywhere; plain values, safe to share between threads.
#include <boost/system/result.hpp>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace fairlead {

/// What went wrong. The HTTP status and the OpenAI error type of each kind are in exchange/app_error.cpp.
enum class ErrorKind : std::uint8_t {
  // the app's side
  bad_request,         ///< malformed HTTP, JSON or field
  unauthorized,        ///< no key, or one that we do not know
  policy,              ///< every target is refused by a policy
  unknown_model,       ///< no such route or target for this key
  not_found,           ///< no such path
  method_not_allowed,  ///< the path exists, the method does not
  body_too_large,
  head_too_large,
  unsupported_media,  ///< a Content-Type or Content-Encoding that we do not take
  request_timeout,    ///< the app was too slow to send its request
  app_gone,           ///< the app hung up
  // our own
  no_candidate,             ///< no target can serve what the request needs
  overloaded,               ///< too much is under way
  rate_limited,             ///< a limit of the key, team or route
  idempotency_in_progress,  ///< the request that this one repeats is under way
  idempotency_mismatch,     ///< its Idempotency-Key was used for another body
  idempotency_gone,         ///< the request that this one repeats was served, and its answer is not kept
  over_budget,              ///< a budget or credit is spent, or would be overrun
  ledger_unavailable,       ///< the ledger cannot be written: nothing may be sent
  draining,                 ///< the daemon is going down
  config,                   ///< a configuration error
  io,                       ///< a file, socket or thread of ours failed
  internal,
  // the provider's side
  upstream_connect,      ///< DNS, TCP or proxy failure: nothing was sent
  upstream_tls,          ///< handshake or verification failure: nothing was sent
  upstream_timeout,      ///< a connect, first-byte, idle or total deadline passed
  upstream_closed,       ///< the connection ended before the answer did
  upstream_protocol,     ///< not HTTP, not JSON, not SSE, a redirect, or over a limit
  upstream_rate_limit,   ///< slow down: 429 and its like
  upstream_no_money,     ///< the account is out of credit
  upstream_auth,         ///< our credential was refused
  upstream_refused,      ///< the provider finds the request itself wrong
  upstream_filtered,     ///< the provider's content filter
  upstream_unavailable,  ///< 408, 409, 5xx
  upstream_error_event,  ///< an error inside an answer that had begun
};

enum class ErrorOrigin : std::uint8_t { app, fairlead, provider };

/// May the same request be tried again? `before_commit`: at another candidate, and with backoff at the same target, while the
/// app has seen nothing. `reused_connection_only`: once more at the same target, on a fresh connection. `larger_window`: where a
/// route falls back on that, at a candidate whose context is longer.
enum class Retry : std::uint8_t { never, before_commit, reused_connection_only, larger_window };

/// Its words lie apart: errors are rare, and room for a result is in every frame that waits.
class Error {
 public:
  Error() = default;
  Error(ErrorKind kind_, ErrorOrigin origin_, std::string message, std::string detail = {}, Retry retry_ = Retry::never)
      : kind(kind_),
        origin(origin_),
        retry(retry_),
        words_(std::make_unique<Words>(Words{std::move(message), std::move(detail), {}, {}})) {}
  Error(const Error& other)
      : kind(other.kind),
        origin(other.origin),
        retry(other.retry),
        words_(other.words_ ? std::make_unique<Words>(*other.words_) : nullptr) {}
  Error(Error&&) noexcept = default;
  Error& operator=(Error other) noexcept {
    kind = other.kind, origin = other.origin, retry = other.retry;
    words_ = std::move(other.words_);
    return *this;
  }
  ~Error() = default;

  ErrorKind kind = ErrorKind::internal;
  ErrorOrigin origin = ErrorOrigin::fairlead;
  Retry retry = Retry::never;

  const std::string& message() const { return words().message; }  ///< safe for the app: no secret, no host name, no prompt
  const std::string& detail() const { return words().detail; }    ///< for the log, redacted
  const std::string& param() const { return words().param; }      ///< the field at fault, as a path in the app's JSON; may be empty
  const std::string& code() const { return words().code; }        ///< OpenAI's or the provider's own, as a string; may be empty
  void set_message(std::string message) { own_words().message = std::move(message); }
  void set_detail(std::string detail) { own_words().detail = std::move(detail); }
  void set_param(std::string param) { own_words().param = std::move(param); }
  void set_code(std::string code) { own_words().code = std::move(code); }

 private:
  struct Words {
    std::string message, detail, param, code;
  };
  const Words& words() const {
    static const Words none;
    return words_ ? *words_ : none;
  }
  Words& own_words() {
    if (!words_) words_ = std::make_unique<Words>();
    return *words_;
  }

  std::unique_ptr<Words> words_;  ///< null: all empty
};

[[noreturn]] inline void throw_exception_from_error(const Error& error, const boost::source_location&) {
  throw std::logic_error("unchecked result: " + error.message());
}

template <class T>
using Result = boost::system::result<T, Error>;

/// The name of a kind as it stands in rows, logs and metrics, e.g. "upstream_timeout".
std::string_view to_string(ErrorKind kind);
std::string_view to_string(ErrorOrigin origin);

}  // namespace fairlead
