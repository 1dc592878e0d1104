#include "net/upstream_error.h"

#include <boost/asio/error.hpp>

#include <cerrno>
#include <utility>

namespace fairlead::net {

namespace {

const char* message_of(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::app_gone: return "The request was cancelled.";
    case ErrorKind::overloaded: return "No further connection can be opened here now; try again.";
    case ErrorKind::upstream_connect: return "The provider could not be reached.";
    case ErrorKind::upstream_tls: return "A secure connection to the provider could not be made.";
    case ErrorKind::upstream_timeout: return "The provider did not answer in time.";
    case ErrorKind::upstream_closed: return "The provider closed the connection before its answer was complete.";
    case ErrorKind::upstream_protocol: return "The provider's answer could not be understood.";
    default: return "The request could not be sent to the provider.";
  }
}

}  // namespace

Error upstream_error(ErrorKind kind, std::string detail, Retry retry) {
  if (kind == ErrorKind::app_gone) return Error(kind, ErrorOrigin::app, message_of(kind), std::move(detail));
  if (kind == ErrorKind::overloaded) return Error(kind, ErrorOrigin::fairlead, message_of(kind), std::move(detail), retry);
  return Error(kind, ErrorOrigin::provider, message_of(kind), std::move(detail), retry);
}

bool is_own_lack(int error) {
  switch (error) {
    case EMFILE:
    case ENFILE:
    case ENOBUFS:
    case ENOMEM:
    case EADDRNOTAVAIL: return true;
    default: return false;
  }
}

Error stream_error(boost::system::error_code ec, const Cancel& cancel, ErrorKind otherwise, const std::string& doing) {
  if (cancel.requested()) return upstream_error(ErrorKind::app_gone, doing);
  if (ec == boost::asio::error::timed_out) return upstream_error(ErrorKind::upstream_timeout, doing + ": the deadline passed");
  return upstream_error(otherwise, doing + ": " + ec.message());
}

}  // namespace fairlead::net
