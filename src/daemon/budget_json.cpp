#include "daemon/budget_json.h"

#include <nlohmann/json.hpp>

namespace fairlead::daemon {
namespace {

using BudgetJson = nlohmann::ordered_json;

constexpr Int128 credit_usd_max = Int128{9'000'000} * pico_per_unit;
constexpr std::size_t note_bytes_max = 1'000;

std::string text_of(const BudgetJson& json) { return json.dump(2, ' ', false, BudgetJson::error_handler_t::replace) + "\n"; }

BudgetJson json_of(const state::BudgetState& budget) {
  BudgetJson json{{"budget", budget.id},
                  {"of", to_string(budget.of)},
                  {"name", budget.name},
                  {"per", to_string(budget.per)},
                  {"limit_usd", format_decimal(budget.limit)},
                  {"charged_usd", format_decimal(budget.charged)},
                  {"held_usd", format_decimal(budget.held)},
                  {"left_usd", format_decimal(budget.left())}};
  if (!budget.span.until) return json;
  json["time_zone"] = budget.zone;
  json["from"] = iso_8601(budget.span.from);
  json["until"] = iso_8601(*budget.span.until);
  return json;
}

Error wrong(std::string message) { return {ErrorKind::bad_request, ErrorOrigin::app, std::move(message)}; }

std::string text_at(const BudgetJson& json, const char* name) {
  const auto found = json.find(name);
  return found != json.end() && found->is_string() ? found->get<std::string>() : "";
}

}  // namespace

std::string budgets_json(std::span<const state::BudgetState> budgets) {
  BudgetJson list = BudgetJson::array();
  for (const state::BudgetState& budget : budgets) list.push_back(json_of(budget));
  return text_of({{"budgets", std::move(list)}});
}

std::string credits_json(std::span<const Credit> credits) {
  BudgetJson list = BudgetJson::array();
  for (const Credit& credit : credits)
    list.push_back({{std::string(to_string(credit.of)), credit.name},
                    {"usd", format_decimal(credit.usd_pico)},
                    {"at", iso_8601(credit.at)},
                    {"note", credit.note}});
  return text_of({{"credits", std::move(list)}});
}

std::string notice_json(const state::BudgetNotice& notice) {
  BudgetJson json{{"event", "budget_share_reached"}, {"share", format_decimal(notice.share)}};
  json.update(json_of(notice.at));
  return json.dump(-1, ' ', false, BudgetJson::error_handler_t::replace);
}

Result<Credit> read_credit(std::string_view json) {
  const BudgetJson asked = BudgetJson::parse(json, nullptr, false);
  if (!asked.is_object()) return wrong("expected a JSON object with key or team, usd and note");
  for (const auto& [name, value] : asked.items())
    if (name != "key" && name != "team" && name != "usd" && name != "note") return wrong("there is no field '" + name + "'");
  Credit credit;
  const std::string key = text_at(asked, "key"), team = text_at(asked, "team");
  if (key.empty() == team.empty()) return wrong("name either a key or a team");
  credit.of = key.empty() ? BudgetOf::team : BudgetOf::key;
  credit.name = key.empty() ? team : key;
  std::string_view usd;
  const std::string written = text_at(asked, "usd");
  usd = written;
  const bool back = usd.starts_with('-');
  if (back) usd.remove_prefix(1);
  const auto amount = parse_decimal(usd);
  if (!amount || *amount == 0 || *amount > credit_usd_max) return wrong("usd is a text such as \"25.00\", 9000000 at most");
  credit.usd_pico = back ? -*amount : *amount;
  credit.note = text_at(asked, "note");
  if (credit.note.size() > note_bytes_max) return wrong("the note is longer than 1,000 bytes");
  return credit;
}

}  // namespace fairlead::daemon
