#pragma once
// The connections of one worker to all providers. Made by daemon's worker; used by the exchange as Upstream. One worker's thread.
#include "net/connect.h"
#include "net/idle.h"
#include "net/upstream.h"

#include <cstddef>
#include <map>
#include <memory>
#include <string>

namespace fairlead::net {

/// An answer may outlive its Pool; nothing else may be under way then.
class Pool final : public Upstream {
 public:
  explicit Pool(Executor executor, LookUp look_up = look_up_address);
  ~Pool() override;

  Task<Result<std::unique_ptr<UpstreamAnswer>>> send(const UpstreamRequest& request, SendReport& report, Cancel& cancel) override;

  /// For a drain, or when what a connection rests on has changed.
  void close_idle();
  /// From any thread.
  std::size_t idle() const { return counts_->idle; }
  std::size_t open() const { return counts_->open; }

 private:
  Task<Result<std::unique_ptr<UpstreamAnswer>>> connect_and_ask(const UpstreamRequest& request, std::string head,
                                                                SendReport& report, Cancel& cancel);
  Task<Result<std::unique_ptr<UpstreamAnswer>>> ask(std::unique_ptr<Link> link, const UpstreamRequest& request, std::string head,
                                                    SendReport& report, Cancel& cancel);
  Task<Result<std::unique_ptr<Link>>> connect(const UpstreamRequest& request, SendReport& report, Cancel& cancel);
  Result<std::shared_ptr<TlsClient>> tls_for(const Provider& provider);

  Executor executor_;
  std::shared_ptr<ConnectionCounts> counts_;
  std::shared_ptr<IdleLinks> idle_;
  Addresses addresses_;
  struct Trust {
    std::shared_ptr<TlsClient> tls;
    std::string ca_pem;  ///< of which it was made
  };
  std::map<std::string, Trust> trusts_;  ///< by CA file
};

}  // namespace fairlead::net
