#pragma once
// A simulator on a thread of its own, and a blocking client that sees every byte. Used by the tests of the simulator.
#include <gtest/gtest.h>
#include <unistd.h>

#include <boost/asio/connect.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <cstdio>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "simulator/simulator.h"

namespace fairlead::simulator {

using nlohmann::json;

/// What came of one request.
struct Reply {
  std::string raw;  ///< all bytes of the answer
  std::string head;
  std::string body;  ///< without its framing
  int status = 0;
  bool whole = false;  ///< the framing's end came
  bool reset = false;  ///< the connection ended in RST

  json parsed() const { return json::parse(body); }
  /// The data of all events of a stream.
  std::vector<std::string> events() const {
    std::vector<std::string> all;
    std::istringstream lines(body);
    for (std::string line; std::getline(lines, line);) {
      if (!line.empty() && line.back() == '\r') line.pop_back();
      if (line.compare(0, 6, "data: ") == 0) all.push_back(line.substr(6));
    }
    return all;
  }
  /// The events that are JSON.
  std::vector<json> chunks() const {
    std::vector<json> all;
    for (const std::string& event : events())
      if (json chunk = json::parse(event, nullptr, false); chunk.is_object()) all.push_back(std::move(chunk));
    return all;
  }
  /// The deltas' texts of one field, joined.
  std::string joined(const char* field) const {
    std::string text;
    for (const json& chunk : chunks())
      if (chunk.contains("choices"))
        for (const json& choice : chunk["choices"])
          if (choice["delta"].contains(field) && choice["delta"][field].is_string())
            text += choice["delta"][field].get<std::string>();
    return text;
  }
};

class Client {
 public:
  explicit Client(const std::string& address) : socket_(context_) {
    const std::size_t colon = address.rfind(':');
    socket_.connect(
        {asio::ip::make_address(address.substr(0, colon)), static_cast<std::uint16_t>(std::stoi(address.substr(colon + 1)))});
  }
  void send(const std::string& bytes) { asio::write(socket_, asio::buffer(bytes)); }
  /// Reads until so many bytes are there, or no more come.
  std::string read(std::size_t bytes) {
    boost::system::error_code error;
    while (inbound_.size() < bytes && read_some(error)) continue;
    return inbound_;
  }
  /// Reads until this text is there, or no more comes.
  void read_until(const std::string& text) {
    boost::system::error_code error;
    while (inbound_.find(text) == std::string::npos && read_some(error)) continue;
  }
  /// Reads one answer to its end.
  Reply reply() {
    Reply reply;
    boost::system::error_code error;
    while (!take(reply) && read_some(error)) continue;
    reply.reset = error == asio::error::connection_reset;
    if (!reply.whole) reply.raw = inbound_;
    return reply;
  }
  bool at_end() {
    boost::system::error_code error;
    read_some(error);
    return error == asio::error::eof;
  }
  void close() { socket_.close(); }

 private:
  bool read_some(boost::system::error_code& error) {
    char bytes[65536];
    const std::size_t n = socket_.read_some(asio::buffer(bytes), error);
    inbound_.append(bytes, n);
    return !error;
  }
  bool take(Reply& reply) {
    const std::size_t end = inbound_.find("\r\n\r\n");
    if (end == std::string::npos) return false;
    reply.head = inbound_.substr(0, end + 2);
    reply.status = std::stoi(reply.head.substr(9, 3));
    if (reply.status == 100) {
      inbound_.erase(0, end + 4);
      return take(reply);
    }
    const std::string rest = inbound_.substr(end + 4);
    std::size_t used = 0;
    if (reply.head.find("transfer-encoding: chunked") != std::string::npos) {
      ChunkReader reader;
      reply.body.clear();
      used = reader.take(rest, reply.body);
      reply.whole = reader.state() == ChunkReader::State::done;
    } else {
      const std::size_t length = std::stoul(reply.head.substr(reply.head.find("content-length: ") + 16));
      used = std::min(length, rest.size());
      reply.body = rest.substr(0, used);
      reply.whole = used == length;
    }
    if (!reply.whole) return false;
    reply.raw = inbound_.substr(0, end + 4 + used);
    inbound_.erase(0, end + 4 + used);
    return true;
  }

  asio::io_context context_;
  asio::ip::tcp::socket socket_;
  std::string inbound_;
};

/// 10^-12 USD per million tokens.
inline Int128 usd(const char* text) { return *parse_decimal(text); }

inline TimePoint at(int year, unsigned month, unsigned day, int hour, int minute = 0) {
  using namespace std::chrono;
  return sys_days{std::chrono::year{year} / month / day} + hours{hour} + minutes{minute};
}

class Rehearsal : public testing::Test {
 protected:
  void TearDown() override { stop(); }

  void start(std::vector<std::string> faults = {}) {
    Options options;
    bill_ =
        testing::TempDir() + "bill_" + testing::UnitTest::GetInstance()->current_test_info()->name() + std::to_string(::getpid());
    std::remove(bill_.c_str());
    options.bill = bill_;
    options.models = models();
    options.now = [] { return at(2026, 11, 18, 5); };
    for (const std::string& text : faults) options.faults.push_back(*read_odds(text));
    auto opened = Simulator::open(context_, std::move(options));
    ASSERT_TRUE(opened.has_value()) << opened.error().sentence;
    simulator_ = std::move(*opened);
    address_ = simulator_->address();
    simulator_->start();
    thread_ = std::thread([this] { context_.run(); });
  }
  void stop() {
    if (!thread_.joinable()) return;
    asio::post(context_, [this] { simulator_->stop(); });
    thread_.join();
  }

  static std::vector<PricedModel> models() {
    Price flash;
    flash.from = at(2026, 9, 10, 4);
    flash.rates = {usd("0.15"), usd("0.003"), {}, usd("0.60")};
    flash.windows.push_back({"peak", {0b11111, 60, 240}, {usd("0.30"), usd("0.006"), {}, usd("1.20")}});
    Price luna;
    luna.from = at(2026, 9, 22, 0);
    luna.rates = {usd("0.20"), usd("0.02"), usd("0.25"), usd("1.20")};
    Price plus;
    plus.from = at(2026, 1, 1, 0);
    plus.rates = {usd("0.40"), {}, {}, usd("1.20")};
    plus.tiers.push_back({1'000, {usd("1.20"), {}, {}, usd("3.60")}});
    return {{"deepseek/deepseek-flash", {flash}},
            {"openai/gpt-6-luna", {luna}},
            {"openai/gpt-4.1", {luna}},
            {"qwen/qwen-plus", {plus}},
            {"qwen/qwen3-32b", {plus}}};
  }

  Client connect() const { return Client(address_); }

  /// A whole POST of a chat request.
  static std::string post(const std::string& base, const std::string& body,
                          const std::string& more = "Authorization: Bearer sk-test\r\n") {
    return "POST " + base + "/chat/completions HTTP/1.1\r\nHost: x\r\nX-Client-Request-Id: row-1\r\n" + more +
           "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
  }
  Reply ask(const std::string& base, const json& body) const {
    Client client(address_);
    client.send(post(base, body.dump()));
    return client.reply();
  }
  static Reply get(Client& client, const std::string& target) {
    client.send("GET " + target + " HTTP/1.1\r\nHost: x\r\n\r\n");
    return client.reply();
  }
  /// Asks until no other connection is open, so that all attempts have ended.
  void wait_until_quiet() const {
    Client client(address_);
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (get(client, "/_sim/stats").parsed()["open"] != 1) {
      ASSERT_LT(std::chrono::steady_clock::now(), deadline) << "an attempt does not end";
      std::this_thread::yield();
    }
  }
  /// Ends the simulator, and reads its bill.
  std::vector<json> bill() {
    stop();
    std::vector<json> lines;
    std::ifstream file(bill_);
    for (std::string line; std::getline(file, line);) lines.push_back(json::parse(line));
    return lines;
  }

  std::string address_, bill_;

 private:
  asio::io_context context_{1};
  std::unique_ptr<Simulator> simulator_;
  std::thread thread_;
};

/// One kind of provider with a model that it has.
struct Seat {
  const char* base;
  const char* model;
};
inline constexpr Seat deepseek{"/deepseek", "deepseek-flash"}, qwen{"/qwen/compatible-mode/v1", "qwen-plus"},
    openai{"/openai/v1", "gpt-6-luna"}, vllm{"/vllm/v1", "m"}, sglang{"/sglang/v1", "m"}, llamacpp{"/llamacpp/v1", "m"},
    ollama{"/ollama/v1", "m"}, lmstudio{"/lmstudio/v1", "m"};
inline constexpr Seat all_seats[] = {deepseek, qwen, openai, vllm, sglang, llamacpp, ollama, lmstudio};

/// A chat request of one user message, with more members merged in.
inline json chat(const Seat& kind, const std::string& prompt, const json& more = json::object()) {
  json body = {{"model", kind.model}, {"messages", {{{"role", "user"}, {"content", prompt}}}}};
  body.merge_patch(more);
  return body;
}
inline json streamed(const Seat& kind, const std::string& prompt, const json& more = json::object()) {
  json body = chat(kind, prompt, {{"stream", true}, {"stream_options", {{"include_usage", true}}}});
  body.merge_patch(more);
  return body;
}

}  // namespace fairlead::simulator
