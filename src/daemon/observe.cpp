#include "daemon/observe.h"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <array>
#include <atomic>
#include <chrono>
#include <mutex>
#include <unordered_map>

#include "daemon/log.h"
#include "dialect/openai/provider_error.h"

namespace fairlead::daemon {
namespace {

using prometheus::BuildCounter, prometheus::BuildGauge, prometheus::BuildHistogram;
using prometheus::Counter, prometheus::Family, prometheus::Gauge, prometheus::Histogram;

const Histogram::BucketBoundaries seconds_buckets{0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5,
                                                  1,     2.5,    5,     10,   30,    60,   300, 1800};

constexpr std::array token_kinds{"input", "cached_input", "cache_write", "output", "reasoning"};

double seconds(std::int64_t us) { return static_cast<double>(us) / 1e6; }

enum class RequestLog { none, failures, all };

const std::string& name_of(const Route* route) {
  static const std::string none;
  return route ? route->name : none;
}

nlohmann::ordered_json attempt_json(const Target& target, const AttemptSettle& settle) {
  nlohmann::ordered_json line{{"target", target.name}, {"status", settle.status}, {"us", settle.duration_us}};
  if (!settle.error.empty()) line["error"] = settle.error;
  if (settle.unconfirmed) line["unconfirmed"] = true;
  if (settle.connection_reused) line["reused"] = true;
  return line;
}

}  // namespace

struct Metrics::Impl {
  prometheus::Registry registry;
  Family<Counter>& counters(const char* name, const char* help) { return BuildCounter().Name(name).Help(help).Register(registry); }
  Family<Gauge>& gauges(const char* name, const char* help) { return BuildGauge().Name(name).Help(help).Register(registry); }
  Gauge& gauge(const char* name, const char* help) { return gauges(name, help).Add({}); }
  Family<Histogram>& histograms(const char* name, const char* help) {
    return BuildHistogram().Name(name).Help(help).Register(registry);
  }

  Family<Counter>& requests = counters("fairlead_requests_total", "Finished requests.");
  Family<Counter>& turned_away = counters("fairlead_turned_away_total", "Requests refused before they had a key or a path.");
  Family<Counter>& attempts = counters("fairlead_attempts_total", "Finished attempts.");
  Family<Counter>& tokens = counters("fairlead_tokens_total", "Tokens by kind.");
  Family<Counter>& cost = counters("fairlead_cost_usd_total", "Cost in USD, rounded by this format; the ledger is exact.");
  Family<Histogram>& duration = histograms("fairlead_request_seconds", "From a request's first byte to its settled row.");
  Family<Histogram>& first_byte =
      histograms("fairlead_first_byte_seconds", "From a request's first byte to the answer's, for streams.");
  Family<Counter>& reloads = counters("fairlead_config_reloads_total", "Reloads by result.");
  Family<Gauge>& config_info = gauges("fairlead_config_info", "1 for the snapshot in force.");
  Gauge& reload_ok = gauge("fairlead_config_last_reload_successful", "0 while the file on disk was refused.");
  Gauge& reload_at =
      gauge("fairlead_config_last_reload_success_timestamp_seconds", "When the snapshot in force was read, in seconds since 1970.");
  Gauge& ledger_queued = gauge("fairlead_ledger_queued_writes", "Writes that wait for a commit.");
  Gauge& ledger_writable = gauge("fairlead_ledger_writable", "1 while the last commit succeeded.");
  Gauge& ledger_commits = gauge("fairlead_ledger_commits", "Commits so far.");
  Gauge& ledger_failed = gauge("fairlead_ledger_failed_commits", "Failed commits so far.");
  Gauge& ledger_rows = gauge("fairlead_ledger_rows", "Row writes so far.");
  Gauge& ledger_unfed =
      gauge("fairlead_ledger_unfed_rows", "Row writes that are durable in the journal, and not in the database yet.");
  Gauge& ledger_journal = gauge("fairlead_ledger_journal_bytes", "Bytes of the journal's files.");
  Gauge& ledger_failed_saves = gauge("fairlead_ledger_failed_saves", "Failed tries to feed the database so far.");
  Gauge& ledger_refused = gauge("fairlead_ledger_refused_rows", "Rows so far that can never be kept.");
  Gauge& app_connections = gauge("fairlead_app_connections", "Open connections of apps.");
  Gauge& refused_connections =
      gauge("fairlead_refused_connections", "Connections of apps so far that were closed at once, as there were too many.");
  Gauge& upstream_connections = gauge("fairlead_upstream_connections", "Open connections to providers.");
  Gauge& upstream_idle = gauge("fairlead_upstream_idle_connections", "Of these, idle in a pool.");
  Gauge& body_bytes = gauge("fairlead_body_bytes", "What the bodies of requests under way hold of limits.bodies_bytes_max.");
  Gauge& ready = gauge("fairlead_ready", "1 while /readyz says so.");
  Family<Gauge>& disabled = gauges("fairlead_disabled", "Providers and keys that are disabled for want of a secret.");
  Family<Gauge>& doubted_prices = gauges("fairlead_prices_doubted", "Targets whose price is not to be relied on.");
  Family<Gauge>& bytes_per_token =
      gauges("fairlead_estimate_bytes_per_token", "Bytes of input per token, as learned of each target, by script.");
  Family<Gauge>& first_token =
      gauges("fairlead_estimate_first_token_seconds", "Until a target's first token, as measured lately, by quantile.");
  Family<Gauge>& budget_limit = gauges("fairlead_budget_limit_usd", "What may be charged in a period, or was put in.");
  Family<Gauge>& budget_charged = gauges("fairlead_budget_charged_usd", "What was charged of it in the current period.");
  Family<Gauge>& budget_held = gauges("fairlead_budget_held_usd", "What attempts under way may be charged at worst.");
  Gauge& budget_notices = gauge("fairlead_budget_notices", "Shares of budgets (notify_at) that were reached so far.");
  Gauge& webhook_failures = gauge("fairlead_webhook_failed_tries", "Tries so far to tell the webhook that failed.");
  std::vector<std::pair<Family<Gauge>*, Gauge*>> budget_gauges;  ///< of the last text: budgets come and go
  Family<Gauge>& estimate_error =
      gauges("fairlead_estimate_error_ratio",
             "How far estimates of tokens were off what a target then reported, as a share of that, by quantile.");
  Family<Counter>& usages =
      counters("fairlead_usage_total", "Finished attempts by where their usage is from: reported, estimated, invalid or none.");
  Family<Gauge>& limit_used =
      gauges("fairlead_limit_used", "What is counted against a limit now; for `parallel`, requests under way.");
  Family<Gauge>& limit_most = gauges("fairlead_limit_max", "A limit.");
  Family<Gauge>& limit_refused = gauges("fairlead_limit_refused", "Requests so far that a limit refused.");
  Gauge& replays = gauge("fairlead_idempotency_replayed", "Requests so far that were answered with what a request before was.");
  Gauge& replays_known = gauge("fairlead_idempotency_known", "Requests with an Idempotency-Key of which a repeat is known.");
  Gauge& replays_bytes = gauge("fairlead_idempotency_bytes", "What they and their answers take.");
  std::vector<std::pair<Family<Gauge>*, Gauge*>> limits_shown;  ///< anew each time, as keys and routes come and go
  Gauge* config_in_force = nullptr;
  std::atomic<RequestLog> request_log{RequestLog::failures};
  std::atomic<std::uint64_t> lacking_attempts{0};

  /// What the exchanges of one kind count in: looked up once, since a look-up by labels costs more than all counting.
  struct Meters {
    Counter* requests = nullptr;
    Histogram* duration = nullptr;
    Histogram* first_byte = nullptr;
  };
  struct AttemptMeters {
    Counter* attempts = nullptr;
    Counter* cost = nullptr;
    Counter* usages = nullptr;
    std::array<Counter*, 5> tokens{};  ///< by kind; made when there are any
  };
  std::mutex mutex;  // guards the maps, and what they hold
  std::unordered_map<std::string, Meters> meters;
  std::unordered_map<std::string, AttemptMeters> attempt_meters;
  std::string key;

  Meters& meters_of(const exchange::Ended& e) {
    const std::string& route = name_of(e.route);
    key.assign(route).append("\n").append(e.settle.error) += static_cast<char>(e.settle.http_status >> 8);
    key += static_cast<char>(e.settle.http_status);
    Meters& found = meters[key];
    if (found.requests) return found;
    found.requests = &requests.Add({{"route", route}, {"status", std::to_string(e.settle.http_status)}, {"error", e.settle.error}});
    found.duration = &duration.Add({{"route", route}}, seconds_buckets);
    found.first_byte = &first_byte.Add({{"route", route}}, seconds_buckets);
    return found;
  }

  AttemptMeters& meters_of(const Target& target, const AttemptSettle& settle) {
    key.assign(target.name).append("\n").append(settle.error) += static_cast<char>(settle.usage_source);
    AttemptMeters& found = attempt_meters[key];
    if (found.attempts) return found;
    found.attempts = &attempts.Add({{"target", target.name}, {"error", settle.error}});
    found.cost = &cost.Add({{"target", target.name}});
    found.usages = &usages.Add({{"target", target.name}, {"source", std::string(to_string(settle.usage_source))}});
    return found;
  }

  void show_error(const std::string& target, const std::string& kind, const state::Times& error) {
    if (error.buckets.empty()) return;
    const auto set = [&](const char* quantile, double share) {
      estimate_error.Add({{"target", target}, {"kind", kind}, {"quantile", quantile}})
          .Set(state::Learned::share(error.percentile(share)));
    };
    set("0.5", 0.5);
    set("0.9", 0.9);
  }

  void show(const state::Everything& estimates) {
    for (const auto& [name, learned] : estimates.targets) {
      const auto rates = learned.input.bytes_per_token();
      for (std::size_t i = 0; i < rates.size(); ++i)
        bytes_per_token.Add({{"target", name}, {"script", std::string(to_string(static_cast<Script>(i)))}}).Set(rates[i]);
      show_error(name, "input", learned.input_error);
      show_error(name, "output", learned.answer_error);
      if (learned.first_token.buckets.empty()) continue;
      const AnswerTimes times = learned.times();
      first_token.Add({{"target", name}, {"quantile", "0.5"}}).Set(seconds(times.first_token_p50));
      first_token.Add({{"target", name}, {"quantile", "0.9"}}).Set(seconds(times.first_token_p90));
    }
  }

  void show(const std::vector<state::BudgetState>& budgets) {
    for (const auto& [family, gauge] : budget_gauges) family->Remove(gauge);
    budget_gauges.clear();
    for (const state::BudgetState& budget : budgets) {
      const std::map<std::string, std::string> labels{{"of", std::string(to_string(budget.of))},
                                                      {"name", budget.name},
                                                      {"per", std::string(to_string(budget.per))},
                                                      {"time_zone", budget.zone}};
      const auto set = [&](Family<Gauge>& family, Int128 usd_pico) {
        Gauge& gauge = family.Add(labels);
        gauge.Set(static_cast<double>(usd_pico) / 1e12);
        budget_gauges.emplace_back(&family, &gauge);
      };
      set(budget_limit, budget.limit);
      set(budget_charged, budget.charged);
      set(budget_held, budget.held);
    }
  }

  void show(const std::vector<LimitRow>& limits) {
    for (const auto& [family, gauge] : limits_shown) family->Remove(gauge);
    limits_shown.clear();
    for (const LimitRow& row : limits) {
      const prometheus::Labels labels{
          {"by", std::string(to_string(row.by))}, {"name", row.name}, {"limit", std::string(to_string(row.limit))}};
      const auto set = [&](Family<Gauge>& family, double value) {
        Gauge& gauge = family.Add(labels);
        gauge.Set(value);
        limits_shown.emplace_back(&family, &gauge);
      };
      set(limit_used, static_cast<double>(row.used));
      set(limit_most, static_cast<double>(row.most));
      set(limit_refused, static_cast<double>(row.refused));
    }
  }

  void count_attempt(const Target& target, const AttemptSettle& settle) {
    AttemptMeters& meters_here = meters_of(target, settle);
    meters_here.attempts->Increment();
    meters_here.usages->Increment();
    if (settle.error == to_string(ErrorKind::overloaded)) lacking_attempts.fetch_add(1, std::memory_order_relaxed);
    if (settle.usd_pico) meters_here.cost->Increment(static_cast<double>(*settle.usd_pico) / 1e12);
    const Usage& u = settle.usage;
    const std::array<const std::optional<std::int64_t>*, 5> counts{&u.input, &u.cached_input, &u.cache_write, &u.output,
                                                                   &u.reasoning};
    for (std::size_t i = 0; i < counts.size(); ++i) {
      if (counts[i]->value_or(0) <= 0) continue;
      Counter*& counter = meters_here.tokens[i];
      if (!counter)
        counter = &tokens.Add(
            {{"target", target.name}, {"kind", token_kinds[i]}, {"source", std::string(to_string(settle.usage_source))}});
      counter->Increment(static_cast<double>(**counts[i]));
    }
  }

  void log_request(const exchange::Ended& e) const {
    const bool failed = !e.settle.error.empty();
    const RequestLog wanted = request_log.load(std::memory_order_relaxed);
    if (wanted == RequestLog::none || (wanted == RequestLog::failures && !failed)) return;
    nlohmann::ordered_json line{{"request_id", e.settle.id},
                                {"key", e.key.name},
                                {"team", e.key.team},
                                {"route", name_of(e.route)},
                                {"status", e.settle.http_status},
                                {"ended_by", to_string(e.settle.ended_by)},
                                {"phase", to_string(e.settle.phase)}};
    if (failed) line["error"] = e.settle.error;
    if (!e.detail.empty()) line["detail"] = openai::safe_text(e.detail, "");
    line["us"] = (e.settle.ended_at - e.started_at).count();
    line["cost_usd"] = format_decimal(e.settle.usd_pico);
    nlohmann::ordered_json attempts_json = nlohmann::ordered_json::array();
    for (const auto& [target, settle] : e.attempts) attempts_json.push_back(attempt_json(*target, *settle));
    line["attempts"] = std::move(attempts_json);
    log(failed && e.settle.ended_by != EndedBy::app ? Level::warn : Level::info, "request", std::move(line));
  }
};

Metrics::Metrics() : impl_(std::make_unique<Impl>()) {}
Metrics::~Metrics() = default;

void Metrics::ended(const exchange::Ended& e) {
  {
    const std::lock_guard lock(impl_->mutex);
    Impl::Meters& meters = impl_->meters_of(e);
    meters.requests->Increment();
    meters.duration->Observe(seconds((e.settle.ended_at - e.started_at).count()));
    if (e.settle.first_byte_us) meters.first_byte->Observe(seconds(*e.settle.first_byte_us));
    for (const auto& [target, settle] : e.attempts) impl_->count_attempt(*target, *settle);
  }
  impl_->log_request(e);
}

void Metrics::turned_away(const Error& error, const std::string& peer) {
  impl_->turned_away.Add({{"error", std::string(to_string(error.kind))}}).Increment();
  if (impl_->request_log.load(std::memory_order_relaxed) == RequestLog::none) return;
  nlohmann::ordered_json line{{"peer", peer}, {"error", to_string(error.kind)}};
  if (!error.detail().empty()) line["detail"] = error.detail();
  log(Level::info, "turned_away", std::move(line));
}

std::uint64_t Metrics::lacking_attempts() const { return impl_->lacking_attempts.load(std::memory_order_relaxed); }

void Metrics::set_request_log(std::string_view requests) {
  impl_->request_log = requests == "all" ? RequestLog::all : requests == "none" ? RequestLog::none : RequestLog::failures;
}

void Metrics::reloaded(bool ok, const std::string& snapshot_hash) {
  impl_->reloads.Add({{"result", ok ? "ok" : "refused"}}).Increment();
  impl_->reload_ok.Set(ok ? 1 : 0);
  if (!ok) return;
  impl_->reload_at.Set(std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count());
  in_force(snapshot_hash);
}

void Metrics::in_force(const std::string& snapshot_hash) {
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
  impl_->refused_connections.Set(static_cast<double>(gauges.refused_connections));
  impl_->upstream_connections.Set(static_cast<double>(gauges.upstream_connections));
  impl_->upstream_idle.Set(static_cast<double>(gauges.upstream_idle));
  impl_->body_bytes.Set(static_cast<double>(gauges.body_bytes));
  impl_->ready.Set(gauges.ready ? 1 : 0);
  impl_->disabled.Add({{"kind", "provider"}}).Set(gauges.providers_disabled);
  impl_->disabled.Add({{"kind", "key"}}).Set(gauges.keys_disabled);
  for (int i = 0; i < price_doubt_count; ++i)
    impl_->doubted_prices.Add({{"doubt", std::string(to_string(static_cast<PriceDoubt>(i)))}})
        .Set(gauges.doubted_prices.at(static_cast<std::size_t>(i)));
  impl_->show(gauges.estimates);
  impl_->show(gauges.budgets);
  impl_->budget_notices.Set(static_cast<double>(gauges.budget_notices));
  impl_->webhook_failures.Set(static_cast<double>(gauges.webhook_failures));
  impl_->show(gauges.limits);
  impl_->replays.Set(static_cast<double>(gauges.replays.replayed));
  impl_->replays_known.Set(static_cast<double>(gauges.replays.known));
  impl_->replays_bytes.Set(static_cast<double>(gauges.replays.bytes));
  return prometheus::TextSerializer().Serialize(impl_->registry.Collect());
}

}  // namespace fairlead::daemon
