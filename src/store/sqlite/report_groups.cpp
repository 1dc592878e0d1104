#include "store/sqlite/report_groups.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <iterator>
#include <utility>

namespace fairlead::sqlite {
namespace {

using std::chrono::microseconds;

constexpr microseconds one_hour = std::chrono::hours(1), one_day = std::chrono::hours(24);
constexpr std::array<std::string_view, 4> time_dimensions = {"month", "week", "day", "hour"};

bool is_time(const std::string& name) {
  return std::find(time_dimensions.begin(), time_dimensions.end(), name) != time_dimensions.end();
}

TimePoint floor_to(TimePoint at, microseconds unit) {
  const microseconds since = at.time_since_epoch();
  return TimePoint((since / unit - (since % unit < microseconds(0) ? 1 : 0)) * unit);
}

/// "2026-10-25T02:00+01:00"
std::string hour_text(TimePoint local, const Zone* zone, int offset_minutes) {
  const auto hour = std::chrono::floor<std::chrono::hours>(local - std::chrono::floor<std::chrono::days>(local));
  std::array<char, 32> text{};
  if (zone)
    std::snprintf(text.data(), text.size(), "T%02d:00%c%02d:%02d", static_cast<int>(hour.count()), offset_minutes < 0 ? '-' : '+',
                  std::abs(offset_minutes) / 60, std::abs(offset_minutes) % 60);
  else
    std::snprintf(text.data(), text.size(), "T%02d:00Z", static_cast<int>(hour.count()));
  return day_text(local) + text.data();
}

std::string time_text(const std::string& dimension, TimePoint local, const Zone* zone, int offset_minutes) {
  if (dimension == "month") return day_text(local).substr(0, 7);
  if (dimension == "day") return day_text(local);
  if (dimension == "hour") return hour_text(local, zone, offset_minutes);
  const auto day = std::chrono::floor<std::chrono::days>(local);
  return day_text(day - std::chrono::days(std::chrono::weekday(day).iso_encoding() - 1));  // its Monday
}

}  // namespace

Result<void> require_dimensions(const std::vector<std::string>& by) {
  for (const std::string& name : by) {
    if (is_time(name) || std::find(name_dimensions.begin(), name_dimensions.end(), name) != name_dimensions.end()) continue;
    std::string known;
    for (const std::string_view dimension : name_dimensions) known.append(dimension).append(", ");
    return Error(ErrorKind::config, ErrorOrigin::fairlead,
                 "there is no report by '" + name + "': choose from " + known + "month, week, day, hour");
  }
  return {};
}

std::size_t texts_count(const ReportQuery& query) { return query.by.size() + (!query.cut ? 0 : query.cut->by_request ? 3 : 1); }

ReportTimes::ReportTimes(const ReportQuery& query) : query_(query), unit_(0), cut_unit_(0) {
  for (const std::string& name : query.by)
    if (is_time(name)) unit_ = name == "hour" || unit_ == one_hour ? one_hour : one_day;
  if (query.cut) cut_unit_ = query.cut->hourly ? one_hour : one_day;
}

std::size_t ReportTimes::number(TimePoint at) {
  if (at < last_.from || at >= last_.until) last_ = stretch_of(at);
  return last_.number;
}

bool ReportTimes::is_one(TimePoint from, TimePoint until) {
  const std::size_t first = number(from);
  for (TimePoint at = last_.until; at < until; at = last_.until)
    if (number(at) != first) return false;
  return true;
}

ReportTimes::Stretch ReportTimes::stretch_of(TimePoint at) {
  Stretch stretch{TimePoint::min(), TimePoint::max()};
  const auto narrow = [&](TimePoint from, TimePoint until) {
    stretch.from = std::max(stretch.from, from);
    stretch.until = std::min(stretch.until, until);
  };
  microseconds offset(0);
  if (query_.zone && unit_ != microseconds(0)) {
    offset = std::chrono::minutes(query_.zone->offset_minutes(at));
    for (const Zone::Change& change : query_.zone->changes)
      change.from <= at ? narrow(change.from, TimePoint::max()) : narrow(TimePoint::min(), change.from);
  }
  if (unit_ != microseconds(0)) {
    const TimePoint begin = floor_to(at + offset, unit_) - offset;
    narrow(begin, begin + unit_);
  }
  const TimePoint cut = cut_unit_ == microseconds(0) ? TimePoint() : floor_to(at, cut_unit_);
  if (cut_unit_ != microseconds(0)) narrow(cut, cut + cut_unit_);
  std::vector<std::string> texts =
      texts_of(at + offset, static_cast<int>(std::chrono::duration_cast<std::chrono::minutes>(offset).count()), cut);
  const auto [known, added] = numbers_.emplace(texts, texts_.size());
  if (added) texts_.push_back(std::move(texts));
  stretch.number = known->second;
  return stretch;
}

std::vector<std::string> ReportTimes::texts_of(TimePoint local, int offset_minutes, TimePoint cut) const {
  std::vector<std::string> texts;
  for (const std::string& name : query_.by)
    texts.push_back(is_time(name) ? time_text(name, local, query_.zone.get(), offset_minutes) : std::string());
  if (query_.cut) texts.push_back(std::to_string(cut.time_since_epoch().count()));
  texts.resize(texts_count(query_));
  return texts;
}

std::vector<std::string> group_of(const ReportQuery& query, const Names& names, const std::vector<std::string>& times) {
  std::vector<std::string> group = times;
  for (std::size_t i = 0; i < query.by.size(); ++i) {
    const auto name = std::find(name_dimensions.begin(), name_dimensions.end(), query.by[i]);
    if (name != name_dimensions.end()) group[i] = names.at(static_cast<std::size_t>(name - name_dimensions.begin()));
  }
  return group;
}

}  // namespace fairlead::sqlite
