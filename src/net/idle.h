#pragma once
// Connections to providers, and those of them that wait for a next request. Used by Pool. One worker's thread, but for the counts.
#include "net/stream.h"
#include "net/tls.h"

#include <fairlead/snapshot.h>
#include <fairlead/time.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace fairlead::net {

/// How many there are now; read by metrics from any thread.
struct ConnectionCounts {
  std::atomic<std::size_t> open{0};  ///< idle ones included
  std::atomic<std::size_t> idle{0};
};

/// All that makes one connection as good as another. Not the API key: that goes with each request.
struct Destination {
  explicit Destination(const Provider& provider);
  bool is_of(const Provider& provider) const;

  std::string name;
  Url base_url;
  std::string ca_file, ca_pem;  ///< who was trusted when it was made
  std::optional<Url> proxy;
  std::string proxy_authorization;
};

/// An open connection to a provider. What it needs to be kept is its own, since a reload may change the provider meanwhile.
class Link {
 public:
  Link(std::shared_ptr<const Destination> to, std::unique_ptr<Stream> stream, std::shared_ptr<TlsClient> tls,
       std::shared_ptr<ConnectionCounts> counts);
  ~Link();
  Link(const Link&) = delete;
  Link& operator=(const Link&) = delete;

  Stream& stream() { return *stream_; }

  std::shared_ptr<const Destination> destination;
  std::size_t idle_max = 0;
  std::chrono::milliseconds idle_ms_max{0};

 private:
  std::shared_ptr<ConnectionCounts> counts_;
  std::shared_ptr<TlsClient> tls_;  ///< must outlive the stream
  std::unique_ptr<Stream> stream_;
};

/// The last one in is the first one out, so that what is not needed grows old and is closed.
class IdleLinks : public std::enable_shared_from_this<IdleLinks> {
 public:
  IdleLinks(const Executor& executor, std::shared_ptr<ConnectionCounts> counts);

  /// Open and quiet, or null.
  std::unique_ptr<Link> take(const Provider& provider);
  /// For a new link.
  std::shared_ptr<const Destination> destination_of(const Provider& provider);
  void give(std::unique_ptr<Link> link);
  void close_all();

 private:
  struct Waiting {
    std::unique_ptr<Link> link;
    SteadyTime until;
  };
  struct Stack {
    std::shared_ptr<const Destination> destination;
    std::vector<Waiting> links = {};  ///< in the order in which they came
  };
  Stack* find(const Provider& provider);
  void sweep_by(SteadyTime at);
  void sweep();

  Timer timer_;
  SteadyTime sweep_at_ = SteadyTime::max();  ///< max: no sweep is due
  std::vector<Stack> stacks_;                ///< few; an empty one goes with the next sweep, unless links go there
  std::shared_ptr<ConnectionCounts> counts_;
};

}  // namespace fairlead::net
