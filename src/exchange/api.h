#pragma once
// The apps' side: path and method -> what answers it. One worker's thread.
#include "exchange/exchange.h"

namespace fairlead::exchange {

class Api : public net::AppHandler {
 public:
  explicit Api(World& world) : world_(world) {}
  Task<void> handle(std::unique_ptr<net::AppRequest> request, net::AppAnswer& answer) override;
  bool wants_body(const net::AppRequest& head) const override;
  net::WholeAnswer error_answer(const Error& error) override;
  Limits limits() const override;

 private:
  Task<void> answer_at_once(std::unique_ptr<net::AppRequest> request, net::AppAnswer& answer);

  World& world_;
};

}  // namespace fairlead::exchange
