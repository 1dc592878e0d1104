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

class Tally {
 public:
  Tally(const ReportQuery& query, ReportTimes& times);

  /// The place of all that has these names. A currency that is none becomes an error of take_rows().
  std::uint32_t place(const Names& names);
  /// It costs least if what is of one time comes together.
  void add(TimePoint at, std::uint32_t place, const Figures& figures);
  /// By their groups. Nothing is left.
  Result<std::vector<ReportRow>> take_rows();

 private:
  struct Place {
    std::size_t group = 0;
    std::optional<Currency> currency;
    bool estimated = false, unpriced = false;
  };
  struct Part {  ///< of a group
    std::size_t time = 0, group = 0;
    ReportRow figures;
  };
  class Order;
  std::size_t group(const Names& names);
  std::size_t cut_of(const Usage& usage) const;
  void end_time();
  std::vector<std::string> texts_of(const Part& part) const;
  static void add(ReportRow& row, const Place& place, const Figures& figures);

  const ReportQuery& query_;
  ReportTimes& times_;
  std::size_t cuts_;  ///< as many has each place
  std::vector<Place> places_;
  std::map<std::pair<std::size_t, std::string>, std::uint32_t> kinds_;  ///< places, by group, currency and doubt
  std::unordered_map<std::string, std::uint32_t> by_names_;             ///< of all names
  std::vector<std::vector<std::string>> groups_;                        ///< each as often as there are cuts
  std::map<std::vector<std::string>, std::size_t> numbers_;             ///< of the first of these
  std::size_t time_ = 0;                                                ///< what is added up now is of this one
  std::vector<std::optional<Figures>> figures_;                         ///< by place and cut
  std::vector<std::size_t> used_;                                       ///< of these
  std::vector<Part> parts_;                                             ///< of times before
  std::vector<std::size_t> newest_;                                     ///< of the parts of each group, counted from 1
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
