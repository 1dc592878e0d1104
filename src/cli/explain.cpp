// `fairlead explain ID|last`: a request of the past from the ledger: who asked, why it went where it went, and what it cost.
#include "cli/books.h"
#include "cli/commands.h"
#include "cli/explain_json.h"
#include "cli/explain_text.h"

#include <CLI/CLI.hpp>

#include <iostream>
#include <memory>

namespace fairlead::cli {
namespace {

struct Wanted {
  BooksChoice books;
  std::string id;
  std::string format = "table";
};

int explain(const Wanted& wanted) {
  const auto store = open_books(wanted.books);
  if (!store) return 1;
  const auto record = store->request(wanted.id);
  if (!record) return fail(record.error());
  if (!*record) {
    std::cerr << "fairlead: "
              << (wanted.id == "last" ? "the ledger has no request yet" : "no request '" + wanted.id + "' in the ledger") << '\n';
    return 1;
  }
  std::cout << (wanted.format == "json" ? explain_json(**record) : explain_text(**record));
  return 0;
}

}  // namespace

void add_explain(CLI::App& app, int& exit_code) {
  auto* command = app.add_subcommand("explain", "Show why a past request went where it went, and what it cost");
  auto wanted = std::make_shared<Wanted>();
  command->add_option("id", wanted->id, "The request's id (x-request-id), or 'last'")->required();
  add_books_options(*command, wanted->books);
  command->add_option("--format", wanted->format, "The form of the answer")
      ->check(CLI::IsMember({"table", "json"}))
      ->capture_default_str();
  command->callback([wanted, &exit_code] { exit_code = explain(*wanted); });
}

}  // namespace fairlead::cli
