// `fairlead archive`: lets old rows go now, as the daemon does by itself once an hour.
#include "ledger/archive.h"
#include "cli/books.h"
#include "cli/commands.h"
#include "cli/table.h"
#include "daemon/clock.h"

#include <CLI/CLI.hpp>

#include <iostream>
#include <memory>
#include <thread>

namespace fairlead::cli {
namespace {

int archive_now(const std::string& config) {
  const auto snapshot = books_snapshot({config, {}});
  if (!snapshot) return 1;
  const Retention& retention = snapshot->retention;
  if (retention.detail.count() == 0) return fail("rows stay for ever: " + config + " has no retention.detail_days", 2);
  auto books = open_bookkeeper(snapshot->ledger);
  if (!books) return fail(books.error());
  const auto now = daemon::wall_clock();
  const auto rest = [](std::chrono::milliseconds time) {
    std::this_thread::sleep_for(time);
    return true;
  };
  const auto gone =
      let_old_rows_go(**books, retention.archive, std::chrono::floor<std::chrono::days>(now) - retention.detail, now, rest);
  if (!gone) return fail(gone.error());
  for (const std::string& file : gone->files) std::cout << file << '\n';
  std::cout << counted(gone->requests, "request") << " removed from the ledger\n";
  return 0;
}

}  // namespace

void add_archive(CLI::App& app, int& exit_code) {
  auto* command = app.add_subcommand("archive", "Write rows older than retention.detail_days to the archive, and remove them");
  auto config = std::make_shared<std::string>("/etc/fairlead/fairlead.yaml");
  command->add_option("--config,-c", *config, "The configuration file, which names the ledger and the archive")
      ->capture_default_str();
  command->callback([config, &exit_code] { exit_code = archive_now(*config); });
}

}  // namespace fairlead::cli
