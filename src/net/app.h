#pragma once
// What a request of an app, and the answer to it, look like to the exchange. Implemented by net/server over sockets, by fakes in
// tests. One worker's thread.
#include <fairlead/dialect.h>
#include <fairlead/snapshot.h>

#include "net/body_memory.h"
#include "net/cancel.h"
#include "net/field.h"
#include "net/task.h"

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fairlead::net {

/// A request that passed the framing gate. Views point into `head`.
struct AppRequest {
  std::string head;  ///< as it came
  std::string_view method;
  std::string_view path;   ///< without the query, as sent (never decoded: an escaped slash is not a slash)
  std::string_view query;  ///< after '?'; may be empty
  std::vector<Field> fields;
  Bytes body;                ///< whole, after transfer and content coding
  std::string peer;          ///< "127.0.0.1:50312"
  BodyMemory::Share memory;  ///< of its body, if that is large
  /// The first field of this name (any case), or empty.
  std::string_view field(std::string_view name) const;
};

/// A part of a path, decoded. The gate lets no broken escape pass; one would stay as it is.
std::string unescaped(std::string_view part);

/// Names outlive the answer: they are literals.
using Fields = std::vector<std::pair<std::string_view, std::string>>;

/// An answer in one piece.
struct WholeAnswer {
  int status = 200;
  Fields fields;
  std::string body;
};

/// The answer to one request: either send(), or start(), write()..., finish(). An Error (app_gone) means that the app will see no
/// more, and nothing further need be sent. Content-Length, Transfer-Encoding, Connection and Date are added here.
class AppAnswer {
 public:
  virtual ~AppAnswer() = default;
  /// A whole answer, with a Content-Length.
  virtual Task<Result<void>> send(int status, const Fields& fields, std::span<const std::string_view> body) = 0;
  /// The head of a chunked answer; it goes out with the first write.
  virtual Result<void> start(int status, const Fields& fields) = 0;
  /// One chunk, in one gathered write. No pieces: only the head, if it is still here. Empty: not all of it could go out at once;
  /// then write_on() has the rest, and the pieces' bytes must stay until it ends.
  virtual std::optional<Result<void>> write_now(std::span<const std::string_view> pieces) = 0;
  virtual Task<Result<void>> write_on() = 0;
  /// The last pieces (may be none) and the end of the chunked answer, in one write.
  virtual Task<Result<void>> finish(std::span<const std::string_view> pieces) = 0;
  /// The connection is closed without the proper end of the answer, after what was written.
  virtual void abort() = 0;
  /// Something of the answer has gone out: no other status can be sent any more.
  virtual bool committed() const = 0;
  /// From here to the end of the answer, `cancel` is requested as soon as the app is known to be gone (RST, or FIN).
  virtual void watch(Cancel& cancel) = 0;
};

/// What a server calls for every request that came whole. It answers exactly once, and never throws. The request is its own, and
/// freed once nothing of it is needed: an answer may stream for minutes.
class AppHandler {
 public:
  virtual ~AppHandler() = default;
  virtual Task<void> handle(std::unique_ptr<AppRequest> request, AppAnswer& answer) = 0;
  /// Asked with the head alone, before a body that is compressed, or may be over 64 KiB, is read. False: handle() is called without
  /// one, and the connection is closed after its answer. So nobody fills memory who has no business here.
  virtual bool wants_body(const AppRequest& head) const = 0;
  /// What the server says by itself, of a request that is none (bad framing, too large, too slow) or got no answer.
  virtual WholeAnswer error_answer(const Error& error) = 0;
  /// The limits in force for the next request.
  virtual Limits limits() const = 0;
};

}  // namespace fairlead::net
