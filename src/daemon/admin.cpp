#include "daemon/admin.h"

#include <array>
#include <utility>

namespace fairlead::daemon {
namespace {

constexpr const char *plain = "text/plain; charset=utf-8", *json = "application/json";
constexpr std::string_view reload_path = "/admin/v1/reload", explain_path = "/admin/v1/explain",
                           estimates_path = "/admin/v1/estimates", limits_path = "/admin/v1/limits";

bool is_about_keys(std::string_view path) {
  return path.starts_with(keys_path) && (path.size() == keys_path.size() || path[keys_path.size()] == '/');
}

/// A page in a browser on this machine reaches the address too, but its requests say where they come from.
bool is_from_a_page(const net::AppRequest& request) {
  return !request.field("origin").empty() || !request.field("sec-fetch-site").empty();
}

/// By number, or as localhost. Whoever owns another name can have it mean this machine, and a page of that name then reads what is
/// here as its own (DNS rebinding). Names without a dot, as machines have within a network, cannot be bought; and health says
/// nothing.
bool is_asked_by_own_name(const net::AppRequest& request) {
  if (request.path == "/healthz" || request.path == "/readyz") return true;
  std::string_view host = request.field("host");
  if (host.starts_with('[')) return true;
  host = host.substr(0, host.find(':'));
  if (request.path == "/metrics" && host.find('.') == host.npos) return true;
  return host.find_first_not_of("0123456789.") == host.npos || host == "localhost";
}

}  // namespace

Admin::Admin(Views views) : views_(std::move(views)) {}

Task<void> Admin::handle(std::unique_ptr<net::AppRequest> request, net::AppAnswer& answer) {
  const Page page = page_of(*request);
  const net::Fields fields{{"content-type", page.type}, {"cache-control", "no-store"}};  // a fresh key may be in it
  const std::array<std::string_view, 1> pieces{page.body};
  co_await answer.send(page.status, fields, pieces);
}

Admin::Page Admin::page_of(AdminAnswer answer) { return {answer.status, json, std::move(answer.body)}; }

Admin::Page Admin::page_of(const net::AppRequest& request) const {
  const bool keys = is_about_keys(request.path), money = request.path == budgets_path || request.path == credit_path;
  const bool reloads = request.path == reload_path, explains = request.path == explain_path;
  if (!keys && !money && !reloads && !explains && request.path != "/healthz" && request.path != "/readyz" &&
      request.path != "/metrics" && request.path != estimates_path && request.path != limits_path)
    return {404, plain,
            "here are /healthz, /readyz, /metrics, /admin/v1/reload, /admin/v1/explain, /admin/v1/estimates, /admin/v1/limits, "
            "/admin/v1/keys, /admin/v1/budgets and /admin/v1/credit\n"};
  if (!is_asked_by_own_name(request)) return {403, plain, "ask by IP address or as localhost, and by no other name\n"};
  if (request.method == "POST" && is_from_a_page(request)) return {403, plain, "no page of a browser may do this\n"};
  if (keys) {
    return page_of(views_.keys(request.method, request.path, request.body.view()));
  }
  if (money) return about_money(request);
  if (reloads || explains) {
    if (request.method != "POST") return {405, plain, "this path takes POST only\n"};
    return reloads ? reloaded() : explained(request.body.view());
  }
  if (request.method != "GET" && request.method != "HEAD") return {405, plain, "this path takes GET only\n"};
  if (request.path == "/healthz") return {200, plain, "ok\n"};
  if (request.path == estimates_path) return {200, json, views_.estimates()};
  if (request.path == limits_path) return {200, json, views_.rate_limits()};
  if (request.path == "/metrics") return {200, "text/plain; version=0.0.4; charset=utf-8", views_.metrics()};
  const std::string reason = views_.not_ready_because();
  if (reason.empty()) return {200, plain, "ready\n"};
  return {503, plain, "not ready: " + reason + "\n"};
}

Admin::Page Admin::about_money(const net::AppRequest& request) const {
  const bool looks = request.method == "GET" || request.method == "HEAD";
  if (looks && request.path == budgets_path) return {200, json, views_.budgets()};
  if (!looks && (request.method != "POST" || request.path != credit_path)) return {405, plain, "this path does not take that\n"};
  const auto told = looks ? views_.credits() : views_.top_up(request.body.view());
  if (told) return {200, json, *told};
  return page_of(daemon::error_answer(told.error()));
}

Admin::Page Admin::reloaded() const {
  const Reload done = views_.reload();
  return {done.taken ? 200 : 422, json, reload_json(done)};
}

Admin::Page Admin::explained(std::string_view asked) const {
  const auto told = views_.explain(asked);
  if (told) return {200, json, *told};
  return {400, json, daemon::error_answer(told.error()).body};
}

bool Admin::wants_body(const net::AppRequest& head) const {
  return head.method == "POST" && (head.path == explain_path || head.path == credit_path || is_about_keys(head.path));
}

net::WholeAnswer Admin::error_answer(const Error& error) {
  AdminAnswer told = daemon::error_answer(error);
  return {told.status, {{"content-type", json}}, std::move(told.body)};
}

Limits Admin::limits() const { return views_.limits(); }

}  // namespace fairlead::daemon
