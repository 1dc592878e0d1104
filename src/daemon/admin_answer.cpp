#include "daemon/admin_answer.h"

#include <nlohmann/json.hpp>

namespace fairlead::daemon {
namespace {

int status_of(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::bad_request: return 400;
    case ErrorKind::not_found: return 404;
    case ErrorKind::method_not_allowed: return 405;
    case ErrorKind::request_timeout: return 408;
    case ErrorKind::body_too_large: return 413;
    case ErrorKind::unsupported_media: return 415;
    case ErrorKind::config: return 422;
    case ErrorKind::head_too_large: return 431;
    case ErrorKind::overloaded:
    case ErrorKind::ledger_unavailable: return 503;
    default: return 500;
  }
}

}  // namespace

AdminAnswer error_answer(const Error& error) {
  const nlohmann::ordered_json body{{"error", {{"message", error.message()}, {"code", to_string(error.kind)}}}};
  return {status_of(error.kind), body.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n"};
}

}  // namespace fairlead::daemon
