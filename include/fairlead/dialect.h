#pragma once
// The seam of wire formats: one dialect per file of src/dialect/. Everything here is pure: bytes in, bytes out.
#include <fairlead/request.h>
#include <fairlead/result.h>
#include <fairlead/snapshot.h>
#include <fairlead/text.h>
#include <fairlead/usage.h>

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fairlead {

/// Bytes in order, not owned.
using Pieces = std::vector<std::string_view>;

/// What to send to a provider. `body` may point into the ChatRequest and into `owned`; so it moves, and is not copied.
struct EncodedRequest {
  std::string_view path;                                         ///< after the base URL's, e.g. "/chat/completions"; a literal
  std::vector<std::pair<std::string_view, std::string>> fields;  ///< of the dialect, credentials included; names are literals
  Pieces body;
  std::vector<std::unique_ptr<std::string>> owned;
  std::size_t body_bytes() const;
};

/// What an answer told of itself, so far.
struct AnswerSummary {
  Usage usage;                                   ///< of the last report; never a sum
  UsageSource usage_source = UsageSource::none;  ///< none: nothing reported yet; invalid: absurd figures came
  bool usage_of_whole = false;                   ///< all choices had ended when it was reported last: it is no running total
  std::optional<Int128> reported_usd_pico;       ///< what the provider said that it costs, last seen; empty: it did not
  std::string model;                             ///< as the provider said
  std::string id;                                ///< the provider's id of the answer
  std::string finish_reason;                     ///< of the first choice, last seen
  std::optional<ServiceTier> service_tier;       ///< that served it, as the provider said, last seen
  int choices = 0;                               ///< that came, once it has come whole
  std::size_t content_bytes = 0;                 ///< of text, reasoning and tool arguments, JSON unescaped or not: for estimates
  bool content_started = false;                  ///< something that the app can see came
  bool reasoning_shown = false;                  ///< a part of the content is reasoning
};

struct AnswerOptions {
  AnswerModel answer_model = AnswerModel::provider;
  std::string asked_model;  ///< the name for AnswerModel::asked
  std::size_t event_bytes_max = 16 << 20;
  std::size_t answer_bytes_max = 64 << 20;
  /// Decimal USD of what was reported so far, for the usage chunk of a stream; may be empty, then nothing is added.
  std::function<std::string(const AnswerSummary&)> cost_usd;
};

/// Turns one provider's answer into the app's, as it comes. One object per attempt; not shared.
class AnswerCoder {
 public:
  virtual ~AnswerCoder() = default;
  /// Takes bytes of the body and appends to `out` what the app may see now. The end of the answer is held back until finish().
  /// Views in `out` stay valid until the next call and may point into `bytes`.
  /// Errors: upstream_error_event, upstream_protocol (not JSON, over a limit). Nothing more may be fed then.
  virtual Result<void> feed(std::string_view bytes, Pieces& out) = 0;
  /// The provider has said that the answer is over, and all of it came: whatever follows, finish() may be called.
  virtual bool ended() const { return false; }
  /// The body ended properly, or the answer has ended(). Appends what is left: a buffered answer whole, or the end of a stream.
  /// Errors: upstream_closed if the answer is not complete, though its body is; upstream_protocol, upstream_error_event.
  virtual Result<void> finish(Pieces& out) = 0;
  virtual const AnswerSummary& summary() const = 0;
  /// What the content so far is written in, as it stands in JSON; of a buffered answer that is not whole, all of it that came.
  virtual TextBytes content() const = 0;
};

class Dialect {
 public:
  virtual ~Dialect() = default;

  // The apps' side.
  /// Errors: bad_request with `param`, for what is not JSON (duplicate keys, depth, encoding) or lacks what routing needs.
  virtual Result<ChatRequest> parse_request(Bytes body) const = 0;
  /// A whole error answer. `code` may be empty (null on the wire).
  virtual std::string error_body(const Error& error, std::string_view type, std::string_view code) const = 0;
  /// The same as the last event of a stream.
  virtual std::string error_event(const Error& error, std::string_view type, std::string_view code) const = 0;

  // The providers' side.
  /// Errors: bad_request if the request cannot be said to this provider.
  virtual Result<EncodedRequest> encode_request(const ChatRequest& request, const Target& target) const = 0;
  /// The coder outlives the request.
  virtual std::unique_ptr<AnswerCoder> answer_coder(const ChatRequest& request, const Target& target,
                                                    AnswerOptions options) const = 0;
  /// What a non-2xx answer means, read whole or up to a limit: kind, retry, a message that the app may see (with the provider's own
  /// text, without secrets), and the provider's `param` and `code`.
  virtual Error read_refusal(int status, std::string_view body, const Target& target) const = 0;
};

/// By the name of its file; null if there is none.
const Dialect* find_dialect(std::string_view name);
std::vector<std::string_view> dialect_names();

}  // namespace fairlead
