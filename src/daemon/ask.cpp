#include "daemon/ask.h"

#include "net/endpoint.h"

#include <chrono>
#include <iterator>

namespace fairlead::daemon {
namespace {

constexpr std::chrono::seconds wait_max{60};  // a reload of a large configuration on a busy machine

}  // namespace

Result<Told> ask(const std::string& admin, const Asked& asked) {
  const auto endpoint = net::parse_endpoint(admin);
  if (!endpoint) return endpoint.error();
  asio::ip::tcp::iostream stream;
  stream.expires_after(wait_max);
  stream.connect(*endpoint);
  stream << asked.method << ' ' << asked.path << " HTTP/1.1\r\nHost: " << admin << "\r\nContent-Length: " << asked.json.size();
  if (!asked.json.empty()) stream << "\r\nContent-Type: application/json";
  stream << "\r\nConnection: close\r\n\r\n" << asked.json << std::flush;
  Told told;
  std::string version, line;
  stream >> version >> told.status;
  while (std::getline(stream, line) && line != "\r") {
  }
  if (!stream || version != "HTTP/1.1")
    return Error(ErrorKind::io, ErrorOrigin::fairlead, "no fairlead answers at " + admin,
                 stream.error() ? stream.error().message() : "");
  told.body.assign(std::istreambuf_iterator<char>(stream), {});
  return told;
}

}  // namespace fairlead::daemon
