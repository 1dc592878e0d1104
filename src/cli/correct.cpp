// `fairlead correct`: an amount that the rows do not have, as a line of its own, in the month in which it is booked.
#include "cli/books.h"
#include "cli/commands.h"
#include "cli/correction_checks.h"
#include "cli/table.h"
#include "cli/time.h"
#include "daemon/clock.h"

#include <CLI/CLI.hpp>

#include <iostream>
#include <limits>
#include <memory>
#include <optional>
#include <utility>

namespace fairlead::cli {
namespace {

struct CorrectionChoice {
  BooksChoice books;
  std::string amount, currency = "USD", usd, charge, day;
  Correction correction;
};

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

std::optional<Int128> amount_if_given(const std::string& text) { return text.empty() ? std::nullopt : parse_amount(text); }

/// What is wrong with the options alone; empty: nothing. Takes amounts and times out of them.
std::string read_correction(const CorrectionChoice& choice, Correction& correction) {
  if (std::string wrong = wrong_reason(correction.reason); !wrong.empty()) return wrong;
  if (correction.request_id.empty() && (correction.provider.empty() || choice.day.empty()))
    return "say what is corrected: --request ID, or --provider NAME and --day DATE";
  if (!choice.day.empty()) correction.day = parse_time(choice.day);
  if (correction.day && *correction.day > correction.booked_at) return "--day " + choice.day + " is still to come";
  const auto currency = parse_currency(choice.currency);
  if (!currency) return "'" + printable(choice.currency) + "' is not a currency, such as CNY";
  correction.amount = {*parse_amount(choice.amount), *currency};
  const CorrectionAmounts given{correction.amount, amount_if_given(choice.usd), amount_if_given(choice.charge)};
  correction.usd_pico = given.usd;
  correction.charge_usd_pico = given.charge.value_or(0);
  return wrong_amounts(given);
}

/// The amount in USD, if it was not said: at the configuration's rate of today. Empty: there is none.
std::optional<Int128> usd_of(const Correction& correction, const Snapshot* snapshot) {
  if (correction.amount.currency == Currency{}) return correction.amount.pico;
  const UsdRate* rate = snapshot != nullptr ? snapshot->usd_rate(correction.amount.currency, correction.booked_at) : nullptr;
  return rate == nullptr ? std::nullopt : std::optional(multiply_pico(correction.amount.pico, rate->usd));
}

/// What is wrong with the names, by the books and the configuration; empty: nothing. Errors: as Store.
Result<std::string> wrong_names(Correction& correction, const Snapshot* snapshot, const std::string& url) {
  const auto store = open_store(url, StoreMode::read);
  if (!store) return store.error();
  if (!correction.request_id.empty()) {
    const auto request = (*store)->request(correction.request_id);
    if (!request) return request.error();
    if (!*request) return "there is no request " + printable(correction.request_id) + " in the ledger";
    if (std::string wrong = take_request(correction, **request); !wrong.empty()) return wrong;
  }
  const auto stored_keys = open_key_store(url, key_busy_ms_max);
  return unknown_name(correction, snapshot, **store, stored_keys ? stored_keys->get() : nullptr);
}

int book_correction(const CorrectionChoice& choice) {
  Correction correction = choice.correction;
  correction.booked_at = daemon::wall_clock();
  if (const std::string wrong = read_correction(choice, correction); !wrong.empty()) return fail(wrong, 2);
  std::shared_ptr<const Snapshot> snapshot;
  if (choice.books.ledger.empty()) {
    snapshot = load_config(choice.books.config, sources_with_keys(true)).snapshot;
    if (!snapshot) return 1;
  }
  if (!correction.usd_pico) correction.usd_pico = usd_of(correction, snapshot.get());
  if (!correction.usd_pico) return fail("say with --usd what this is in USD: no rate of " + choice.currency + " is known", 2);
  const std::string url = snapshot ? snapshot->ledger : choice.books.ledger;
  const auto wrong = wrong_names(correction, snapshot.get(), url);
  if (!wrong) return fail(wrong.error());
  if (!wrong->empty()) return fail(*wrong, 2);
  const auto books = open_bookkeeper(url);
  if (!books) return fail(books.error());
  if (const auto done = (*books)->correct(correction); !done) return fail(done.error());
  std::cout << "Booked: " << format_decimal(correction.amount.pico) << ' ' << choice.currency << " ("
            << format_decimal(*correction.usd_pico) << " USD), charge " << format_decimal(correction.charge_usd_pico)
            << " USD: " << printable(correction.reason) << '\n';
  return 0;
}

}  // namespace

void add_correct(CLI::App& app, int& exit_code) {
  auto* command = app.add_subcommand("correct", "Book an amount that no row has, such as a refund or a further item of an invoice");
  auto choice = std::make_shared<CorrectionChoice>();
  Correction& correction = choice->correction;
  add_books_options(*command, choice->books);
  const CLI::Validator amount(check_amount, "AMOUNT");
  command->add_option("--amount", choice->amount, "By how much the cost is more, or less (-12.50)")->check(amount)->required();
  command->add_option("--currency", choice->currency, "Its currency")->capture_default_str();
  command->add_option("--usd", choice->usd, "The same in USD; without it, at the configuration's rate of today")->check(amount);
  command->add_option("--charge", choice->charge, "By how much the charge is more or less, in USD; without it, the charge stays")
      ->check(amount);
  command->add_option("--reason", correction.reason, "Why, in a line of up to 200 characters; reports show it")->required();
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
