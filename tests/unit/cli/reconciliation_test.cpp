// A provider's bill against the ledger: read strictly, compared exactly.
#include "cli/reconcile/reconciliation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "cli/reconcile/csv.h"
#include "cli/reconcile/mapping.h"
#include "unit/store/rows.h"

namespace fairlead::cli {
namespace {

using test::attempt_open;
using test::attempt_settle;
using test::noon;
using test::record_of;
using test::request_open;
using test::request_settle;
using test::settled_attempt;
using testing::HasSubstr;

std::string cells(const std::vector<CsvRow>& rows) {
  std::string text;
  for (const CsvRow& row : rows) {
    for (const CsvCell& cell : row) text += cell.text + "|";
    text += "/";
  }
  return text;
}

TEST(Csv, ReadsWhatTheStandardAllowsAndTellsWhereTheRestIsWrong) {
  const struct {
    const char* text;
    const char* cells;  ///< or the error
  } cases[] = {
      {"a,b\r\n1,2\r\n", "a|b|/1|2|/"},
      {"a,b\n1,2", "a|b|/1|2|/"},
      {"\xef\xbb\xbf"
       "a,b\r\n\r\n1,\r\n",
       "a|b|/1||/"},
      {"a,b\n\"x, \"\"y\"\"\nz\",2\n", "a|b|/x, \"y\"\nz|2|/"},
      {"", ""},
      {"a,b\n1,2,3\n", "2:1: 3 cells, and the first row has 2"},
      {"a,b\n1,2\"\n", "2:4: a quote inside of a cell that does not begin with one"},
      {"a,b\n1,\"2\n", "2:3: the quote that begins here never ends"},
      {"a,b\n\"1\"x,2\n", "2:4: text behind the closing quote of a cell"},
      {"a,b\n\"1\n1\",2x\"\n", "3:6: a quote inside of a cell that does not begin with one"},
      {"a\rb\n", "1:2: a carriage return without a line feed"},
  };
  for (const auto& c : cases) {
    const auto rows = read_csv(c.text);
    EXPECT_EQ(rows ? cells(*rows) : rows.error().message(), c.cells) << c.text;
  }
}

TEST(Figure, IsExactOrRefused) {
  const struct {
    const char* text;
    const char* figure;
  } cases[] = {
      {"0", "0"},
      {"0.000", "0"},
      {"12", "12"},
      {"-0.5", "-0.5"},
      {"0.0000000000000001", "0.0000000000000001"},
      {"1.2e-05", "0.000012"},
      {"3E+3", "3000"},
      {"999999999999999999", "999999999999999999"},
      {"2.50000000000000000000", "2.5"},
      {"1,234", "'1,234' is no figure: write it without separators of thousands, and with a point"},
      {"$5", "'$5' is no figure: digits with at most one point"},
      {"1.2.3", "'1.2.3' is no figure: digits with at most one point"},
      {"", "'' is no figure: digits with at most one point"},
      {"0.0000000000000000001", "'0.0000000000000000001' is no figure: more than 18 decimals"},
      {"9999999999999999999", "'9999999999999999999' is no figure: too large"},
      {"1e99", "'1e99' is no figure: its exponent is not a small whole number"},
  };
  for (const auto& c : cases) {
    const auto figure = parse_figure(c.text);
    EXPECT_EQ(figure ? figure_text(*figure) : figure.error().message(), c.figure) << c.text;
  }
}

Result<Bill> bill_by(std::string_view text, const std::string& mapping) {
  if (mapping.empty()) return read_bill(text, nullptr);
  const auto own = parse_mapping("map.json", mapping);
  if (!own) return own.error();
  return read_bill(text, &*own);
}

/// "2026-11-01 deepseek-chat input 36; ..." of what a bill says.
std::string told(const Result<Bill>& bill) {
  if (!bill) return bill.error().message();
  std::string text;
  for (const auto& [key, figures] : bill->lines) {
    text += key.day + " " + key.model;
    if (!key.attempt.empty()) text += " " + key.attempt;
    for (std::size_t i = 0; i < measure_count; ++i)
      if (figures[i]) text += " " + std::string(to_string(static_cast<Measure>(i))) + " " + figure_text(*figures[i]);
    text += "; ";
  }
  return text + bill->currency;
}

TEST(Bill, ReadsWhatProvidersExport) {
  const struct {
    const char* text;
    const char* mapping;
    const char* told;
  } cases[] = {
      {"user_id,utc_date,model,api_key_name,api_key,type,price,amount\n"
       "u,2026-11-01,deepseek-chat,k,sk-*,input_cache_miss_tokens,0.00000028,36\n"
       "u,2026-11-01,deepseek-chat,k,sk-*,input_cache_hit_tokens,0.000000028,64\n"
       "u,2026-11-01,deepseek-chat,j,sk-*,output_tokens,0.00000042,15\n"
       "u,2026-11-01,deepseek-chat,k,sk-*,output_tokens,0.00000042,25\n"
       "u,2026-11-01,deepseek-chat,k,sk-*,request_count,,1\n",
       "", "2026-11-01 deepseek-chat requests 1 input 36 cached_input 64 output 40; "},
      {"user_id,utc_date,model,wallet_type,cost,currency\nu,2026-11-01,deepseek-chat,TOPUP,0.0002048000000000,CNY\n", "",
       "2026-11-01 deepseek-chat cost 0.0002048; CNY"},
      {"start_time,end_time,start_time_iso,model,num_model_requests,input_tokens,output_tokens,input_cached_tokens\n"
       "1793491200,1793577600,2026-11-01T00:00:00+00:00,gpt-x,2,100,40,64\n",
       "", "2026-11-01 gpt-x requests 2 input 36 cached_input 64 output 40; "},
      {"start_time,start_time_iso,amount_value,amount_currency,line_item\n"
       "1793491200,2026-11-01T00:00:00+00:00,1.5e-05,usd,\"gpt-x, input\"\n1793491200,2026-11-01T00:00:00+00:00,0.25,usd,\"gpt-x, "
       "output\"\n",
       "", "2026-11-01 gpt-x cost 0.250015; USD"},
      {"账单日期,实例ID,用量,用量单位,应付金额,币种\n20261101,text_token;llm-1;qwen-plus;input_token;app,0.036,千tokens,0.01,CNY\n"
       "20261101,text_token;llm-1;qwen-plus;output_token;app,0.04,千tokens,0.02,CNY\n",
       "", "2026-11-01 qwen-plus input 36 output 40 cost 0.03; CNY"},
      {"when,what,in,out,eur\n1793573999,m,5,6,0.1\n",
       R"({"zone":"+02:00","day":"when","model":"what","figures":{"input":"in","output":"out"},"cost":"eur","currency_always":"EUR"})",
       "2026-11-02 m input 5 output 6 cost 0.1; EUR"},
      // A time that states its distance from UTC is of the day that it is in the bill's zone, any other of the day that it names.
      {"d,m,c\n2026-11-01T20:00:00Z,m,1\n2026-11-01T20:00:00,m,2\n2026-11-01 15:59:59+00:00,m,4\n2026-11-02T00:30+0800,m,8\n"
       "2026-11-01T11:30:00.000-05,m,16\n2026-11-01 13:00-14:00,m,32\n",
       R"({"zone":"+08:00","day":"d","model":"m","cost":"c","currency_always":"USD"})",
       "2026-11-01 m cost 38; 2026-11-02 m cost 25; USD"},
      {"d,m,c\n2026-11-01T00:00:00+08:00,m,1\n2026-11-01T00:00:00+00:00,m,2\n2026-10-31T23:00:00-01:00,m,4\n",
       R"({"day":"d","model":"m","cost":"c","currency_always":"USD"})", "2026-10-31 m cost 1; 2026-11-01 m cost 6; USD"},
      {R"({"client_request_id":"r1-1","model":"m","at":"2026-11-01T12:00:00.000000Z","prompt_tokens":100,"cached_tokens":64,)"
       R"("cache_write_tokens":0,"completion_tokens":40,"cost":"0.5"})",
       "", "2026-11-01 m r1-1 input 36 cached_input 64 cache_write 0 output 40 cost 0.5; USD"},
      // What is wrong is told with line and column.
      {"utc_date,model,cost,currency\n2026-11-01,m,\"1,234.5\",CNY\n", "",
       "2:14: '1,234.5' is no figure: write it without separators of thousands, and with a point"},
      {"utc_date,model,cost,currency\n2026-13-01,m,1,CNY\n", "", "2:1: '2026-13-01' is no day, such as 2026-11-01, nor a time"},
      {"utc_date,model,cost,currency\n2026-11-01,m,1,CNY\n2026-11-01,m,1,USD\n", "",
       "3:16: the bill is in CNY before, and in USD here: reconcile each apart"},
      {"utc_date,model,type,amount\n2026-11-01,m,magic_tokens,1\n", "", "2:14: 'magic_tokens' is no kind that the mapping knows"},
      {"utc_date,model,type,amount\n2026-11-01,,output_tokens,1\n", "", "2:12: it names no model"},
      {"a,b\n1,2\n", R"({"day":"a","model":"c","cost":"b","currency_always":"USD"})",
       "1:1: the columns 'c' are missing, which the mapping names"},
      {"a,b\n1,2\n", R"({"day":"a"})", "map.json: `day` and `model` are needed"},
      {"a,b\n1,2\n", "{\n  \"day\": \"a\",\n  \"model\" \"b\"}", "map.json:3:13: it is not JSON; it was read up to here"},
      {"a,b\n1,2\n", "{\"day\": \"a\"", "map.json:1:12: it is not JSON; it was read up to here"},
      {"a,b\n1,2\n", "\n [1]", "map.json:2:2: it is not a JSON object"},
      {"a,b\n1,2\n", R"({"day":"a","model":7})", "map.json: `model` is of the wrong type"},
      {"a,b\n1,2\n", R"({"zone":"+x8:00"})", "map.json: `zone` is a distance to UTC such as \"+08:00\""},
      {"a,b\n1,2\n", R"({"day":"a","model":"b","figures":{"prompt":"b"}})",
       "map.json: `figures` names 'prompt': requests, input, cached_input, cache_write, output or cost"},
      {"d,m,c\n2026-11-01,m,1\n", R"({"day":"d","model":"m","cost":"c","currency_always":"cny"})", "2026-11-01 m cost 1; CNY"},
      {"d,m,c\n2026-11-01,m,1\n", R"({"day":"d","model":"m","cost":"c","currency_always":"yuan"})",
       "map.json: `currency_always`: 'YUAN' is not a currency: three capital letters such as USD"},
      {"d,m,u,n\n2026-11-01,m,all,999999999999999999\n",
       R"({"day":"d","model":"m","amount":"n","kind":"m","kinds":{"m":"output"},"unit":"u","units":{"all":1000000000000000000}})",
       "2:18: '999999999999999999' in 'all' is too large"},
      {"", "", "1:1: it is empty"},
      {"{}", "", "1:1: it is no line of the simulator's bill"},
  };
  for (const auto& c : cases) EXPECT_EQ(told(bill_by(c.text, c.mapping)), c.told) << c.text;
  EXPECT_THAT(told(read_bill("a,b\n1,2\n", nullptr)), HasSubstr("1:1: its columns are of no known export: deepseek-amount ("));
}

TEST(Bill, AddsUpNothingThatIsTooLarge) {
  std::string text = "utc_date,model,cost,currency\n";
  for (int day = 1; day <= 30; ++day)
    text += "2026-11-" + std::string(day < 10 ? "0" : "") + std::to_string(day) + ",m,-999999999999999999,CNY\n";
  EXPECT_EQ(told(read_bill(text, nullptr)), "23:14: the figures of cost are too large to be added up");
  std::string line =
      R"({"client_request_id":"r","model":"m","at":"2026-11-01T12:00:00.000000Z","prompt_tokens":9000000000000000000,)"
      R"("cached_tokens":0,"cache_write_tokens":0,"completion_tokens":0,"cost":"0"})"
      "\n";
  EXPECT_EQ(told(read_bill(line + line + line, nullptr)), "3:1: the figures of input are too large to be added up");
}

RequestRecord booked(const std::string& id, AttemptSettle settle, TimePoint at = noon) {
  return record_of(request_open(id, at), {settled_attempt(attempt_open(id, 1, "deepseek", at), std::move(settle))},
                   request_settle(id));
}

/// "model measure bill ledger verdict; " of what is not equal.
std::string differences(const Bill& bill, const std::vector<RequestRecord>& records, const Tolerance& tolerance = {}) {
  BookSums books(bill, "deepseek", "2026-11-01", "2026-11-02");
  for (const RequestRecord& record : records) books.add(record);
  std::string text;
  for (const Compared& line : reconcile(bill, books, tolerance).lines) {
    if (line.verdict == Verdict::equal) continue;
    const auto side = [](const std::optional<Int128>& figure) { return figure ? figure_text(*figure) : "-"; };
    text += line.key.day + " " + line.key.model + " " + std::string(to_string(line.measure)) + " " + side(line.billed) + " " +
            side(line.booked) + " " + std::string(to_string(line.verdict)) + "; ";
  }
  return text;
}

Bill deepseek(const std::string& rows) { return read_bill("utc_date,model,type,amount\n" + rows, nullptr).value(); }
const std::string whole_day =
    "2026-11-01,deepseek-chat,input_cache_miss_tokens,36\n2026-11-01,deepseek-chat,input_cache_hit_tokens,64\n"
    "2026-11-01,deepseek-chat,output_tokens,40\n2026-11-01,deepseek-chat,request_count,1\n";

TEST(Reconciliation, TellsWhatDiffersAndWhatOneSideAloneHas) {
  const std::vector<RequestRecord> one{booked("r1", attempt_settle("r1"))};
  EXPECT_EQ(differences(deepseek(whole_day), one), "");
  EXPECT_EQ(differences(deepseek(whole_day + "2026-11-01,deepseek-chat,output_tokens,1\n"), one),
            "2026-11-01 deepseek-chat output 41 40 differs; ");
  EXPECT_EQ(differences(deepseek(whole_day + "2026-11-02,deepseek-chat,output_tokens,1\n"), one),
            "2026-11-02 deepseek-chat output 1 - only in the bill; ");
  EXPECT_EQ(
      differences(deepseek(whole_day), {one[0], booked("r2", attempt_settle("r2"), noon + std::chrono::days(1))}),
      "2026-11-02 deepseek-chat requests - 1 only in the ledger; 2026-11-02 deepseek-chat input - 36 only in the ledger; "
      "2026-11-02 deepseek-chat cached_input - 64 only in the ledger; 2026-11-02 deepseek-chat output - 40 only in the ledger; ");
}

TEST(Reconciliation, TakesDifferencesWithinOneOfTheTolerances) {
  const std::vector<RequestRecord> one{booked("r1", attempt_settle("r1"))};
  const Bill bill = deepseek(whole_day + "2026-11-01,deepseek-chat,output_tokens,2\n");  // 42, and the ledger has 40
  const Int128 percent = attos_per_unit / 100;
  const std::string differs = "2026-11-01 deepseek-chat output 42 40 differs; ";
  const std::string tolerated = "2026-11-01 deepseek-chat output 42 40 within tolerance; ";
  EXPECT_EQ(differences(bill, one, {4 * percent, attos_per_unit, 0}), differs);
  EXPECT_EQ(differences(bill, one, {5 * percent, 0, 0}), tolerated);
  EXPECT_EQ(differences(bill, one, {0, 2 * attos_per_unit, 0}), tolerated);
  EXPECT_EQ(differences(bill, one, {0, 0, 100 * attos_per_unit}), differs) << "a tolerance of money is none of tokens";
}

TEST(Reconciliation, TheDayIsThatOfTheBillsZone) {
  Bill bill = bill_by("d,m,o\n2026-11-02,deepseek-chat,40\n", R"({"zone":"+08:00","day":"d","model":"m","figures":{"output":"o"}})")
                  .value();
  EXPECT_EQ(differences(bill, {booked("r1", attempt_settle("r1"), noon + std::chrono::hours(4))}), "")
      << "16:00 UTC is the next day there";
}

TEST(Reconciliation, FindsTheModelByTheNameInTheAnswerTooAndAddsKindsThatTheBillDoesNotTell) {
  const Bill bill = bill_by("d,m,i,o,c\n2026-11-01,deepseek-v3.2,100,40,0.0002048\n",
                            R"({"day":"d","model":"m","figures":{"input":"i","output":"o"},"cost":"c","currency_always":"CNY"})")
                        .value();
  EXPECT_EQ(differences(bill, {booked("r1", attempt_settle("r1"))}), "");
  AttemptSettle dollars = attempt_settle("r1");
  dollars.cost->currency = Currency();
  BookSums books(bill, "", "2026-11-01", "2026-11-01");
  books.add(booked("r1", dollars));
  EXPECT_EQ(books.other_currency(), 1);
}

TEST(Reconciliation, EstimatesAreToldApart) {
  AttemptSettle estimated = attempt_settle("r1");
  estimated.usage_source = UsageSource::estimated;
  const Bill bill = deepseek(whole_day);
  BookSums books(bill, "", "2026-11-01", "2026-11-01");
  books.add(booked("r1", estimated));
  const Reconciliation result = reconcile(bill, books, {});
  EXPECT_TRUE(result.agrees());
  EXPECT_EQ(figure_text(*result.estimated[static_cast<std::size_t>(Measure::output)]), "40");
}

}  // namespace
}  // namespace fairlead::cli
