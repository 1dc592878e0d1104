// `fairlead close`: a month is over, and what it adds up to never changes again.
#include "cli/books.h"
#include "cli/commands.h"
#include "cli/table.h"
#include "daemon/clock.h"

#include <CLI/CLI.hpp>

#include <iostream>
#include <memory>
#include <vector>

namespace fairlead::cli {
namespace {

struct CloseChoice {
  BooksChoice books;
  std::string month;
};

void tell_closings(const std::vector<Closing>& closings) {
  for (const Closing& closing : closings)
    std::cout << closing.month << " is closed since " << minute_text(closing.closed_at) << ": "
              << counted(closing.attempts, "attempt") << ", cost " << format_decimal(closing.usd_pico) << " USD, charge "
              << format_decimal(closing.charge_usd_pico) << " USD\n";
}

int close_month(const CloseChoice& choice) {
  const auto books = open_books_to_keep(choice.books);
  if (!books) return 1;
  if (choice.month.empty()) {
    const auto closings = books->closings();
    if (!closings) return fail(closings.error());
    tell_closings(*closings);
    if (closings->empty()) std::cout << "No month is closed.\n";
    return 0;
  }
  const auto month = parse_month(choice.month);
  if (!month) return fail("'" + choice.month + "' is not a month, such as 2026-10", 2);
  const auto now = daemon::wall_clock();
  const auto closed = books->close_month(*month, now);
  if (!closed) return fail(closed.error());
  tell_closings(*closed);
  return 0;
}

}  // namespace

void add_close(CLI::App& app, int& exit_code) {
  auto* command = app.add_subcommand(
      "close", "Close a month, so that its sums never change again; without a month, list those that are closed");
  auto choice = std::make_shared<CloseChoice>();
  command->add_option("month", choice->month, "The month, such as 2026-10 (UTC); all before it are closed too");
  add_books_options(*command, choice->books);
  command->callback([choice, &exit_code] { exit_code = close_month(*choice); });
}

}  // namespace fairlead::cli
