// `fairlead correct`: an amount that the rows do not have, as a line of its own, in the month in which it is booked.
#include "cli/books.h"
#include "cli/commands.h"
#include "cli/time.h"
#include "daemon/clock.h"

#include <CLI/CLI.hpp>

#include <iostream>
#include <limits>
#include <memory>
#include <optional>

namespace fairlead::cli {
namespace {

struct CorrectionChoice {
  BooksChoice books;
  std::string amount, currency = "USD", usd, charge, day;
  Correction correction;
};

int wrong_correction(const std::string& message) {
  std::cerr << "fairlead: " << message << '\n';
  return 2;
}

/// "-12.50"; empty: it is no amount that a row can hold.
std::optional<Int128> parse_amount(const std::string& text) {
  const bool negative = !text.empty() && text.front() == '-';
  const auto amount = parse_decimal(std::string_view(text).substr(negative ? 1 : 0));
  if (!amount || *amount > std::numeric_limits<std::int64_t>::max()) return std::nullopt;
  return negative ? -*amount : *amount;
}

std::string check_amount(const std::string& text) {
  return parse_amount(text) ? std::string() : "'" + text + "' is not an amount, such as 12.50 or -12.50";
}

/// The amount in USD: as it is said, or at the configuration's rate of today.
std::optional<Int128> usd_of(const CorrectionChoice& choice, Money amount, TimePoint now) {
  if (!choice.usd.empty()) return parse_amount(choice.usd);
  if (amount.currency == Currency{}) return amount.pico;
  if (!choice.books.ledger.empty()) return std::nullopt;
  const auto snapshot = books_snapshot(choice.books);
  const UsdRate* rate = snapshot ? snapshot->usd_rate(amount.currency, now) : nullptr;
  return rate == nullptr ? std::nullopt : std::optional(multiply_pico(amount.pico, rate->usd));
}

int book_correction(const CorrectionChoice& choice) {
  Correction correction = choice.correction;
  if (correction.request_id.empty() && (correction.provider.empty() || choice.day.empty()))
    return wrong_correction("say what is corrected: --request ID, or --provider NAME and --day DATE");
  const auto currency = parse_currency(choice.currency);
  if (!currency) return wrong_correction("'" + choice.currency + "' is not a currency, such as CNY");
  correction.booked_at = daemon::wall_clock();
  correction.amount = {*parse_amount(choice.amount), *currency};
  correction.usd_pico = usd_of(choice, correction.amount, correction.booked_at);
  if (!correction.usd_pico)
    return wrong_correction("say with --usd what this is in USD: no rate of " + choice.currency + " is known");
  if (!choice.charge.empty()) correction.charge_usd_pico = *parse_amount(choice.charge);
  if (!choice.day.empty()) correction.day = parse_time(choice.day);
  const auto books = open_books_to_keep(choice.books);
  if (!books) return 1;
  if (const auto done = books->correct(correction); !done) return fail(done.error());
  std::cout << "Booked: " << format_decimal(correction.amount.pico) << ' ' << choice.currency << " ("
            << format_decimal(*correction.usd_pico) << " USD), charge " << format_decimal(correction.charge_usd_pico)
            << " USD: " << correction.reason << '\n';
  return 0;
}

}  // namespace

void add_correct(CLI::App& app, int& exit_code) {
  auto* command = app.add_subcommand("correct", "Book an amount that the rows do not have: a refund, or what an invoice has more");
  auto choice = std::make_shared<CorrectionChoice>();
  Correction& correction = choice->correction;
  add_books_options(*command, choice->books);
  const CLI::Validator amount(check_amount, "AMOUNT");
  command->add_option("--amount", choice->amount, "By how much the cost is more, or less (-12.50)")->check(amount)->required();
  command->add_option("--currency", choice->currency, "Its currency")->capture_default_str();
  command->add_option("--usd", choice->usd, "The same in USD, if not at the configuration's rate of today")->check(amount);
  command->add_option("--charge", choice->charge, "By how much the charge is more or less, in USD; else it stays")->check(amount);
  command->add_option("--reason", correction.reason, "Why; reports show it")->required();
  command->add_option("--request", correction.request_id, "The request that is corrected, by its id");
  command->add_option("--provider", correction.provider, "The provider whose bill is corrected");
  command->add_option("--day", choice->day, "The day of that bill")->check(CLI::Validator(check_time, "DATE"));
  command->add_option("--model", correction.model, "The model that it counts to");
  command->add_option("--key", correction.key, "The key that it counts to");
  command->add_option("--team", correction.team, "The team that it counts to");
  command->add_option("--project", correction.project, "The project that it counts to");
  command->add_option("--route", correction.route, "The route that it counts to");
  command->callback([choice, &exit_code] { exit_code = book_correction(*choice); });
}

}  // namespace fairlead::cli
