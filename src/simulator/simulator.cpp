#include "simulator/simulator.h"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/redirect_error.hpp>
#include <charconv>
#include <exception>

#include "simulator/quote.h"

namespace fairlead::simulator {
namespace {

constexpr std::size_t received_max = 64;
constexpr std::size_t received_body_bytes_max = 1 << 20;
constexpr std::chrono::seconds sweep_every{5};
constexpr std::chrono::milliseconds accept_pause{50};  // when there are no more file descriptors

boost::system::result<asio::ip::tcp::endpoint, Complaint> read_address(const std::string& text) {
  const std::size_t colon = text.rfind(':');
  unsigned port = 0;
  const char* const end = text.data() + text.size();
  boost::system::error_code error;
  std::string host = text.substr(0, colon);
  if (host.size() > 1 && host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
  const asio::ip::address address = asio::ip::make_address(host, error);
  if (colon == std::string::npos || error || std::from_chars(text.data() + colon + 1, end, port).ptr != end || port > 65'535)
    return Complaint{"'" + text + "' is not an address such as 127.0.0.1:8081"};
  return asio::ip::tcp::endpoint(address, static_cast<std::uint16_t>(port));
}

}  // namespace

Simulator::Simulator(asio::io_context& context, Options& options, Bill bill)
    : context_(context),
      acceptor_(context),
      sweep_timer_(context),
      world_{Director(std::move(options.faults), options.seed),
             std::move(bill),
             sold_by_kind(options.models),
             options.seed,
             std::move(options.now),
             {},
             0,
             false} {
  if (!world_.now) world_.now = [] { return std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now()); };
}

boost::system::result<std::unique_ptr<Simulator>, Complaint> Simulator::open(asio::io_context& context, Options options) {
  const auto endpoint = read_address(options.listen);
  if (endpoint.has_error()) return endpoint.error();
  auto bill = Bill::open(options.bill, options.models);
  if (bill.has_error()) return bill.error();
  std::unique_ptr<Simulator> simulator(new Simulator(context, options, std::move(*bill)));
  boost::system::error_code error;
  Acceptor& acceptor = simulator->acceptor_;
  acceptor.open(endpoint->protocol(), error);
  if (!error) acceptor.set_option(asio::socket_base::reuse_address(true), error);
  if (!error) acceptor.bind(*endpoint, error);
  if (!error) acceptor.listen(asio::socket_base::max_listen_connections, error);
  if (error) return Complaint{"cannot listen on " + options.listen + ": " + error.message()};
  return simulator;
}

std::string Simulator::address() const {
  boost::system::error_code error;
  const asio::ip::tcp::endpoint endpoint = acceptor_.local_endpoint(error);
  const std::string host = endpoint.address().to_string();
  return (endpoint.address().is_v6() ? "[" + host + "]" : host) + ":" + std::to_string(endpoint.port());
}

void Simulator::start() {
  const auto ended = [](std::exception_ptr problem) {
    if (problem) std::rethrow_exception(problem);
  };
  asio::co_spawn(context_.get_executor(), accept(), ended);
  asio::co_spawn(context_.get_executor(), sweep(), ended);
}

void Simulator::stop() {
  world_.stopping = true;
  boost::system::error_code ignored;
  acceptor_.close(ignored);
  sweep_timer_.cancel();
  for (Connection& connection : connections_) connection.stop();
}

Task<void> Simulator::accept() {
  while (!world_.stopping) {
    auto [error, socket] = co_await acceptor_.async_accept(as_result);
    if (world_.stopping) co_return;
    if (error) {
      Timer pause(context_, accept_pause);
      co_await pause.async_wait(as_result);
      continue;
    }
    ++accepted_;
    const auto connection = connections_.emplace(connections_.end(), std::move(socket));
    const auto ended = [this, connection](std::exception_ptr problem) {
      connections_.erase(connection);
      if (problem) std::rethrow_exception(problem);
    };
    asio::co_spawn(context_.get_executor(), serve(*connection), ended);
  }
}

/// Closes the connections on which nothing has happened for too long.
Task<void> Simulator::sweep() {
  while (!world_.stopping) {
    sweep_timer_.expires_after(sweep_every);
    co_await sweep_timer_.async_wait(as_result);
    const auto now = std::chrono::steady_clock::now();
    for (Connection& connection : connections_)
      if (connection.patience_until() < now) connection.stop();
  }
}

Task<void> Simulator::serve(Connection& connection) {
  Request request;
  while (!world_.stopping) {
    if (const bool here = co_await connection.read(request); !here) break;
    if (const bool here = co_await handle(connection, request); !here) break;
    request = {};
  }
  connection.close();
}

Task<bool> Simulator::handle(Connection& connection, const Request& request) {
  const std::string_view target = request.target;
  if (!target.starts_with("/_sim/") || target == "/_sim/redirected") remember(request, find_endpoint(target).habits);
  if (target == "/_sim/stats") co_return co_await answer(connection, request, 200, stats());
  if (target.starts_with("/_sim/last")) co_return co_await answer(connection, request, 200, last(target.substr(10)));
  const Endpoint endpoint = find_endpoint(target);
  if (endpoint.habits != nullptr && endpoint.rest == "/chat/completions" && request.method == "POST") {
    Attempt attempt(world_, connection, request, *endpoint.habits);
    co_return co_await attempt.run();
  }
  if (endpoint.habits != nullptr && endpoint.rest == "/models" && request.method == "GET")
    co_return co_await answer(connection, request, 200, models(*endpoint.habits));
  const Habits& habits = endpoint.habits != nullptr ? *endpoint.habits : all_kinds().back();
  const Refusal nothing_there{404, "There is nothing at " + request.method + " " + request.target + ".", {}, {}, {}};
  std::string body = refusal_json(habits, nothing_there, {});
  co_return co_await answer(connection, request, 404, std::move(body));
}

Task<bool> Simulator::answer(Connection& connection, const Request& request, int status, std::string body) {
  AnswerWriter writer(connection, AnswerWriter::Framing::length, AnswerWriter::Habit{});
  writer.head(status, {{"content-type", "application/json"}}, body.size());
  writer.body(body);
  const bool sent = co_await writer.flush();
  co_return sent&& request.keep_alive();
}

void Simulator::remember(const Request& request, const Habits* habits) {
  ++requests_;
  if (received_.size() == received_max) received_.pop_front();
  received_.push_back(
      {habits, request.method, request.target, request.head, request.body.substr(0, received_body_bytes_max), request.body.size()});
}

std::string Simulator::stats() const {
  return R"({"requests":)" + std::to_string(requests_) + R"(,"attempts":)" + std::to_string(world_.attempts) +
         R"(,"connections":)" + std::to_string(accepted_) + R"(,"open":)" + std::to_string(connections_.size()) + "}";
}

std::string Simulator::last(std::string_view query) const {
  std::size_t count = received_max;
  if (query.starts_with("?n=")) std::from_chars(query.data() + 3, query.data() + query.size(), count);
  count = std::min(count, received_.size());
  std::string list = "[";
  for (std::size_t i = received_.size() - count; i < received_.size(); ++i) {
    const Received& one = received_[i];
    if (list.size() > 1) list += ',';
    list += R"({"kind":)" + quote(one.habits != nullptr ? one.habits->name : "") + R"(,"method":)" + quote(one.method) +
            R"(,"target":)" + quote(one.target) + R"(,"head":)" + quote(one.head) + R"(,"body":)" + quote(one.body) +
            R"(,"body_bytes":)" + std::to_string(one.body_bytes) + "}";
  }
  return list + "]";
}

std::string Simulator::models(const Habits& habits) const {
  std::vector<std::string> names = world_.models_of(habits);
  if (names.empty()) names.push_back(std::string(habits.name) + "-model");
  std::string list = R"({"object":"list","data":[)";
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (i > 0) list += ',';
    list += R"({"id":)" + quote(names[i]) + R"(,"object":"model",)";
    if (habits.kind != Kind::deepseek) list += R"("created":1790000000,)";
    list += R"("owned_by":)" + quote(habits.name);
    if (habits.kind == Kind::vllm || habits.kind == Kind::sglang)
      list += R"(,"root":)" + quote(names[i]) + R"(,"max_model_len":131072)";
    list += '}';
  }
  return list + "]}";
}

}  // namespace fairlead::simulator
