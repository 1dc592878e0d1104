// `usage` in the columns of FOCUS (the FinOps Foundation's specification of cost and usage data), as far as they fit.
#include "cli/usage_report.h"

#include <fairlead/bookkeeper.h>

#include "cli/table.h"
#include "cli/time.h"

#include <nlohmann/json.hpp>

namespace fairlead::cli {
namespace {

/// In the order of focus_query().
enum Place : std::size_t { at_day, at_provider, at_model, at_target, at_currency, at_team, at_project, at_key, at_route };

constexpr const char* focus_columns[] = {"BilledCost",
                                         "BillingAccountId",
                                         "BillingAccountName",
                                         "BillingCurrency",
                                         "BillingPeriodStart",
                                         "BillingPeriodEnd",
                                         "ChargeCategory",
                                         "ChargeClass",
                                         "ChargeDescription",
                                         "ChargeFrequency",
                                         "ChargePeriodStart",
                                         "ChargePeriodEnd",
                                         "ConsumedQuantity",
                                         "ConsumedUnit",
                                         "ContractedCost",
                                         "EffectiveCost",
                                         "InvoiceIssuerName",
                                         "PricingQuantity",
                                         "PricingUnit",
                                         "ProviderName",
                                         "PublisherName",
                                         "ServiceCategory",
                                         "ServiceSubcategory",
                                         "ServiceName",
                                         "SkuId",
                                         "SubAccountId",
                                         "SubAccountName",
                                         "Tags",
                                         "x_CostUSD",
                                         "x_ChargeUSD"};

std::string focus_time(TimePoint at) { return day_text(at) + "T00:00:00Z"; }

std::string tokens_in(const Usage& u) {
  std::int64_t sum = 0;
  for (const auto& kind : {u.input, u.cached_input, u.cache_write, u.output, u.reasoning}) sum += kind.value_or(0);
  return std::to_string(sum);
}

std::string tags_of(const std::vector<std::string>& group) {
  nlohmann::ordered_json tags = nlohmann::ordered_json::object();
  for (const auto& [name, at] : {std::pair("team", at_team), {"project", at_project}, {"key", at_key}, {"route", at_route}})
    if (!group[at].empty()) tags[name] = group[at];
  return tags.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

std::vector<std::string> focus_row(const ReportRow& row) {
  const auto& group = row.group;
  const bool correction = !row.correction.empty();
  const TimePoint day = parse_time(group[at_day]).value_or(TimePoint());
  const Month month = parse_month(group[at_day].substr(0, 7)).value_or(Month());
  const std::string cost = format_decimal(row.cost.empty() ? 0 : row.cost.front().pico);
  const std::string quantity = correction ? "" : tokens_in(row.usage), unit = correction ? "" : "Tokens";
  const std::string& service = group[at_model].empty() ? group[at_provider] : group[at_model];  // a correction may be of no model
  const std::string what = correction ? row.correction : "Tokens of " + group[at_model] + " at " + group[at_provider];
  return {cost,
          group[at_provider],
          group[at_provider],
          group[at_currency],
          focus_time(month.from),
          focus_time(month.until),
          correction ? "Adjustment" : "Usage",
          correction ? "Correction" : "",
          what,
          correction ? "One-Time" : "Usage-Based",
          focus_time(day),
          focus_time(day + std::chrono::days(1)),
          quantity,
          unit,
          cost,
          cost,
          group[at_provider],
          quantity,
          unit,
          group[at_provider],
          group[at_provider],
          "AI and Machine Learning",
          "Generative AI",
          service,
          group[at_target],
          group[at_team],
          group[at_team],
          tags_of(group),
          format_decimal(row.usd_pico),
          format_decimal(row.charge_usd_pico)};
}

}  // namespace

ReportQuery focus_query(std::optional<TimePoint> since, std::optional<TimePoint> until) {
  return {{"day", "provider", "model", "target", "currency", "team", "project", "key", "route"}, since, until};
}

void write_usage_focus(std::ostream& to, const UsageReport& report) {
  std::vector<const ReportRow*> billed;  // the cost of the others is unknown, and no bill has such a line
  for (const UsageRow& row : report.rows)
    if (!row.now.cost.empty()) billed.push_back(&row.now);
  LongTable table;
  for (const char* title : focus_columns) table.columns.push_back({title});
  table.rows = billed.size();
  table.fill = [&](std::size_t row, std::vector<std::string>& cells) { cells = focus_row(*billed[row]); };
  write_csv(to, table);
}

}  // namespace fairlead::cli
