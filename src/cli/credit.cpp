// `fairlead credit`: tops up what keys and teams pay from, by the running daemon's admin side, and lists what was put in.
#include "cli/admin_side.h"
#include "cli/books.h"
#include "cli/commands.h"
#include "cli/subcommands.h"
#include "cli/table.h"
#include "daemon/ask.h"

#include <fairlead/money.h>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <iostream>
#include <memory>
#include <string>
#include <string_view>

namespace fairlead::cli {
namespace {

using CreditJson = nlohmann::json;

constexpr std::string_view credit_path = "/admin/v1/credit";

struct CreditWanted {
  AdminChoice side;
  std::string key, team, usd, note;
  bool json = false;
};

std::string word(const CreditJson& object, const char* name) {
  const auto at = object.find(name);
  return at != object.end() && at->is_string() ? printable(at->get<std::string>()) : "";
}

/// The array of this name in what the daemon says. Empty after saying on stderr why there is none.
CreditJson told_by(const CreditWanted& wanted, const daemon::Asked& asked, const char* name) {
  const std::string admin = admin_of(wanted.side);
  if (admin.empty()) return {};
  const auto told = daemon::ask(admin, asked);
  if (!told) {
    fail(told.error());
    return {};
  }
  const CreditJson answer = CreditJson::parse(told->body, nullptr, false);
  if (told->status == 200 && answer.is_object() && answer.contains(name) && answer[name].is_array()) return answer[name];
  const bool explained = answer.is_object() && answer.contains("error") && answer["error"].is_object();
  std::cerr << "fairlead: "
            << (explained ? word(answer["error"], "message")
                          : "what answers at " + admin + " knows no credit: HTTP " + std::to_string(told->status))
            << '\n';
  return {};
}

int add(const CreditWanted& wanted) {
  CreditJson body{{"usd", wanted.usd}, {"note", wanted.note}};
  if (!wanted.key.empty()) body["key"] = wanted.key;
  if (!wanted.team.empty()) body["team"] = wanted.team;
  const std::string text = body.dump(-1, ' ', false, CreditJson::error_handler_t::replace);
  const CreditJson budgets = told_by(wanted, {credit_path, "POST", text}, "budgets");
  if (budgets.is_null()) return 1;
  for (const CreditJson& budget : budgets)
    std::cout << word(budget, "budget") << ": " << word(budget, "limit_usd") << " USD put in, " << word(budget, "left_usd")
              << " USD left\n";
  return 0;
}

int list(const CreditWanted& wanted) {
  const CreditJson credits = told_by(wanted, {credit_path, "GET"}, "credits");
  if (credits.is_null()) return 1;
  if (wanted.json) {
    std::cout << credits.dump(2, ' ', false, CreditJson::error_handler_t::replace) << '\n';
    return 0;
  }
  Table table;
  table.columns = {{"at"}, {"of"}, {"name"}, {"USD", true}, {"note"}};
  for (const CreditJson& credit : credits) {
    const char* of = credit.contains("key") ? "key" : "team";
    table.rows.push_back({word(credit, "at"), of, word(credit, of), word(credit, "usd"), word(credit, "note")});
  }
  std::cout << (table.rows.empty() ? "Nothing was put in.\n" : to_text(table));
  return 0;
}

}  // namespace

void add_credit(CLI::App& app, int& exit_code) {
  auto* command = app.add_subcommand("credit", "Top up what keys and teams with `credit: true` pay from; asks the running daemon");
  auto wanted = std::make_shared<CreditWanted>();

  auto* adding = command->add_subcommand("add", "Put an amount in; a negative one takes it back");
  add_admin_options(*adding, wanted->side);
  auto* who = adding->add_option_group("who");
  who->add_option("--key", wanted->key, "The key that pays from it");
  who->add_option("--team", wanted->team, "Or the team");
  who->require_option(1);
  adding->add_option("--usd", wanted->usd, "How much, such as 25.00")->required()->check([](const std::string& text) {
    return parse_decimal(std::string_view(text).substr(text.starts_with('-') ? 1 : 0))
               ? ""
               : "'" + text + "' is no amount such as 25.00";
  });
  adding->add_option("--note", wanted->note, "A note beside it, such as the invoice");
  adding->callback([wanted, &exit_code] { exit_code = add(*wanted); });

  auto* listing = command->add_subcommand("list", "All that was put in, oldest first");
  add_admin_options(*listing, wanted->side);
  listing->add_flag("--json", wanted->json, "Print JSON");
  listing->callback([wanted, &exit_code] { exit_code = list(*wanted); });
  require_one_of_its_commands(*command);
}

}  // namespace fairlead::cli
