#include "exchange/api.h"

#include <fairlead/near.h>

#include <array>
#include <utility>

#include "exchange/models.h"
#include "exchange/request_id.h"
#include "exchange/tell.h"
#include "plan/authenticate.h"

namespace fairlead::exchange {
namespace {

constexpr std::string_view chat_path = "/v1/chat/completions";
constexpr std::string_view models_path = "/v1/models";

Result<std::string> models_answer(const net::AppRequest& request, const Snapshot& snapshot, TimePoint now) {
  const auto key = authenticate(request.field("authorization"), snapshot, now);
  if (!key) return key.error();
  if (request.path == models_path) return models_json(**key);
  return model_json(request.path.substr(models_path.size() + 1), **key);
}

/// What a path takes; empty: there is no such path.
std::string_view method_of(std::string_view path) {
  if (path == chat_path) return "POST";
  if (path == models_path || (path.size() > models_path.size() + 1 && path.starts_with("/v1/models/"))) return "GET";
  return {};
}

/// HEAD is GET without the body, which the server leaves out.
bool takes(std::string_view method, std::string_view asked) { return asked == method || (method == "GET" && asked == "HEAD"); }

}  // namespace

// The corridor stands in the server's frame: one more around it would be held as long as an answer streams.
Task<void> Api::handle(std::unique_ptr<net::AppRequest> request, net::AppAnswer& answer) {
  if (request->method == "POST" && method_of(request->path) == "POST") return run_exchange(world_, std::move(request), answer);
  return answer_at_once(std::move(request), answer);
}

/// All else than chats.
Task<void> Api::answer_at_once(std::unique_ptr<net::AppRequest> request, net::AppAnswer& answer) {
  const std::string_view method = method_of(request->path);
  const std::shared_ptr<const Snapshot> snapshot = world_.snapshot.get();
  Result<std::string> body =
      method.empty()                    ? Result<std::string>(Error(ErrorKind::not_found, ErrorOrigin::app,
                                                                    "there is no " + echo_of(request->method) + " " + echo_of(request->path) +
                                                                        " here; POST /v1/chat/completions and GET /v1/models are"))
      : !takes(method, request->method) ? Result<std::string>(Error(ErrorKind::method_not_allowed, ErrorOrigin::app,
                                                                    "this path takes " + std::string(method) + " only"))
                                        : models_answer(*request, *snapshot, world_.now());
  net::WholeAnswer told;
  if (body) {
    told.fields = {{"content-type", "application/json"}, {"x-request-id", make_request_id(world_.now(), world_.random)}};
    told.body = std::move(*body);
  } else {
    told = error_answer(body.error());
    if (told.status == 405) told.fields.emplace_back("allow", method == "GET" ? "GET, HEAD" : method);
  }
  const std::array<std::string_view, 1> pieces{told.body};
  co_await answer.send(told.status, told.fields, pieces);
  if (!body) world_.observer.turned_away(body.error(), request->peer);
}

bool Api::wants_body(const net::AppRequest& head) const {
  return head.method == "POST" && method_of(head.path) == "POST" &&
         authenticate(head.field("authorization"), *world_.snapshot.get(), world_.now()).has_value();
}

net::WholeAnswer Api::error_answer(const Error& error) { return exchange::error_answer(world_, error); }

Limits Api::limits() const { return world_.snapshot.get()->limits; }

}  // namespace fairlead::exchange
