// `usage` for programs.
#include "cli/usage_report.h"

#include "cli/table.h"

#include <nlohmann/json.hpp>

#include <ostream>

namespace fairlead::cli {
namespace {

using UsageJson = nlohmann::ordered_json;

UsageJson json_count(const std::optional<std::int64_t>& value) { return value ? UsageJson(*value) : UsageJson(nullptr); }
UsageJson json_time(const std::optional<TimePoint>& at) { return at ? UsageJson(iso_8601_us(*at)) : UsageJson(nullptr); }

void add_amounts(UsageJson& json, const UsageRow& of, const UsageReport& report) {
  const ReportRow& row = of.now;
  json["billed"] = UsageJson::object();
  for (const Money& cost : row.cost) json["billed"][std::string(cost.currency.view())] = format_decimal(cost.pico);
  json["cost_usd"] = format_decimal(row.usd_pico);
  json["estimated_usd"] = format_decimal(row.estimated_usd_pico);
  json["charge_usd"] = format_decimal(row.charge_usd_pico);
  if (report.shown) {
    json["cost"] = format_decimal(report.shown->amount_of(row.usd_pico));
    json["charge"] = format_decimal(report.shown->amount_of(row.charge_usd_pico));
  }
  if (of.before) {
    json["before_usd"] = format_decimal(of.before->usd_pico);
    json["change_usd"] = format_decimal(of.change_usd_pico());
  }
  if (!report.elsewhere.empty()) {
    const bool known = of.elsewhere && !of.elsewhere->unpriced;
    json["elsewhere_usd"] = known ? UsageJson(format_decimal(of.elsewhere->usd_pico)) : UsageJson(nullptr);
    const auto saved = of.saved_usd_pico();
    json["saved_usd"] = saved ? UsageJson(format_decimal(*saved)) : UsageJson(nullptr);
  }
}

UsageJson row_json(const UsageRow& of, const UsageReport& report) {
  const ReportRow& row = of.now;
  UsageJson json = UsageJson::object();
  for (std::size_t i = 0; i < row.group.size(); ++i) json[report.query.by[i]] = row.group[i];
  if (!row.correction.empty()) json["correction"] = row.correction;
  json["requests"] = row.requests;
  json["attempts"] = row.attempts;
  json["failed_attempts"] = row.failed_attempts;
  const Usage& u = row.usage;
  json["usage"] = {
      {"input", json_count(u.input)},   {"cached_input", json_count(u.cached_input)}, {"cache_write", json_count(u.cache_write)},
      {"output", json_count(u.output)}, {"reasoning", json_count(u.reasoning)},       {"audio", json_count(u.audio)},
      {"image", json_count(u.image)}};
  json["estimated_attempts"] = row.estimated_attempts;
  json["estimated_share"] = share_text(row.estimated_attempts, row.attempts);
  json["unpriced_attempts"] = row.unpriced_attempts;
  add_amounts(json, of, report);
  return json;
}

}  // namespace

void write_usage_json(std::ostream& to, const UsageReport& report) {
  UsageJson json{{"by", report.query.by}, {"since", json_time(report.query.since)}, {"until", json_time(report.query.until)}};
  if (report.query.zone) json["zone"] = report.query.zone->name;
  if (report.before_since) json["before"] = {{"since", json_time(report.before_since)}, {"until", json_time(report.before_until)}};
  if (report.shown) {
    const UsdRate& rate = report.shown->rate;
    json["currency"] = {{"code", report.shown->currency.view()},
                        {"usd", format_decimal(rate.usd)},
                        {"from", rate.from ? UsageJson(day_text(*rate.from)) : UsageJson(nullptr)}};
  }
  if (!report.elsewhere.empty()) json["elsewhere"] = {{"target", report.elsewhere}};
  json["rows"] = UsageJson::array();
  for (const UsageRow& row : report.rows) json["rows"].push_back(row_json(row, report));
  json["left_out"] = report.left_out;
  json["total"] = row_json(report.total, report);
  to << json.dump(2, ' ', false, UsageJson::error_handler_t::replace) << '\n';
}

}  // namespace fairlead::cli
