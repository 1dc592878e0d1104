#include "net/dial.h"

#include "net/cancel_scope.h"
#include "net/proxy.h"
#include "net/upstream_error.h"

#include <functional>

namespace fairlead::net {

Task<Result<std::unique_ptr<Stream>>> dial(Executor executor, Addresses& addresses, TlsClient* tls, const Provider& provider,
                                           SteadyTime deadline, Cancel& cancel) {
  const Url& url = provider.base_url;
  const Url& next_hop = provider.proxy ? *provider.proxy : url;
  if (provider.proxy && next_hop.tls)
    co_return upstream_error(ErrorKind::upstream_connect, "TLS to the proxy itself is not supported");

  Result<TcpSocket> socket = co_await connect_tcp(executor, addresses, next_hop.host, next_hop.port, deadline, cancel);
  if (!socket) co_return socket.error();
  auto stream = std::make_unique<Stream>(std::move(*socket));
  stream->set_deadline(deadline);
  const std::function<void()> close = [&stream] { stream->close(); };
  const CancelScope scope(cancel, close);

  if (provider.proxy) {
    const Result<void> opened = co_await open_tunnel(*stream, url, provider.proxy_authorization, cancel);
    if (!opened) co_return opened.error();
  }
  if (tls != nullptr) {
    std::string why;
    const auto ec = co_await stream->handshake_client(*tls, url.host, url.port, why);
    if (ec) {
      Error error = stream_error(ec, cancel, ErrorKind::upstream_tls, why);
      if (error.kind == ErrorKind::upstream_tls) error.set_detail(why);
      co_return error;
    }
  }
  co_return std::move(stream);
}

}  // namespace fairlead::net
