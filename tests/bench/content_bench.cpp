// Looking for classes of content in requests of several kinds and sizes.
#include "content/scanner.h"

#include <benchmark/benchmark.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "content/kinds.h"

namespace fairlead::content {
namespace {

std::string body_of(std::string_view unit, std::size_t bytes) {
  std::string body = R"({"model":"chat","messages":[{"role":"user","content":")";
  while (body.size() < bytes) body += unit;
  return body + "\"}]}";
}

constexpr std::string_view prose = "The quick brown fox jumps over 12 lazy dogs on 2026-11-26, and pays 1,234.56 for them. ";
constexpr std::string_view chinese = "敏捷的棕色狐狸在2026年11月26日跳过了12只懒狗，并为此支付了1234.56元。";
constexpr std::string_view table = "100234,2026-11-26,4155,1234.50,88012,20 7946 0958,0.1234567\\n";
constexpr std::string_view base64 = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk4P9";

std::unique_ptr<const ContentScanner> everything() {
  std::vector<std::string> asked = {"mine"};
  for (const std::string_view name : built_in_classes()) asked.emplace_back(name);
  return make_scanner(asked, {{"mine", {"Titan", "Blue Harbour"}, {R"(\bPRJ-[0-9]{4}\b)"}}});
}

void scan_content(benchmark::State& state, std::string_view unit, const std::unique_ptr<const ContentScanner>& scanner) {
  const std::string body = body_of(unit, static_cast<std::size_t>(state.range(0)));
  for (auto _ : state) {
    auto found = scanner->scan(body);
    if (!found) state.SkipWithError(found.error().message().c_str());
    benchmark::DoNotOptimize(found);
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * body.size()));
}

BENCHMARK_CAPTURE(scan_content, cards_in_prose, prose, make_scanner({"payment_card"}, {}))->Arg(1'024)->Arg(1'000'000);
BENCHMARK_CAPTURE(scan_content, all_in_prose, prose, everything())->Arg(1'024)->Arg(1'000'000);
BENCHMARK_CAPTURE(scan_content, all_in_chinese, chinese, everything())->Arg(1'000'000);
BENCHMARK_CAPTURE(scan_content, all_in_a_table, table, everything())->Arg(1'000'000);
BENCHMARK_CAPTURE(scan_content, all_in_base64, base64, everything())->Arg(1'000'000);

}  // namespace
}  // namespace fairlead::content
