#include "store/sqlite/sums.h"

#include <chrono>
#include <utility>

namespace fairlead::sqlite {
namespace {

constexpr std::size_t groups_max = 65'536;  ///< that are remembered

std::string sum_sql(std::string_view table) {
  const auto more = [](const std::string& column) { return column + " = " + column + " + excluded." + column; };
  std::string sql = "INSERT INTO " + std::string(table) +
                    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "
                    "ON CONFLICT (at, sum_group) DO UPDATE SET " +
                    more("requests") + ", " + more("attempts") + ", " + more("failed");
  for (const char* kind : {"input", "cached_input", "cache_write", "output", "reasoning", "audio", "image"}) {
    const std::string column = kind + std::string("_tokens");
    sql += ", " + column + " = coalesce(" + column + " + excluded." + column + ", " + column + ", excluded." + column + ")";
  }
  for (const char* amount : {"cost", "usd", "charge"})
    sql += ", " + more(amount + std::string("_milli")) + ", " + more(amount + std::string("_rest_pico"));
  return sql;
}

std::int64_t floor_of(std::int64_t at, std::chrono::microseconds unit) {
  const std::int64_t size = unit.count();
  return (at >= 0 ? at / size : (at - size + 1) / size) * size;
}

bool has_failed(const RequestRecord::Attempt& attempt) {
  return attempt.state == RowState::interrupted || (attempt.state == RowState::settled && !attempt.settle.error.empty());
}

}  // namespace

Sums::Sums(sqlite3* connection)
    : group_(connection,
             "INSERT INTO sum_groups (key, team, project, route, provider, model, target, usage_source, currency) "
             "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET key = excluded.key RETURNING id"),
      closed_(connection, "SELECT coalesce(max(until), 0) FROM closings") {
  for (const SumTable& table : sum_tables) tables_.emplace_back(connection, sum_sql(table.name));
}

void Figures::add(const Figures& other) {
  requests += other.requests;
  attempts += other.attempts;
  failed += other.failed;
  add_tokens(usage, other.usage);
  cost_pico += other.cost_pico;
  usd_pico += other.usd_pico;
  charge_usd_pico += other.charge_usd_pico;
}

Result<std::int64_t> Sums::group(const RequestOpen& request, const AttemptOpen& attempt, std::string_view usage_source,
                                 std::string_view currency) {
  const std::string_view values[] = {request.key,   request.team,   request.project, request.route, attempt.provider,
                                     attempt.model, attempt.target, usage_source,    currency};
  key_.clear();
  for (const std::string_view value : values) key_.append(std::to_string(value.size())).append(" ").append(value);
  if (const auto known = groups_.find(key_); known != groups_.end()) return known->second;
  group_.bind(values[0], values[1], values[2], values[3], values[4], values[5], values[6], values[7], values[8]);
  const auto row = group_.step();
  if (!row) return row.error();
  const std::int64_t number = group_.integer(0);
  group_.reset();
  if (groups_.size() >= groups_max) groups_.clear();
  return groups_.emplace(key_, number).first->second;
}

Figures& Sums::sum_of(const RequestOpen& request, const RequestRecord::Attempt& attempt, TimePoint counts_at) {
  const bool open = attempt.state == RowState::open;
  const std::optional<Money>& cost = attempt.settle.cost;
  auto number = group(request, attempt.open, open ? std::string_view() : to_string(attempt.settle.usage_source),
                      !open && cost ? cost->currency.view() : std::string_view());
  if (!number && !error_) error_ = number.error();
  return hours_[floor_of(counts_at.time_since_epoch().count(), std::chrono::hours(1))][number ? *number : 0];
}

void Sums::add_attempt(const RequestOpen& request, const RequestRecord::Attempt& attempt, TimePoint counts_at) {
  const AttemptSettle& settle = attempt.settle;
  Figures one;
  one.attempts = 1;
  one.failed = has_failed(attempt) ? 1 : 0;
  one.usage = settle.usage;
  if (settle.cost) one.cost_pico = settle.cost->pico;
  one.usd_pico = settle.usd_pico.value_or(0);
  one.charge_usd_pico = settle.charge_usd_pico.value_or(0);
  sum_of(request, attempt, counts_at).add(one);
}

void Sums::add_request(const RequestOpen& request, const RequestRecord::Attempt& last, TimePoint counts_at) {
  ++sum_of(request, last, counts_at).requests;
}

Result<TimePoint> Sums::closed_until() {
  if (closed_until_) return *closed_until_;
  const auto row = closed_.step();
  if (!row) return row.error();
  closed_until_ = TimePoint(std::chrono::microseconds(closed_.integer(0)));
  closed_.reset();
  return *closed_until_;
}

Result<void> Sums::save() {
  if (error_) return *error_;
  ByTime sums = std::move(hours_);
  hours_.clear();
  for (std::size_t i = 0; i < tables_.size(); ++i) {
    if (auto done = save(tables_[i], sums); !done) return done;
    if (i + 1 == tables_.size()) break;
    ByTime longer;
    for (const auto& [at, groups] : sums)
      for (const auto& [number, sum] : groups) longer[floor_of(at, sum_tables[i + 1].length)][number].add(sum);
    sums = std::move(longer);
  }
  closed_until_.reset();
  return {};
}

Result<void> Sums::save(Statement& statement, const ByTime& sums) {
  for (const auto& [at, groups] : sums)
    for (const auto& [number, sum] : groups) {
      const Usage& u = sum.usage;
      if (auto done =
              statement.run(at, number, sum.requests, sum.attempts, sum.failed, u.input, u.cached_input, u.cache_write, u.output,
                            u.reasoning, u.audio, u.image, sum.cost_pico / milli, sum.cost_pico % milli, sum.usd_pico / milli,
                            sum.usd_pico % milli, sum.charge_usd_pico / milli, sum.charge_usd_pico % milli);
          !done)
        return done;
    }
  return {};
}

void Sums::forget() {
  hours_.clear();
  groups_.clear();  // they may be gone with the transaction
  closed_until_.reset();
  error_.reset();
}

}  // namespace fairlead::sqlite
