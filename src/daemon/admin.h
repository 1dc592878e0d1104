#pragma once
// The operators' side: /healthz, /readyz, /metrics, /admin/v1/reload, /explain, /estimates, /limits, /keys, /budgets and /credit.
// On the main thread, so that it answers while the workers are busy. Whoever reaches the address may ask; it is a loopback address.
#include "daemon/budget_desk.h"
#include "daemon/keys_admin.h"
#include "daemon/reload.h"
#include "net/app.h"

#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace fairlead::daemon {

class Admin : public net::AppHandler {
 public:
  struct Views {
    std::function<std::string()> not_ready_because;  ///< empty: ready
    std::function<std::string()> metrics;
    std::function<std::string()> estimates;  ///< JSON
    std::function<Limits()> limits;
    std::function<Reload()> reload;
    std::function<Result<std::string>(std::string_view asked)> explain = {};  ///< JSON to JSON
    std::function<std::string()> budgets = {};                                ///< JSON, as are these
    std::function<Result<std::string>()> credits = {};
    std::function<Result<std::string>(std::string_view asked)> top_up = {};
    std::function<std::string()> rate_limits = {};  ///< JSON
    std::function<AdminAnswer(std::string_view method, std::string_view path, std::string_view body)> keys = {};
  };
  explicit Admin(Views views);
  Task<void> handle(std::unique_ptr<net::AppRequest> request, net::AppAnswer& answer) override;
  bool wants_body(const net::AppRequest& head) const override;
  net::WholeAnswer error_answer(const Error& error) override;
  Limits limits() const override;

 private:
  struct Page {
    int status;
    std::string type, body;
  };
  static Page page_of(AdminAnswer answer);
  Page page_of(const net::AppRequest& request) const;
  Page about_money(const net::AppRequest& request) const;
  Page reloaded() const;
  Page explained(std::string_view asked) const;

  Views views_;
};

}  // namespace fairlead::daemon
