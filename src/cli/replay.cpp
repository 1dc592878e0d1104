// `fairlead replay --since ... --config NEW`: requests of the ledger through another configuration, without sending anything: what
// they would have cost, and which would have gone elsewhere or been refused.
#include "cli/replay/replay.h"
#include "cli/books.h"
#include "cli/commands.h"
#include "cli/kept_rows.h"
#include "cli/table.h"
#include "cli/time.h"
#include "config/config.h"

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <iostream>
#include <memory>

namespace fairlead::cli {
namespace {

using ReplayJson = nlohmann::ordered_json;

struct ReplayWanted {
  std::string config, ledger, since, until;
  std::string format = "table";
};

Table replay_table(const Replay& replay) {
  Table table;
  table.columns = {{"outcome", false}, {"route", false},   {"from", false},      {"to", false},        {"why", false},
                   {"requests", true}, {"cost USD", true}, {"would cost", true}, {"difference", true}, {"unpriced", true}};
  for (const auto& [key, group] : replay.groups()) {
    const auto& [outcome, route, from, to, why] = key;
    table.rows.push_back({std::string(to_string(outcome)), route, from, to, why, std::to_string(group.requests),
                          format_decimal(group.before_usd), format_decimal(group.after_usd),
                          format_decimal(group.after_usd - group.before_usd),
                          group.unpriced > 0 ? std::to_string(group.unpriced) : ""});
  }
  return table;
}

std::string replay_text(const Replay& replay) {
  const ReplayGroup all = replay.total({});
  const std::string repeats =
      replay.repeats() == 0 ? ""
                            : counted(replay.repeats(), "repeat") + " with an Idempotency-Key: not sent, then or now. In no sum.\n";
  if (all.requests == 0) return "No requests in this period.\n" + repeats;
  std::string text = to_text(replay_table(replay)) + "\n";
  text += counted(all.requests, "request") + " cost " + format_decimal(all.before_usd) + " USD, and would cost " +
          format_decimal(all.after_usd) + ": " +
          (all.after_usd <= all.before_usd ? format_decimal(all.before_usd - all.after_usd) + " less.\n"
                                           : format_decimal(all.after_usd - all.before_usd) + " more.\n");
  for (std::size_t i = 0; i < replayed_count; ++i) {
    const ReplayGroup part = replay.total(static_cast<Replayed>(i));
    if (part.requests > 0)
      text += "  " + std::string(to_string(static_cast<Replayed>(i))) + ": " + std::to_string(part.requests) + "\n";
  }
  if (all.unpriced > 0) text += counted(all.unpriced, "request") + " would go to a target without a price: in no sum.\n";
  if (all.tokenless > 0) text += counted(all.tokenless, "request") + " have no tokens to count: never answered. In no sum.\n";
  text += repeats;
  if (replay.content_unknown() > 0)
    text += counted(replay.content_unknown(), "prompt") +
            " had not been searched for all that these rules ask for: taken not to hold it.\n";
  return text;
}

ReplayJson group_json(const ReplayGroup& group) {
  return {{"requests", group.requests},
          {"cost_usd", format_decimal(group.before_usd)},
          {"would_cost_usd", format_decimal(group.after_usd)},
          {"difference_usd", format_decimal(group.after_usd - group.before_usd)},
          {"unpriced_requests", group.unpriced},
          {"tokenless_requests", group.tokenless}};
}

std::string replay_json(const Replay& replay, const Snapshot& snapshot) {
  ReplayJson groups = ReplayJson::array(), outcomes = ReplayJson::object();
  for (const auto& [key, group] : replay.groups()) {
    const auto& [outcome, route, from, to, why] = key;
    ReplayJson json{{"outcome", to_string(outcome)}, {"route", route}, {"from", from}, {"to", to}, {"why", why}};
    json.update(group_json(group));
    groups.push_back(std::move(json));
  }
  for (std::size_t i = 0; i < replayed_count; ++i)
    outcomes[std::string(to_string(static_cast<Replayed>(i)))] = replay.total(static_cast<Replayed>(i)).requests;
  const ReplayJson json{{"snapshot_hash", snapshot.hash}, {"total", group_json(replay.total({}))},
                        {"outcomes", outcomes},           {"content_unknown", replay.content_unknown()},
                        {"repeats", replay.repeats()},    {"groups", groups}};
  return json.dump(2, ' ', false, ReplayJson::error_handler_t::replace) + '\n';
}

int replay_command(const ReplayWanted& wanted) {
  const auto period = read_period(wanted.since, wanted.until);
  if (!period) return fail(period.error(), 2);
  config::Sources sources = sources_with_keys(true);
  if (!wanted.ledger.empty())  // the keys that asked are there, whatever ledger the other configuration names
    sources.stored_keys = [keys_of = sources.stored_keys, &wanted](const std::string&) { return keys_of(wanted.ledger); };
  const auto snapshot = load_config(wanted.config, sources).snapshot;
  if (!snapshot) return 1;
  BooksChoice books;
  books.ledger = wanted.ledger.empty() ? snapshot->ledger : wanted.ledger;
  const auto store = open_books(books);
  if (!store) return 1;
  if (auto kept = require_kept_rows(*store, period->since); !kept)
    return fail(kept.error(), kept.error().kind == ErrorKind::config ? 2 : 1);
  Replay replay(*snapshot);
  if (auto done = store->visit(*period, [&](const RequestRecord& record) { replay.add(record); }); !done) return fail(done.error());
  std::cout << (wanted.format == "json" ? replay_json(replay, *snapshot) : replay_text(replay));
  return 0;
}

}  // namespace

void add_replay(CLI::App& app, int& exit_code) {
  auto* command = app.add_subcommand(
      "replay", "Show what requests of the ledger would cost under another configuration, and where they would go");
  auto wanted = std::make_shared<ReplayWanted>();
  command->add_option("--config,-c", wanted->config, "The other configuration")->required();
  command->add_option(
      "--ledger", wanted->ledger,
      "The ledger with the requests, such as sqlite:/var/lib/fairlead/fairlead.db; without it, that configuration's own");
  command->add_option("--since", wanted->since, "Requests that came at or after this time (UTC)")
      ->check(CLI::Validator(check_time, "TIME"));
  command->add_option("--until", wanted->until, "Requests that came before this time (UTC)")
      ->check(CLI::Validator(check_time, "TIME"));
  command->add_option("--format", wanted->format, "The format of the answer")
      ->check(CLI::IsMember({"table", "json"}))
      ->capture_default_str();
  command->callback([wanted, &exit_code] { exit_code = replay_command(*wanted); });
}

}  // namespace fairlead::cli
