#pragma once
// What the log is told of once it begins, and of most once it is over: a journal that cannot be written, a database that cannot be
// fed, connections that there could not be. Whoever has the figures shows them again and again. One thread.
#include "ledger/ledger.h"

#include <cstddef>
#include <cstdint>

namespace fairlead::daemon {

class Troubles {
 public:
  /// The journal: while it cannot be written, requests are refused.
  void look_at_journal(const LedgerStats& stats);
  /// The database: rows are safe meanwhile, but unseen. When all of them are in it, and the journal fails too, it is the disk of
  /// both that does.
  void look_at_feed(const Ledger& ledger);
  /// Rows wait for the database, as was told.
  bool behind() const { return behind_; }
  /// So many so far: connections of apps that were closed at once, as there were too many, and attempts without one to a provider.
  void look_at_connections(std::uint64_t refused, std::uint64_t lacking, std::size_t descriptors);

 private:
  bool journal_writable_ = true, behind_ = false;
  std::uint64_t failed_saves_ = 0, refused_ = 0, lacking_ = 0;  ///< when last looked
};

}  // namespace fairlead::daemon
