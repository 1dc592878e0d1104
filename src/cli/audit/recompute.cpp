#include "cli/audit/recompute.h"

#include <nlohmann/json.hpp>

#include <optional>
#include <string_view>

namespace fairlead::cli {
namespace {

using RecomputeJson = nlohmann::json;
using Pico = std::optional<Int128>;

constexpr Int128 unit = 1'000'000'000'000;  // 10^-12 of a unit of money

/// "0.0028" in 10^-12. Digit by digit, without the product's parser.
Pico decimal(const std::string& text) {
  Int128 value = 0;
  int after_point = -1;  // no point yet
  for (const char c : text) {
    if (c == '.' && after_point < 0) {
      after_point = 0;
      continue;
    }
    if (c < '0' || c > '9' || after_point == 12) return std::nullopt;
    value = value * 10 + (c - '0');
    if (after_point >= 0) ++after_point;
  }
  if (text.empty()) return std::nullopt;
  for (int i = after_point < 0 ? 0 : after_point; i < 12; ++i) value *= 10;
  return value;
}

/// numerator / denominator, halves away from 0.
Int128 rounded(Int128 numerator, Int128 denominator) {
  const Int128 whole = numerator / denominator, rest = numerator % denominator;
  if (rest >= 0) return 2 * rest >= denominator ? whole + 1 : whole;
  return -2 * rest >= denominator ? whole - 1 : whole;
}

std::string shown(const Pico& amount) { return amount ? std::to_string(static_cast<std::int64_t>(*amount)) : "unknown"; }

struct Expected {
  Pico cost;
  std::string currency;
  std::string wrong;  ///< why there is none to compare with
};

/// What the tokens cost at the row's own price.
Expected expected_cost(const AttemptSettle& row) {
  if (row.price.empty()) return {};
  const RecomputeJson price = RecomputeJson::parse(row.price, nullptr, false);
  if (!price.is_object() || !price.contains("currency") || !price["currency"].is_string()) return {{}, {}, "its price is no price"};
  Expected expected{{}, price["currency"].get<std::string>(), {}};
  const auto rate = [&](const char* kind) -> Pico {
    return price.contains(kind) && price[kind].is_string() ? decimal(price[kind].get<std::string>()) : Pico();
  };
  const Pico input = rate("input"), output = rate("output"), cached = rate("cached_input"), written = rate("cache_write");
  Int128 millionths = 0;
  bool known = true;
  const auto add = [&](const std::optional<std::int64_t>& tokens, const Pico& per_million) {
    if (!tokens || *tokens == 0) return;
    if (*tokens < 0) expected.wrong = "it has fewer than 0 tokens";
    if (!per_million) known = false;
    millionths += Int128{*tokens} * per_million.value_or(0);
  };
  add(row.usage.input, input);
  add(row.usage.cached_input, cached ? cached : input);
  add(row.usage.cache_write, written ? written : input);
  add(row.usage.output, output);
  add(row.usage.reasoning, output);
  if (known) expected.cost = rounded(millionths, 1'000'000);
  const auto above = price.value("above_input_tokens", std::int64_t{0});
  if (above > 0 && row.usage.input_total() <= above)
    expected.wrong =
        "its price holds above " + std::to_string(above) + " input tokens, and it has " + std::to_string(row.usage.input_total());
  return expected;
}

class AttemptCheck {
 public:
  AttemptCheck(const RequestRecord::Attempt& attempt, std::vector<std::string>& wrong) : attempt_(attempt), wrong_(wrong) {}

  void check() {
    const AttemptSettle& row = attempt_.settle;
    if (row.usage_source == UsageSource::none) {
      const bool nothing = (!row.cost || row.cost->pico == 0) && row.usd_pico.value_or(0) == 0 &&
                           row.charge_usd_pico.value_or(0) == 0 && row.usage.input_total() == 0 && row.usage.output_total() == 0;
      if (!nothing) say("nothing was consumed, and it has tokens or a cost");
      return;
    }
    const Expected expected = expected_cost(row);
    if (!expected.wrong.empty()) say(expected.wrong);
    compare("cost_pico", row.cost ? Pico(row.cost->pico) : Pico(), expected.cost, "its tokens at its price");
    if (row.cost && expected.cost && row.cost->currency.view() != expected.currency)
      say("its cost is in " + std::string(row.cost->currency.view()) + ", and its price in " + expected.currency);
    Pico usd, charge;
    if (row.cost && row.usd_rate) usd = rounded(row.cost->pico * *row.usd_rate, unit);
    compare("usd_pico", row.usd_pico, usd, "its cost at its rate");
    if (row.usd_pico) charge = *row.usd_pico + rounded(*row.usd_pico * attempt_.open.markup, unit);
    compare("charge_usd_pico", row.charge_usd_pico, charge, "its cost and the markup");
  }

 private:
  void compare(const char* column, const Pico& has, const Pico& expected, const char* of) {
    if (has != expected) say(std::string(column) + " is " + shown(has) + ", and " + of + " makes " + shown(expected));
  }
  void say(const std::string& what) { wrong_.push_back("attempt " + std::to_string(attempt_.open.number) + ": " + what); }

  const RequestRecord::Attempt& attempt_;
  std::vector<std::string>& wrong_;
};

}  // namespace

std::vector<std::string> recompute(const RequestRecord& record) {
  std::vector<std::string> wrong;
  Int128 usd = 0, charge = 0;
  for (const RequestRecord::Attempt& attempt : record.attempts) {
    if (attempt.state == RowState::open) continue;
    AttemptCheck(attempt, wrong).check();
    usd += attempt.settle.usd_pico.value_or(0);
    charge += attempt.settle.charge_usd_pico.value_or(0);
  }
  if (record.state == RowState::open) return wrong;
  const auto sum = [&](const char* column, Int128 has, Int128 expected) {
    if (has != expected)
      wrong.push_back("the request's " + std::string(column) + " is " + shown(has) + ", and its attempts make " + shown(expected));
  };
  sum("usd_pico", record.settle.usd_pico, usd);
  sum("charge_usd_pico", record.settle.charge_usd_pico, charge);
  if (record.settle.attempts != static_cast<int>(record.attempts.size()))
    wrong.push_back("the request says that it had " + std::to_string(record.settle.attempts) + " attempts, and has " +
                    std::to_string(record.attempts.size()));
  return wrong;
}

}  // namespace fairlead::cli
