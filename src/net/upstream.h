#pragma once
// One request to a provider and its answer, as the exchange sees them. Implemented by net/pool over sockets, by fakes in tests.
// One worker's thread.
#include <fairlead/dialect.h>
#include <fairlead/snapshot.h>

#include "net/app.h"
#include "net/cancel.h"
#include "net/task.h"

#include <memory>
#include <optional>
#include <string_view>

namespace fairlead::net {

struct UpstreamRequest {
  const Provider* provider = nullptr;  ///< address, TLS, proxy, credentials' place, timeouts
  const EncodedRequest* encoded = nullptr;
  bool stream = false;            ///< asks for text/event-stream
  SteadyTime deadline;            ///< total, of the whole attempt
  bool fresh_connection = false;  ///< take none from the pool
};

/// How far a request came; filled in as it goes, and true whatever the outcome.
struct SendReport {
  bool connection_reused = false;
  bool bytes_sent = false;                 ///< something of the request went out
  bool sent_whole = false;                 ///< all of it did
  bool answer_began = false;               ///< a byte of an answer came
  std::optional<std::int64_t> connect_us;  ///< DNS, TCP, proxy and TLS; empty on a reused connection
};

/// Takes the body of an answer as it comes.
class BodySink {
 public:
  virtual ~BodySink() = default;
  /// The next bytes, never none, freed of transfer and content coding. False: no more of it is wanted. Empty: rest() is to be
  /// awaited, and tells; the bytes stay until then.
  virtual std::optional<bool> take(std::string_view bytes) = 0;
  virtual Task<bool> rest() = 0;
};

/// An answer under way: the head is here, the body is to come. Destroying it before the end closes the connection.
class UpstreamAnswer {
 public:
  virtual ~UpstreamAnswer() = default;
  virtual int status() const = 0;
  /// The first field of this name (any case), or empty; none is known any more after first_content().
  virtual std::string_view field(std::string_view name) const = 0;
  /// Once: gives the body to `sink`, up to its proper end, after which the connection is back in the pool, or until that wants no
  /// more. Errors: upstream_closed (cut), upstream_timeout (idle or total), upstream_protocol, app_gone (the Cancel was requested).
  /// Bytes alone do not end the wait for the first: see first_content().
  virtual Task<Result<void>> read(BodySink& sink) = 0;
  /// The answer's content has begun (not blank lines or comments): from here `idle` counts, until here `first_byte` does, or
  /// `buffered` of what is no stream.
  virtual void first_content() = 0;
  /// The proper end is waited for so long at most, from now, whatever the body does.
  virtual void end_within(std::chrono::milliseconds time) = 0;
};

class Upstream {
 public:
  virtual ~Upstream() = default;
  /// Sends and waits for the head of the final answer (1xx are skipped). Redirects are not followed.
  /// Errors: upstream_connect, upstream_tls (nothing was sent), upstream_timeout, upstream_closed, upstream_protocol, app_gone;
  /// overloaded (nothing was sent): no connection can be opened here.
  /// Error::retry says what may be done: reused_connection_only if a reused connection closed before any byte of an answer,
  /// within 500 ms once all was sent.
  virtual Task<Result<std::unique_ptr<UpstreamAnswer>>> send(const UpstreamRequest& request, SendReport& report,
                                                             Cancel& cancel) = 0;
};

}  // namespace fairlead::net
