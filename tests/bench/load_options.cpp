#include "load_options.h"

#include <CLI/CLI.hpp>
#include <cstdlib>

namespace {

/// http://ADDRESS:PORT/PATH into host and path.
void take_url(const std::string& url, ChatRequest& request) {
  static const std::string scheme = "http://";
  const std::size_t path = url.find('/', scheme.size());
  if (!url.starts_with(scheme) || path == std::string::npos || url.find(':', scheme.size()) > path)
    throw CLI::ValidationError("--url", "wants http://ADDRESS:PORT/PATH");
  request.host = url.substr(scheme.size(), path - scheme.size());
  request.path = url.substr(path);
}

}  // namespace

LoadOptions load_options(int argc, char** argv) {
  LoadOptions options;
  std::string url;
  std::vector<std::string> watches;
  CLI::App app("Sends chat requests, and tells how long they took");
  app.add_option("--url", url, "http://ADDRESS:PORT/PATH, the address in digits")->required();
  app.add_option("--model", options.request.model, "the model that is asked for")->required();
  app.add_option("--header", options.request.headers, "a further header, repeatable");
  app.add_option("--body", options.request.body_bytes, "bytes of the body");
  app.add_flag("--stream", options.request.stream, "ask for a stream");
  app.add_option("--connections", options.connections, "at once")->check(CLI::PositiveNumber);
  app.add_option("--requests", options.requests, "stop after so many, without warm-up; by default, when the time is up");
  app.add_option("--rate", options.rate, "requests a second in open loop; by default, closed loop");
  app.add_option("--seconds", options.seconds, "to measure, or to wait for --requests");
  app.add_option("--warmup", options.warmup_seconds, "seconds before that");
  app.add_option("--ramp", options.ramp_seconds, "seconds over which connections are opened; by default, 10,000 a second");
  app.add_option("--watch", watches, "name=pid,pid of processes whose time and memory is told, repeatable");
  try {
    app.parse(argc, argv);
    take_url(url, options.request);
    for (const std::string& watch : watches) options.watches.push_back(parse_watch(watch));
  } catch (const CLI::ParseError& error) {
    std::exit(app.exit(error));
  }
  if (options.ramp_seconds < 0) options.ramp_seconds = static_cast<double>(options.connections) / 10'000;
  if (options.requests > 0) options.warmup_seconds = options.ramp_seconds = 0;
  return options;
}
