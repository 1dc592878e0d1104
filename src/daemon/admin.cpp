#include "daemon/admin.h"

#include <nlohmann/json.hpp>

#include <array>
#include <utility>

namespace fairlead::daemon {
namespace {

struct Page {
  int status = 200;
  std::string type = "text/plain; charset=utf-8", body;
};

}  // namespace

Admin::Admin(Views views) : views_(std::move(views)) {}

Task<void> Admin::handle(net::AppRequest& request, net::AppAnswer& answer) {
  Page page;
  if (request.path == "/healthz") {
    page.body = "ok\n";
  } else if (request.path == "/readyz") {
    const std::string reason = views_.not_ready_because();
    page.status = reason.empty() ? 200 : 503;
    page.body = reason.empty() ? "ready\n" : "not ready: " + reason + "\n";
  } else if (request.path == "/metrics") {
    page.type = "text/plain; version=0.0.4; charset=utf-8";
    page.body = views_.metrics();
  } else if (request.path == "/admin/v1/estimates") {
    page.type = "application/json";
    page.body = views_.estimates();
  } else {
    page.status = 404;
    page.body = "here are /healthz, /readyz, /metrics and /admin/v1/estimates\n";
  }
  if (page.status != 404 && request.method != "GET" && request.method != "HEAD") {
    page.status = 405;
    page.body = "this path takes GET only\n";
  }
  const net::Fields fields{{"content-type", page.type}};
  const std::array<std::string_view, 1> pieces{page.body};
  co_await answer.send(page.status, fields, pieces);
}

std::string Admin::error_body(const Error& error) const {
  return nlohmann::json{{"error", {{"message", error.message}, {"code", to_string(error.kind)}}}}.dump();
}

Limits Admin::limits() const { return views_.limits(); }

}  // namespace fairlead::daemon
