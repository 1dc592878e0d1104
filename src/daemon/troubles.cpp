#include "daemon/troubles.h"

#include <utility>

#include "daemon/log.h"

namespace fairlead::daemon {

void Troubles::look_at_journal(const LedgerStats& stats) {
  if (std::exchange(journal_writable_, stats.writable) == stats.writable) return;
  if (stats.writable) return log(Level::info, "ledger_written");
  const bool full = stats.journal_bytes >= LedgerLimits{}.journal_bytes_max;
  log(Level::error, "ledger_not_written",
      {{"reason", full ? "the journal has grown to its limit, as the database takes nothing from it"
                       : "the journal beside the database cannot be written"},
       {"instead", "new requests are refused with 503"},
       {"help", full ? "see why the database cannot be written: a lock that another program holds, a full disk"
                     : "make room on its disk, or see what that disk has; fairlead tries again by itself"},
       {"journal_bytes", stats.journal_bytes},
       {"queued", stats.queued}});
}

void Troubles::look_at_feed(const Ledger& ledger) {
  const LedgerStats stats = ledger.stats();
  const bool failed = std::exchange(failed_saves_, stats.failed_saves) < stats.failed_saves;
  if (failed && (stats.unfed_rows > 0 || stats.writable)) {
    log(Level::error, "ledger_not_fed",
        {{"reason",
          (stats.unfed_rows > 0 ? "the database cannot be written: " : "the database's disk does not take what it has: ") +
              ledger.why_save_failed()},
         {"instead", "rows are kept in the journal beside it"},
         {"help", "end what holds its lock, or make room on its disk, or see what that disk has; fairlead tries again by itself"},
         {"unfed_rows", stats.unfed_rows}});
    behind_ = true;
  } else if (behind_ && stats.unfed_rows == 0) {
    log(Level::info, "ledger_fed");
    behind_ = false;
  }
}

void Troubles::look_at_connections(std::uint64_t refused, std::uint64_t lacking, std::size_t descriptors) {
  if (refused > refused_)
    log(Level::warn, "connections_refused",
        {{"connections", refused - refused_},
         {"reason", "there were as many as limits.connections_max, or the limit of open files, leaves room for"}});
  refused_ = refused;
  if (lacking > lacking_)
    log(Level::error, "connections_lacking",
        {{"attempts", lacking - lacking_},
         {"reason", "no connection to a provider could be opened, for want of descriptors, ports or memory of ours"},
         {"descriptors", descriptors},
         {"help",
          "see `detail` of the requests that failed; raise the limit of open files (LimitNOFILE) or the range of ports "
          "(net.ipv4.ip_local_port_range), or lower limits.connections_max"}});
  lacking_ = lacking;
}

}  // namespace fairlead::daemon
