#pragma once
// The operators' side: /healthz, /readyz, /metrics, /admin/v1/estimates. On the main thread, so that it answers while the workers
// are busy.
#include "net/app.h"

#include <functional>
#include <string>

namespace fairlead::daemon {

class Admin : public net::AppHandler {
 public:
  struct Views {
    std::function<std::string()> not_ready_because;  ///< empty: ready
    std::function<std::string()> metrics;
    std::function<std::string()> estimates;  ///< JSON
    std::function<Limits()> limits;
  };
  explicit Admin(Views views);
  Task<void> handle(net::AppRequest& request, net::AppAnswer& answer) override;
  bool wants_body(const net::AppRequest&) const override { return false; }
  std::string error_body(const Error& error) const override;
  Limits limits() const override;

 private:
  Views views_;
};

}  // namespace fairlead::daemon
