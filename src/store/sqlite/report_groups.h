#pragma once
// By what a report groups: names, and times by somebody's clocks.
#include <fairlead/store.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace fairlead::sqlite {

/// The names of an attempt that a report can group by.
inline constexpr std::array<std::string_view, 9> name_dimensions = {"provider", "model",   "target",       "route",   "key",
                                                                    "team",     "project", "usage_source", "currency"};
using Names = std::array<std::string, name_dimensions.size()>;
inline constexpr std::size_t usage_source_name = 7, currency_name = 8;

/// Errors: config, of a dimension that there is not.
Result<void> require_dimensions(const std::vector<std::string>& by);

/// How many a group has: one for each of the query's dimensions, and those of its cut.
std::size_t texts_count(const ReportQuery& query);

/// The part of a group that its time tells: month, week, day and hour as the query asks for them, and its cut.
class ReportTimes {
 public:
  explicit ReportTimes(const ReportQuery& query);

  /// The number of the texts of this time.
  std::size_t number(TimePoint at);
  /// Have all times between these the same texts?
  bool is_one(TimePoint from, TimePoint until);
  /// Those that names or usage tell are empty.
  const std::vector<std::string>& texts(std::size_t number) const { return texts_[number]; }
  const std::vector<std::vector<std::string>>& all_texts() const { return texts_; }

 private:
  struct Stretch {  ///< in which the clocks show one hour or day, and the cut is one
    TimePoint from, until;
    std::size_t number = 0;
  };
  Stretch stretch_of(TimePoint at);
  std::vector<std::string> texts_of(TimePoint local, int offset_minutes, TimePoint cut) const;

  const ReportQuery& query_;
  std::chrono::microseconds unit_, cut_unit_;  ///< 0: no time is asked for
  Stretch last_;
  std::vector<std::vector<std::string>> texts_;
  std::map<std::vector<std::string>, std::size_t> numbers_;
};

/// The group of what has these names, at a time with these texts.
std::vector<std::string> group_of(const ReportQuery& query, const Names& names, const std::vector<std::string>& times);

}  // namespace fairlead::sqlite
