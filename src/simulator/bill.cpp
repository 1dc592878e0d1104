#include "simulator/bill.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <optional>
#include <utility>

#include "simulator/quote.h"

namespace fairlead::simulator {
namespace {

constexpr Int128 tokens_per_price = 1'000'000;

Int128 amount(std::int64_t tokens, const std::optional<Int128>& rate, const std::optional<Int128>& otherwise) {
  return static_cast<Int128>(tokens) * rate.value_or(otherwise.value_or(0));
}

std::string json_bool(bool value) { return value ? "true" : "false"; }

}  // namespace

Int128 invoice(const std::vector<PricedModel>& models, const BillLine& line) {
  const std::string name = line.kind + "/" + line.model;
  for (const PricedModel& model : models) {
    if (model.name != name) continue;
    const std::optional<PriceInForce> price =
        price_in_force(model.prices, Currency{}, {line.tokens.prompt, line.thinking, line.service_tier}, line.at);
    if (!price) return 0;
    const Rates& rates = price->rates;
    const Tokens& t = line.tokens;
    const Int128 sum = amount(t.prompt - t.cached - t.cache_write, rates.input, {}) +
                       amount(t.cached, rates.cached_input, rates.input) + amount(t.cache_write, rates.cache_write, rates.input) +
                       amount(t.completion, rates.output, {});
    return (sum + tokens_per_price / 2) / tokens_per_price;
  }
  return 0;
}

Bill::Bill(Bill&& other) noexcept { *this = std::move(other); }

Bill& Bill::operator=(Bill&& other) noexcept {
  std::swap(file_, other.file_);
  std::swap(complained_, other.complained_);
  std::swap(run_, other.run_);
  std::swap(lines_, other.lines_);
  std::swap(models_, other.models_);
  return *this;
}

Bill::~Bill() {
  if (file_ >= 0) ::close(file_);
}

boost::system::result<Bill, Complaint> Bill::open(const std::string& path, std::vector<PricedModel> models) {
  Bill bill;
  bill.models_ = std::move(models);
  const auto started = std::chrono::system_clock::now().time_since_epoch();
  std::array<char, 32> run{};
  std::snprintf(run.data(), run.size(), "%llx", static_cast<unsigned long long>(started.count()));
  bill.run_ = run.data();
  if (path.empty()) return bill;
  bill.file_ = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (bill.file_ < 0) return Complaint{"cannot write the bill '" + path + "': " + std::strerror(errno)};
  return bill;
}

void Bill::add(const BillLine& line) {
  ++lines_;
  if (file_ < 0) return;
  const Tokens& t = line.tokens;
  const std::string text =
      R"({"bill_id":")" + run_ + "-" + std::to_string(lines_) + R"(","client_request_id":)" + quote(line.client_request_id) +
      R"(,"id":)" + quote(line.id) + R"(,"kind":)" + quote(line.kind) + R"(,"model":)" + quote(line.model) + R"(,"at":")" +
      iso_8601_us(line.at) + R"(","stream":)" + json_bool(line.stream) + R"(,"status":)" + std::to_string(line.status) +
      R"(,"prompt_tokens":)" + std::to_string(t.prompt) + R"(,"cached_tokens":)" + std::to_string(t.cached) +
      R"(,"cache_write_tokens":)" + std::to_string(t.cache_write) + R"(,"completion_tokens":)" + std::to_string(t.completion) +
      R"(,"reasoning_tokens":)" + std::to_string(t.reasoning) + R"(,"thinking":)" + json_bool(line.thinking) +
      R"(,"service_tier":)" + quote(to_string(line.service_tier)) + R"(,"reported":)" + json_bool(line.reported) +
      R"(,"delivered":)" + json_bool(line.delivered) + R"(,"cost":")" + format_decimal(invoice(models_, line)) +
      R"(","currency":"USD","request_bytes":)" + std::to_string(line.request_bytes) + R"(,"end":)" + quote(line.end) + "}\n";
  std::size_t written = 0;
  while (written < text.size()) {
    const ssize_t n = ::write(file_, text.data() + written, text.size() - written);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) {
      if (!std::exchange(complained_, true))
        std::fprintf(stderr, "simulate: the bill cannot be written: %s\n", std::strerror(errno));
      return;
    }
    written += static_cast<std::size_t>(n);
  }
}

}  // namespace fairlead::simulator
