// Charges by the hundred thousand, or as many as FAIRLEAD_CHARGES says (a million takes half a minute without optimisation), of
// fractions of a millionth of a dollar add up exactly, wherever they are added up: by SQL, and in the reports of `fairlead usage`.
// In binary floating point they would not: 2.8 and 3.625 billionths have no exact sum there.
#include <fairlead/price.h>

#include <gtest/gtest.h>
#include <sqlite3.h>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <iostream>
#include <sstream>

#include "cli/commands.h"
#include "unit/store/rows.h"

namespace fairlead::cli {
namespace {

using Json = nlohmann::json;

std::int64_t wanted_charges() {
  const char* said = std::getenv("FAIRLEAD_CHARGES");
  return said == nullptr ? 100'000 : std::stoll(said);
}
const std::int64_t charges = wanted_charges();
constexpr int keys = 7;

Price price_of_charges() {
  Price price;
  price.currency = *parse_currency("USD");
  price.rates.input = *parse_decimal("0.0028");     // of a million tokens: 2.8 billionths of a dollar for each
  price.rates.output = *parse_decimal("0.003625");  // 3.625
  return price;
}

/// Request i has 1 to 3 tokens, of input or of output by turns.
class Charges final : public RecordSource {
 public:
  Charges() {
    const std::string id = "req_0000000";
    record_ = test::record_of(test::request_open(id), {test::settled_attempt(test::attempt_open(id), test::attempt_settle(id))},
                              test::request_settle(id));
    force_.entry = &price_;
    force_.rates = price_.rates;
  }
  const RequestRecord* next() override {
    if (at_ == charges) return nullptr;
    RequestRecord::Attempt& attempt = record_.attempts[0];
    std::string id = std::to_string(at_);
    id = "req_" + std::string(7 - id.size(), '0') + id;
    record_.open.id = record_.settle.id = attempt.open.request_id = attempt.settle.request_id = id;
    record_.open.key = "key" + std::to_string(at_ % keys);
    Usage usage;
    (at_ % 2 == 0 ? usage.input : usage.output) = tokens_of(at_);
    attempt.settle.usage = usage;
    attempt.settle.cost = *cost_of(usage, force_);
    attempt.settle.usd_pico = attempt.settle.charge_usd_pico = record_.settle.usd_pico = record_.settle.charge_usd_pico =
        attempt.settle.cost->pico;
    ++at_;
    return &record_;
  }
  static std::int64_t tokens_of(std::int64_t i) { return i / 2 % 3 + 1; }
  /// In 10^-12 USD, by whole numbers alone.
  static std::int64_t exact(std::int64_t i) { return tokens_of(i) * (i % 2 == 0 ? 2'800 : 3'625); }

 private:
  Price price_ = price_of_charges();
  PriceInForce force_;
  RequestRecord record_;
  std::int64_t at_ = 0;
};

std::string usage_of(const std::string& ledger, const std::string& format) {
  CLI::App app;
  int code = -1;
  add_usage(app, code);
  std::ostringstream out;
  std::streambuf* const before = std::cout.rdbuf(out.rdbuf());
  app.parse("usage --ledger sqlite:" + ledger + " --by key --format " + format);
  std::cout.rdbuf(before);
  EXPECT_EQ(code, 0);
  return out.str();
}

std::vector<std::string> cells_of(const std::string& line) {
  std::vector<std::string> cells;
  std::istringstream rest(line);
  for (std::string cell; std::getline(rest, cell, ',');) cells.push_back(cell);
  return cells;
}

TEST(Charges, AddUpExactlyInSqlCsvAndJson) {
  const test::Folder folder;
  const std::string ledger = folder.file("ledger.db");
  {
    auto store = open_store("sqlite:" + ledger, StoreMode::write);
    ASSERT_TRUE(store);
    Charges source;
    ASSERT_TRUE((*store)->save(source));
  }
  std::int64_t sum = 0;
  std::array<std::int64_t, keys> of_key{};
  for (std::int64_t i = 0; i < charges; ++i) {
    sum += Charges::exact(i);
    of_key.at(static_cast<std::size_t>(i % keys)) += Charges::exact(i);
  }

  sqlite3* sql = nullptr;
  ASSERT_EQ(sqlite3_open(ledger.c_str(), &sql), SQLITE_OK);
  sqlite3_stmt* query = nullptr;
  sqlite3_prepare_v2(sql, "SELECT sum(cost_pico), sum(usd_pico), sum(charge_usd_pico), count(*) FROM attempts", -1, &query,
                     nullptr);
  ASSERT_EQ(sqlite3_step(query), SQLITE_ROW);
  for (const int column : {0, 1, 2}) EXPECT_EQ(sqlite3_column_int64(query, column), sum);
  EXPECT_EQ(sqlite3_column_int64(query, 3), charges);
  sqlite3_finalize(query);
  sqlite3_close(sql);

  const Json json = Json::parse(usage_of(ledger, "json"));
  EXPECT_EQ(json["total"]["cost_usd"], format_decimal(sum));
  EXPECT_EQ(json["total"]["billed"]["USD"], format_decimal(sum));
  ASSERT_EQ(json["rows"].size(), std::size_t{keys});
  for (const Json& row : json["rows"]) {
    const auto key = static_cast<std::size_t>(row["key"].get<std::string>().back() - '0');
    EXPECT_EQ(row["cost_usd"], format_decimal(of_key.at(key)));
  }

  std::istringstream csv(usage_of(ledger, "csv"));
  std::string line;
  std::getline(csv, line);
  if (!line.empty() && line.back() == '\r') line.pop_back();
  const std::vector<std::string> titles = cells_of(line);
  const auto cost = static_cast<std::size_t>(std::find(titles.begin(), titles.end(), "cost_usd") - titles.begin());
  ASSERT_LT(cost, titles.size()) << line;
  Int128 added = 0;
  while (std::getline(csv, line)) {
    if (!line.empty() && line.back() == '\r') line.pop_back();
    added += *parse_decimal(cells_of(line).at(cost));
  }
  EXPECT_EQ(added, Int128{sum});
}

}  // namespace
}  // namespace fairlead::cli
