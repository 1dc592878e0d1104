#include "daemon/observe.h"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <atomic>
#include <chrono>

#include "daemon/log.h"

namespace fairlead::daemon {
namespace {

using prometheus::BuildCounter, prometheus::BuildGauge, prometheus::BuildHistogram;
using prometheus::Counter, prometheus::Family, prometheus::Gauge, prometheus::Histogram;

const Histogram::BucketBoundaries seconds_buckets{0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5,
                                                  1,     2.5,    5,     10,   30,    60,   300, 1800};

double seconds(std::int64_t us) { return static_cast<double>(us) / 1e6; }

enum class RequestLog { none, failures, all };

nlohmann::ordered_json attempt_json(const AttemptOpen& open, const AttemptSettle& settle) {
  nlohmann::ordered_json line{{"target", open.target}, {"status", settle.status}, {"us", settle.duration_us}};
  if (!settle.error.empty()) line["error"] = settle.error;
  if (settle.unconfirmed) line["unconfirmed"] = true;
  if (settle.connection_reused) line["reused"] = true;
  return line;
}

}  // namespace

struct Metrics::Impl {
  prometheus::Registry registry;
  Family<Counter>& requests = BuildCounter().Name("fairlead_requests_total").Help("Finished requests.").Register(registry);
  Family<Counter>& turned_away = BuildCounter()
                                     .Name("fairlead_turned_away_total")
                                     .Help("Requests refused before they had a key or a path.")
                                     .Register(registry);
  Family<Counter>& attempts = BuildCounter().Name("fairlead_attempts_total").Help("Finished attempts.").Register(registry);
  Family<Counter>& tokens = BuildCounter().Name("fairlead_tokens_total").Help("Tokens by kind.").Register(registry);
  Family<Counter>& cost = BuildCounter()
                              .Name("fairlead_cost_usd_total")
                              .Help("Cost in USD, rounded by this format; the ledger is exact.")
                              .Register(registry);
  Family<Histogram>& duration =
      BuildHistogram().Name("fairlead_request_seconds").Help("From a request's first byte to its settled row.").Register(registry);
  Family<Histogram>& first_byte = BuildHistogram()
                                      .Name("fairlead_first_byte_seconds")
                                      .Help("From a request's first byte to the answer's, for streams.")
                                      .Register(registry);
  Family<Counter>& reloads = BuildCounter().Name("fairlead_config_reloads_total").Help("Reloads by result.").Register(registry);
  Family<Gauge>& config_info = BuildGauge().Name("fairlead_config_info").Help("1 for the snapshot in force.").Register(registry);
  Gauge& reload_ok = BuildGauge()
                         .Name("fairlead_config_last_reload_successful")
                         .Help("0 while the file on disk was refused.")
                         .Register(registry)
                         .Add({});
  Gauge& ledger_queued =
      BuildGauge().Name("fairlead_ledger_queued_writes").Help("Writes that wait for a commit.").Register(registry).Add({});
  Gauge& ledger_writable =
      BuildGauge().Name("fairlead_ledger_writable").Help("1 while the last commit succeeded.").Register(registry).Add({});
  Gauge& ledger_commits = BuildGauge().Name("fairlead_ledger_commits").Help("Commits so far.").Register(registry).Add({});
  Gauge& ledger_failed =
      BuildGauge().Name("fairlead_ledger_failed_commits").Help("Failed commits so far.").Register(registry).Add({});
  Gauge& ledger_rows = BuildGauge().Name("fairlead_ledger_rows").Help("Row writes so far.").Register(registry).Add({});
  Gauge& ledger_unfed = BuildGauge()
                            .Name("fairlead_ledger_unfed_rows")
                            .Help("Row writes that are durable in the journal, and not in the database yet.")
                            .Register(registry)
                            .Add({});
  Gauge& ledger_journal =
      BuildGauge().Name("fairlead_ledger_journal_bytes").Help("Bytes of the journal's files.").Register(registry).Add({});
  Gauge& ledger_failed_saves = BuildGauge()
                                   .Name("fairlead_ledger_failed_saves")
                                   .Help("Failed tries to feed the database so far.")
                                   .Register(registry)
                                   .Add({});
  Gauge& ledger_refused =
      BuildGauge().Name("fairlead_ledger_refused_rows").Help("Rows so far that can never be kept.").Register(registry).Add({});
  Gauge& app_connections =
      BuildGauge().Name("fairlead_app_connections").Help("Open connections of apps.").Register(registry).Add({});
  Gauge& upstream_connections =
      BuildGauge().Name("fairlead_upstream_connections").Help("Open connections to providers.").Register(registry).Add({});
  Gauge& upstream_idle =
      BuildGauge().Name("fairlead_upstream_idle_connections").Help("Of these, idle in a pool.").Register(registry).Add({});
  Gauge& ready = BuildGauge().Name("fairlead_ready").Help("1 while /readyz says so.").Register(registry).Add({});
  Gauge* config_in_force = nullptr;
  std::atomic<RequestLog> request_log{RequestLog::failures};

  void count_tokens(const std::string& target, const AttemptSettle& attempt) {
    const auto add = [&](const char* kind, const std::optional<std::int64_t>& count) {
      if (count && *count > 0)
        tokens.Add({{"target", target}, {"kind", kind}, {"source", std::string(to_string(attempt.usage_source))}})
            .Increment(static_cast<double>(*count));
    };
    add("input", attempt.usage.input);
    add("cached_input", attempt.usage.cached_input);
    add("cache_write", attempt.usage.cache_write);
    add("output", attempt.usage.output);
    add("reasoning", attempt.usage.reasoning);
  }

  void log_request(const exchange::Ended& e) const {
    const bool failed = !e.settle.error.empty();
    const RequestLog wanted = request_log.load(std::memory_order_relaxed);
    if (wanted == RequestLog::none || (wanted == RequestLog::failures && !failed)) return;
    nlohmann::ordered_json line{{"request_id", e.open.id},
                                {"key", e.open.key},
                                {"team", e.open.team},
                                {"route", e.open.route},
                                {"status", e.settle.http_status},
                                {"ended_by", to_string(e.settle.ended_by)},
                                {"phase", to_string(e.settle.phase)}};
    if (failed) line["error"] = e.settle.error;
    if (!e.detail.empty()) line["detail"] = e.detail;
    line["us"] = (e.settle.ended_at - e.open.started_at).count();
    line["cost_usd"] = format_decimal(e.settle.usd_pico);
    nlohmann::ordered_json attempts_json = nlohmann::ordered_json::array();
    for (std::size_t i = 0; i < e.attempts.size(); ++i) attempts_json.push_back(attempt_json(e.attempts_open[i], e.attempts[i]));
    line["attempts"] = std::move(attempts_json);
    log(failed && e.settle.ended_by != EndedBy::app ? Level::warn : Level::info, "request", std::move(line));
  }
};

Metrics::Metrics() : impl_(std::make_unique<Impl>()) {}
Metrics::~Metrics() = default;

void Metrics::ended(const exchange::Ended& e) {
  impl_->requests.Add({{"route", e.open.route}, {"status", std::to_string(e.settle.http_status)}, {"error", e.settle.error}})
      .Increment();
  impl_->duration.Add({{"route", e.open.route}}, seconds_buckets).Observe(seconds((e.settle.ended_at - e.open.started_at).count()));
  if (e.settle.first_byte_us)
    impl_->first_byte.Add({{"route", e.open.route}}, seconds_buckets).Observe(seconds(*e.settle.first_byte_us));
  for (std::size_t i = 0; i < e.attempts.size(); ++i) {
    const std::string& target = e.attempts_open[i].target;
    impl_->attempts.Add({{"target", target}, {"error", e.attempts[i].error}}).Increment();
    impl_->count_tokens(target, e.attempts[i]);
    if (e.attempts[i].usd_pico)
      impl_->cost.Add({{"target", target}}).Increment(static_cast<double>(*e.attempts[i].usd_pico) / 1e12);
  }
  impl_->log_request(e);
}

void Metrics::turned_away(const Error& error) {
  impl_->turned_away.Add({{"error", std::string(to_string(error.kind))}}).Increment();
}

void Metrics::set_request_log(std::string_view requests) {
  impl_->request_log = requests == "all" ? RequestLog::all : requests == "none" ? RequestLog::none : RequestLog::failures;
}

void Metrics::reloaded(bool ok, const std::string& snapshot_hash) {
  impl_->reloads.Add({{"result", ok ? "ok" : "refused"}}).Increment();
  impl_->reload_ok.Set(ok ? 1 : 0);
  if (!ok) return;
  if (impl_->config_in_force) impl_->config_info.Remove(impl_->config_in_force);
  impl_->config_in_force = &impl_->config_info.Add({{"hash", snapshot_hash}});
  impl_->config_in_force->Set(1);
}

std::string Metrics::text(const Gauges& gauges) {
  impl_->ledger_queued.Set(static_cast<double>(gauges.ledger.queued));
  impl_->ledger_writable.Set(gauges.ledger.writable ? 1 : 0);
  impl_->ledger_commits.Set(static_cast<double>(gauges.ledger.commits));
  impl_->ledger_failed.Set(static_cast<double>(gauges.ledger.failed_commits));
  impl_->ledger_rows.Set(static_cast<double>(gauges.ledger.rows));
  impl_->ledger_unfed.Set(static_cast<double>(gauges.ledger.unfed_rows));
  impl_->ledger_journal.Set(static_cast<double>(gauges.ledger.journal_bytes));
  impl_->ledger_failed_saves.Set(static_cast<double>(gauges.ledger.failed_saves));
  impl_->ledger_refused.Set(static_cast<double>(gauges.ledger.refused_rows));
  impl_->app_connections.Set(static_cast<double>(gauges.app_connections));
  impl_->upstream_connections.Set(static_cast<double>(gauges.upstream_connections));
  impl_->upstream_idle.Set(static_cast<double>(gauges.upstream_idle));
  impl_->ready.Set(gauges.ready ? 1 : 0);
  return prometheus::TextSerializer().Serialize(impl_->registry.Collect());
}

}  // namespace fairlead::daemon
