// `fairlead audit`: are the books whole, and do they add up? Every row's amounts are computed anew, and the chain of hashes over
// the rows is verified; also while the daemon runs.
#include "cli/audit/anchor.h"
#include "cli/audit/recompute.h"
#include "cli/books.h"
#include "cli/commands.h"
#include "cli/table.h"
#include "cli/time.h"
#include "daemon/clock.h"

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <chrono>
#include <iostream>
#include <memory>
#include <utility>

namespace fairlead::cli {
namespace {

using AuditJson = nlohmann::ordered_json;

struct AuditWanted {
  BooksChoice books;
  std::string since, until, anchor;
  std::string format = "table";
};

struct Audit {
  ChainCheck chain;
  SumsCheck sums;
  std::size_t anchors = 0;
  std::int64_t requests = 0, attempts = 0;      ///< whose amounts were computed anew
  std::int64_t told = 0, told_otherwise = 0;    ///< attempts whose provider said what they cost, and said another amount
  Int128 told_usd_pico = 0, ours_usd_pico = 0;  ///< of these attempts
  std::int64_t wrong_count = 0;
  std::vector<std::pair<std::string, std::string>> wrong;  ///< request and what; at most as many as the chain tells
  std::vector<std::string> not_done;                       ///< what could not be ended, and why
  bool whole() const { return findings() == 0 && not_done.empty(); }
  std::int64_t findings() const { return chain.findings_count + sums.findings_count + wrong_count; }
};

void take(Audit& audit, const RequestRecord& record) {
  ++audit.requests;
  audit.attempts += static_cast<std::int64_t>(record.attempts.size());
  for (const RequestRecord::Attempt& attempt : record.attempts) {
    const AttemptSettle& row = attempt.settle;
    if (attempt.state == RowState::open || !row.reported_usd_pico) continue;
    ++audit.told;
    if (row.reported_usd_pico != row.usd_pico) ++audit.told_otherwise;
    audit.told_usd_pico += *row.reported_usd_pico;
    audit.ours_usd_pico += row.usd_pico.value_or(0);
  }
  for (std::string& what : recompute(record)) {
    if (++audit.wrong_count <= static_cast<std::int64_t>(ChainCheck::findings_max))
      audit.wrong.emplace_back(record.open.id, std::move(what));
  }
}

std::string audit_text(const Audit& audit) {
  const ChainCheck& chain = audit.chain;
  std::string text = "chain     " + counted(chain.sealed, "request") + " sealed, " + std::to_string(chain.open) + " open, " +
                     counted(chain.head.number, "link") +
                     (chain.head.number > 0 ? "; the newest is " + chain.head.hash : std::string()) + "\n";
  if (chain.entries > 0)
    text += "booked    " + std::to_string(chain.entries) +
            (chain.entries == 1 ? " correction, credit or closing\n" : " corrections, credits and closings\n");
  for (const auto& removal : chain.removals)
    text += "archived  " + counted(removal.requests, "request") + ", recorded in link " + std::to_string(removal.link) + ": " +
            printable(removal.note) + "\n";
  if (audit.anchors > 0) text += "anchors   " + std::to_string(audit.anchors) + " compared\n";
  text += "amounts   " + counted(audit.requests, "request") + " with " + counted(audit.attempts, "attempt") + " computed anew\n";
  text += "sums      " + counted(audit.sums.compared, "sum") + " of an hour compared with the rows" +
          (audit.sums.rows_from ? " from " + day_text(*audit.sums.rows_from) + " on" : std::string()) +
          (audit.sums.closed_months > 0 ? ", " + counted(audit.sums.closed_months, "closed month") : std::string()) + "\n";
  if (audit.told > 0)
    text += "told      of " + counted(audit.told, "attempt") +
            " the provider said the cost: " + format_decimal(audit.told_usd_pico) + " USD, and the ledger has " +
            format_decimal(audit.ours_usd_pico) + "; " + std::to_string(audit.told_otherwise) + " differ\n";
  for (const auto& finding : chain.findings) {
    text += "WRONG     ";
    if (!finding.request.empty()) text += "request " + printable(finding.request) + (finding.link > 0 ? ", " : ": ");
    if (finding.link > 0) text += "link " + std::to_string(finding.link) + ": ";
    text += printable(finding.what) + "\n";
  }
  for (const auto& [request, what] : audit.wrong) text += "WRONG     request " + printable(request) + ", " + printable(what) + "\n";
  for (const std::string& what : audit.sums.findings) text += "WRONG     " + printable(what) + "\n";
  const std::int64_t all = audit.findings();
  const auto told = static_cast<std::int64_t>(chain.findings.size() + audit.wrong.size() + audit.sums.findings.size());
  if (told < all) text += "          and " + std::to_string(all - told) + " more\n";
  for (const std::string& what : audit.not_done) text += "NOT DONE  " + printable(what) + "\n";
  if (all > 0) return text + counted(all, "finding") + ": the books are not what was written.\n";
  return text + (audit.whole() ? "The books are whole, and add up.\n" : "The audit could not be ended.\n");
}

std::string audit_json(const Audit& audit) {
  const ChainCheck& chain = audit.chain;
  AuditJson findings = AuditJson::array(), removals = AuditJson::array();
  for (const auto& f : chain.findings)
    findings.push_back({{"request", f.request.empty() ? AuditJson(nullptr) : AuditJson(f.request)},
                        {"link", f.link > 0 ? AuditJson(f.link) : AuditJson(nullptr)},
                        {"what", f.what}});
  for (const auto& [request, what] : audit.wrong) findings.push_back({{"request", request}, {"link", nullptr}, {"what", what}});
  for (const std::string& what : audit.sums.findings) findings.push_back({{"request", nullptr}, {"link", nullptr}, {"what", what}});
  for (const auto& r : chain.removals) removals.push_back({{"link", r.link}, {"requests", r.requests}, {"note", r.note}});
  const AuditJson json{{"whole", audit.whole()},
                       {"sealed_requests", chain.sealed},
                       {"open_requests", chain.open},
                       {"booked", chain.entries},
                       {"head", {{"link", chain.head.number}, {"hash", chain.head.hash}}},
                       {"archived", removals},
                       {"anchors", audit.anchors},
                       {"recomputed", {{"requests", audit.requests}, {"attempts", audit.attempts}}},
                       {"sums",
                        {{"compared", audit.sums.compared},
                         {"rows_from", audit.sums.rows_from ? AuditJson(iso_8601_us(*audit.sums.rows_from)) : AuditJson(nullptr)},
                         {"closed_months", audit.sums.closed_months}}},
                       {"told_by_providers",
                        {{"attempts", audit.told},
                         {"differing", audit.told_otherwise},
                         {"told_usd", format_decimal(audit.told_usd_pico)},
                         {"cost_usd", format_decimal(audit.ours_usd_pico)}}},
                       {"not_done", audit.not_done},
                       {"findings_count", audit.findings()},
                       {"findings", findings}};
  return json.dump(2, ' ', false, AuditJson::error_handler_t::replace) + '\n';
}

/// A head that is pinned already, or no chain at all, adds nothing. False: it said on stderr why it could not be done.
bool pin(const std::string& path, const ChainLink& head, const std::vector<ChainLink>& anchors) {
  const auto same = [&](const ChainLink& anchor) { return anchor.number == head.number; };
  if (head.number == 0 || std::any_of(anchors.begin(), anchors.end(), same)) return true;
  const auto now = daemon::wall_clock();
  const auto added = add_anchor(path, head, now);
  if (!added) fail(added.error().message() + ": the newest link is not pinned");
  return added.has_value();
}

int audit(const AuditWanted& wanted) {
  const auto period = read_period(wanted.since, wanted.until);
  if (!period) return fail(period.error(), 2);
  const auto store = open_books(wanted.books);
  if (!store) return 1;
  std::vector<ChainLink> anchors;
  if (!wanted.anchor.empty()) {
    auto read = read_anchors(wanted.anchor);
    if (!read) return fail(read.error());
    anchors = std::move(*read);
  }
  Audit audit;
  audit.anchors = anchors.size();
  auto chain = store->check_chain(anchors);
  if (!chain) return fail(chain.error());
  audit.chain = std::move(*chain);
  // What was changed may keep the rest from being read: what was found until then is told.
  const auto not_done = [&](const std::string& what, const Error& error) {
    fail(error);
    audit.not_done.push_back(what + ": " + error.message());
  };
  if (auto sums = store->check_sums())
    audit.sums = std::move(*sums);
  else
    not_done("the sums were not compared", sums.error());
  if (auto done = store->visit(*period, [&](const RequestRecord& record) { take(audit, record); }); !done)
    not_done("not all amounts were computed anew", done.error());
  const bool pinned = !audit.whole() || wanted.anchor.empty() || pin(wanted.anchor, audit.chain.head, anchors);
  std::cout << (wanted.format == "json" ? audit_json(audit) : audit_text(audit));
  return audit.whole() && pinned ? 0 : 1;
}

std::string check_anchor(const std::string& path) { return path.empty() ? "it names no file: is a variable empty?" : ""; }

}  // namespace

void add_audit(CLI::App& app, int& exit_code) {
  auto* command =
      app.add_subcommand("audit", "Verify that no row of the ledger was changed, added or taken away, and that everything adds up");
  auto wanted = std::make_shared<AuditWanted>();
  add_books_options(*command, wanted->books);
  command->add_option("--since", wanted->since, "Recompute the amounts of requests that came at or after this time (UTC)")
      ->check(CLI::Validator(check_time, "TIME"));
  command->add_option("--until", wanted->until, "Recompute the amounts of requests that came before this time (UTC)")
      ->check(CLI::Validator(check_time, "TIME"));
  command
      ->add_option("--anchor", wanted->anchor,
                   "A file outside of the ledger: its links are compared, and if all is well, the newest is added")
      ->check(CLI::Validator(check_anchor, "FILE"));
  command->add_option("--format", wanted->format, "The format of the answer")
      ->check(CLI::IsMember({"table", "json"}))
      ->capture_default_str();
  command->callback([wanted, &exit_code] { exit_code = audit(*wanted); });
}

}  // namespace fairlead::cli
