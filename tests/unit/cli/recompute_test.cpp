#include "cli/audit/recompute.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "unit/store/rows.h"

namespace fairlead::cli {
namespace {

using test::attempt_open;
using test::attempt_settle;
using test::record_of;
using test::request_open;
using test::request_settle;
using test::settled_attempt;

RequestRecord sound() {
  return record_of(request_open("r1"), {settled_attempt(attempt_open("r1"), attempt_settle("r1"))}, request_settle("r1"));
}

std::string all(const std::vector<std::string>& wrong) {
  std::string text;
  for (const std::string& one : wrong) text += one + "; ";
  return text;
}

// M25: an amount that does not follow from its own row is told, whichever it is.
TEST(Recompute, TellsWhatDoesNotFollowFromTheRow) {
  const struct {
    const char* what;
    std::function<void(RequestRecord&, AttemptSettle&)> change;
    const char* told;
  } cases[] = {
      {"as it was written", [](auto&, auto&) {}, ""},
      {"one token more", [](auto&, auto& s) { s.usage.output = 41; },
       "attempt 1: cost_pico is 204800000, and its tokens at its price makes 207800000; "},
      {"a unit of cost more", [](auto&, auto& s) { s.cost->pico += 1; },
       "attempt 1: cost_pico is 204800001, and its tokens at its price makes 204800000; "},
      {"a unit of USD less",
       [](auto& r, auto& s) {
         *s.usd_pico -= 1;
         r.settle.usd_pico -= 1;
       },
       "attempt 1: usd_pico is 28671999, and its cost at its rate makes 28672000; "
       "attempt 1: charge_usd_pico is 35840000, and its cost and the markup makes 35839999; "},
      {"another markup", [](auto& r, auto&) { r.attempts[0].open.markup = 0; },
       "attempt 1: charge_usd_pico is 35840000, and its cost and the markup makes 28672000; "},
      {"another rate of exchange", [](auto&, auto& s) { s.usd_rate = 150'000'000'000; },
       "attempt 1: usd_pico is 28672000, and its cost at its rate makes 30720000; "},
      {"a sum that its attempts do not make", [](auto& r, auto&) { r.settle.usd_pico = 5; },
       "the request's usd_pico is 5, and its attempts make 28672000; "},
      {"an attempt too few", [](auto& r, auto&) { r.settle.attempts = 2; }, "the request says that it had 2 attempts, and has 1; "},
      {"a cached price is the input's where there is none",
       [](auto&, auto& s) {
         s.price = R"({"currency":"CNY","input":"2","output":"0.12"})";  // 36 * 2 + 64 * 2 + 40 * 0.12
       },
       ""},
      {"no rate for a kind that was consumed", [](auto&, auto& s) { s.price = R"({"currency":"CNY","input":"2"})"; },
       "attempt 1: cost_pico is 204800000, and its tokens at its price makes unknown; "},
      {"no price", [](auto&, auto& s) { s.price = ""; },
       "attempt 1: cost_pico is 204800000, and its tokens at its price makes unknown; "},
      {"another currency", [](auto&, auto& s) { s.cost->currency = Currency(); },
       "attempt 1: its cost is in USD, and its price in CNY; "},
      {"a tier that it does not reach",
       [](auto&, auto& s) {
         s.price = R"({"currency":"CNY","above_input_tokens":200,"input":"2","cached_input":"0.2","output":"3"})";
       },
       "attempt 1: its price holds above 200 input tokens, and it has 100; "},
      {"nothing consumed, and a cost", [](auto&, auto& s) { s.usage_source = UsageSource::none; },
       "attempt 1: nothing was consumed, and it has tokens or a cost; "},
      {"an attempt that is open has nothing to compare yet",
       [](auto& r, auto&) {
         r.attempts[0].state = RowState::open;
         r.state = RowState::open;
       },
       ""},
  };
  for (const auto& c : cases) {
    RequestRecord record = sound();
    c.change(record, record.attempts[0].settle);
    EXPECT_EQ(all(recompute(record)), c.told) << c.what;
  }
}

TEST(Recompute, RoundsOnceAndHalfAwayFromZero) {
  RequestRecord record = sound();
  AttemptSettle& s = record.attempts[0].settle;
  s.usage = {};
  s.usage.input = 3;
  s.price = R"({"currency":"CNY","input":"0.0000005"})";  // 1.5 pico
  s.cost->pico = 2;
  s.usd_rate = 250'000'000'000;  // 0.5 pico
  s.usd_pico = 1;
  record.attempts[0].open.markup = 500'000'000'000;
  s.charge_usd_pico = 2;
  record.settle.usd_pico = 1;
  record.settle.charge_usd_pico = 2;
  EXPECT_EQ(all(recompute(record)), "");
}

}  // namespace
}  // namespace fairlead::cli
