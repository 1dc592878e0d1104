#pragma once
// Adds up a report. SQLite hands it each sum or row through functions of SQL, which takes two thirds of the time of reading them.
#include <fairlead/store.h>

#include "store/sqlite/report_groups.h"
#include "store/sqlite/sums.h"

#include <sqlite3.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace fairlead::sqlite {

/// Those of two parts of one group.
void add_figures(ReportRow& row, const ReportRow& more);

class Tally {
 public:
  Tally(const ReportQuery& query, ReportTimes& times) : query_(query), times_(times) {}

  /// The place of all that has these names. A currency that is none becomes an error of take_rows().
  std::uint32_t place(const Names& names);
  void add(TimePoint at, std::uint32_t place, const Figures& figures);
  /// By their groups. Nothing is left.
  Result<std::vector<ReportRow>> take_rows();

 private:
  struct At {
    std::uint32_t time = 0, place = 0, cut = 0;
    bool operator==(const At&) const = default;
  };
  struct Place {
    Names names;
    std::optional<Currency> currency;
    bool estimated = false, unpriced = false;
    At last_at{};
    Figures* last = nullptr;  ///< at last_at: most sums of a place come at the time of the one before
  };
  struct HashAt {
    std::size_t operator()(const At& at) const {
      return ((std::uint64_t{at.time} << 32 | at.place) ^ std::uint64_t{at.cut} << 20) * 0x9e3779b97f4a7c15;
    }
  };
  std::uint32_t cut_of(const Usage& usage) const;
  std::vector<std::string> group_at(const At& at) const;
  static void add(ReportRow& row, const Place& place, const Figures& figures);

  const ReportQuery& query_;
  ReportTimes& times_;
  std::vector<Place> places_;
  std::map<std::vector<std::string>, std::uint32_t> told_apart_;  ///< places, by group, currency, and whether they are estimates
  std::unordered_map<std::string, std::uint32_t> by_names_;       ///< of all names
  std::unordered_map<At, Figures, HashAt> figures_;
  std::optional<Error> error_;
};

/// Tallies the rows of a table of sums between two times.
std::string tally_of(const SumTable& table);

/// While it lives, queries of this connection can say
/// - tally_sums(at, sum_group, requests, ..., charge_rest_pico), with the columns of sums in their order;
/// - tally_rows(...) with a place() instead of the group, and place(provider, ..., currency), with the names in their order.
class TallyFunctions {
 public:
  TallyFunctions(sqlite3* connection, Tally& tally);
  ~TallyFunctions();
  TallyFunctions(const TallyFunctions&) = delete;
  TallyFunctions& operator=(const TallyFunctions&) = delete;

  /// False: SQLite did not take them, and no query may say them.
  bool taken() const { return taken_; }
  /// What tally_sums() knows of a group. Others are left out.
  void know_group(std::int64_t number, const Names& names) { places_[number] = tally_.place(names); }

 private:
  static void add(sqlite3_value** values, Tally& tally, std::uint32_t place);
  static void add_sums(sqlite3_context* context, int count, sqlite3_value** values);
  static void add_rows(sqlite3_context* context, int count, sqlite3_value** values);
  static void place(sqlite3_context* context, int count, sqlite3_value** values);

  sqlite3* connection_;
  Tally& tally_;
  std::unordered_map<std::int64_t, std::uint32_t> places_;
  bool taken_;
};

}  // namespace fairlead::sqlite
