#pragma once
// The immutable, validated configuration that a request runs under, from its start to its end. Built by config/, read by everyone.
// Pointers point into the same snapshot, which is never copied or changed after it is built.
#include <fairlead/budget.h>
#include <fairlead/content.h>
#include <fairlead/policy.h>
#include <fairlead/price.h>
#include <fairlead/rate_limits.h>
#include <fairlead/request.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace fairlead {

using Milliseconds = std::chrono::milliseconds;

/// Parts of http:// and https:// addresses. `path` has no trailing slash ("" or "/v1").
struct Url {
  bool tls = false;
  std::string host;
  std::uint16_t port = 0;
  std::string path;
  bool operator==(const Url&) const = default;
};

/// What a provider bills of an answer whose connection was closed on it before its end. Unknown: not told, and not found out.
enum class BillsAfterClose : std::uint8_t { unknown, whole, delivered, nothing };

/// The quirks of a kind of provider within its dialect, as data (config/profiles.yaml).
struct Profile {
  /// What a refusal means, where status alone does not tell. Matches if each stated part matches.
  struct ErrorRule {
    int status = 0;       ///< 0: any
    std::string code;     ///< error.code or error.type, or the flat code; empty: any
    std::string text;     ///< a part of the message, in lower case; empty: any
    std::string meaning;  ///< rate_limit | no_money | auth | refused | filtered | unavailable | context
  };
  std::string name;
  std::string output_limit_field;  ///< "max_tokens" or "max_completion_tokens": the app's is renamed to it; "": left as it is
  std::map<std::string, std::string> rename;  ///< top-level request fields: ours to theirs
  std::vector<std::string> drop;              ///< top-level request fields that it refuses or ignores
  bool stream_usage_on_request = true;        ///< ask with stream_options.include_usage
  bool stream_options_refused = false;        ///< remove stream_options altogether
  bool developer_role = false;                ///< knows the role `developer`; otherwise it becomes `system`
  std::string reasoning_field;  ///< what it calls reasoning_content in messages and deltas: "reasoning_content" or "reasoning"
  bool reasoning_outside_output = false;  ///< its output count leaves reasoning out (total tells; providers differ)
  std::string models_path;                ///< where its model list is, relative to the base URL
  Milliseconds cache_ms{300'000};         ///< how long its prompt cache keeps what nobody repeats
  std::vector<ErrorRule> errors;
  Capabilities lacks;  ///< what no model has behind this kind of provider, whatever the model can
  ThinkingSwitches thinking_switches = every_thinking_switch;  ///< what turns thinking on and off here
  BillsAfterClose bills_after_close = BillsAfterClose::unknown;
};

/// The facts that policies are about. Empty: not stated, which satisfies no `allow`.
struct Facts {
  std::string operator_;                      ///< legal home of the company that answers, e.g. "CN"
  std::string region;                         ///< where prompts are processed
  std::string hosting;                        ///< "cloud" or "self"
  std::string retention;                      ///< "none", "provider" or "trains"
  std::map<std::string, TimePoint> labels{};  ///< of the operator's own, such as "dpa": each until it ends
};

/// Deadlines of an attempt; `idle` between bytes of an answer.
struct Timeouts {
  Milliseconds connect{5'000};
  Milliseconds first_byte{120'000};  ///< of a stream
  Milliseconds buffered{600'000};    ///< in its place, of an answer in one piece, which shows nothing before its end
  Milliseconds idle{120'000};
  Milliseconds total{1'800'000};
};

/// Off the list's prices of a provider, or on them.
struct DatedShare {
  std::optional<TimePoint> from, until;  ///< empty: always
  Int128 share = 0;                      ///< 10^-12
};

struct Provider {
  std::string name;
  std::string dialect;
  const Profile* profile = nullptr;
  Url base_url;
  std::string api_key;           ///< a secret: never printed. Empty: no Authorization is sent
  std::string disabled_because;  ///< not empty: a secret is missing, and no target here is a candidate
  Facts facts;
  std::string price_list;                         ///< the first half of the model names it is priced by
  Currency currency;                              ///< what the account is billed in
  bool regional = false;                          ///< a regional endpoint, where entries may cost more
  std::vector<DatedShare> discounts, surcharges;  ///< of those that hold, the last one counts
  std::string ca_file;                            ///< where the CAs are; empty: the system's store
  std::string ca_pem;                             ///< what that file held when the configuration was read
  std::optional<Url> proxy;                       ///< HTTP CONNECT
  std::string proxy_authorization;                ///< "user:password" of the proxy; a secret
  Timeouts timeouts;
  int idle_connections_max = 256;              ///< kept per worker
  Milliseconds idle_connection_ms_max{4'000};  ///< kept no longer than this; below the shortest server's own limit
  BillsAfterClose bills_after_close = BillsAfterClose::unknown;  ///< of its profile, unless the provider states its own
  std::optional<Milliseconds> drain_ms_max;  ///< an answer whose app has gone is read to its end for so long; empty: not at all
  std::vector<Budget> budgets;
};

struct Model {
  std::string name;                     ///< as the provider names it
  std::vector<std::string> also_named;  ///< other names of the same model there: a rule that denies one denies all
  std::string origin;                   ///< legal home of its maker; empty: not stated
  Capabilities capabilities;
  bool capabilities_stated = false;    ///< not stated: taken to have all
  std::int64_t context_window = 0;     ///< tokens; 0: not stated
  std::int64_t output_tokens_max = 0;  ///< tokens; 0: not stated
  std::vector<Price> prices;           ///< every currency, ascending by `from`
  bool thinks_by_default = false;      ///< where a request does not say
};

/// One model at one provider.
struct Target {
  std::string name;  ///< "provider/model"
  const Provider* provider = nullptr;
  const Model* model = nullptr;
  std::vector<Price> contract;  ///< in the place of the model's prices where one holds; ascending by `from`
  int index = 0;                ///< position in Snapshot::targets
};

/// What such a request costs at this target at this time: by its contract, else by the list less the provider's discount and with
/// its surcharge, each rate rounded half up to 10^-12. Empty: unpriced.
std::optional<PriceInForce> price_of(const Target& target, const PricedBy& by, TimePoint at);
/// The next time after `at` and up to `until` at which other rates hold, or none do, or some do again.
std::optional<TimePoint> next_change(const Target& target, const PricedBy& by, TimePoint at, TimePoint until);
Account account_of(const Provider& provider);
/// Does a request that says this think at this target? By the switches that its provider heeds, else by the model's habit.
bool thinks(const Target& target, const ThinkingWish& wish);

enum class AnswerModel : std::uint8_t { provider, asked };

struct MaxPrice {
  std::optional<Int128> input, output;  ///< 10^-12 USD per million tokens
};

/// What a route says of one of its targets.
struct TargetTerms {
  int weight = 1;              ///< for `weighted`; 0: only when the others failed
  std::optional<int> quality;  ///< 0 to 100; empty: not stated
  bool operator==(const TargetTerms&) const = default;
};

/// For which refusals of a request itself the next target is tried.
struct FallbackOnRefusal {
  bool context = false;   ///< too long for the model: the next one with a longer context
  bool filtered = false;  ///< by the provider's content filter
  bool refused = false;   ///< as wrong
};

struct Route {
  std::string name;
  int index = 0;                       ///< position in Snapshot::routes
  std::vector<const Target*> targets;  ///< in the order of the file
  std::vector<TargetTerms> terms;      ///< of `targets`, by position; shorter: the defaults
  std::string strategy = "cheapest";
  MaxPrice max_price;
  std::optional<Int128> max_cost;              ///< 10^-12 USD that a request is expected to cost at most; unknown is more
  std::optional<Milliseconds> latency_ms_max;  ///< of the first token, for `balanced`
  std::optional<int> quality_min;              ///< targets of less quality, or of none stated, are rejected
  bool fallback = true;
  bool fallback_on_unconfirmed = true;
  FallbackOnRefusal fallback_on_refusal;
  AnswerModel answer_model = AnswerModel::provider;
  std::optional<RateLimits> limits;  ///< of all requests for it together; empty: none
  bool unpriced_allowed = false;     ///< under a budget, too, targets without a price may be reached
  std::vector<Budget> budgets;
};

/// What is stated of a team. Keys may name one of which nothing is.
struct Team {
  Int128 markup = 0;  ///< a share of the cost, 10^-12, that is charged on top of it
  std::vector<Budget> budgets;
  std::optional<RateLimits> limits;  ///< of its keys together; empty: none
};

struct Project {
  std::vector<Budget> budgets;
};

/// A secret that was replaced, and holds for a while yet.
struct FormerSecret {
  std::array<std::uint8_t, 32> sha256{};
  TimePoint until{};
};

struct Key {
  std::string name;
  int index = 0;  ///< position in Snapshot::keys
  std::array<std::uint8_t, 32> sha256{};
  std::vector<FormerSecret> former;
  std::optional<TimePoint> expires_at;  ///< from then on it is refused
  bool stored = false;                  ///< in the ledger's database, not in a file
  std::string team, project;
  std::vector<std::string> tags;          ///< of each of its requests; in lower case
  std::vector<std::string> request_tags;  ///< that a request may add; in lower case
  std::vector<const Route*> routes;       ///< what it may ask for
  bool may_name_targets = false;          ///< may ask for "provider/model" (of its routes' targets) directly
  std::optional<RateLimits> limits;       ///< empty: none
  std::vector<Budget> budgets;            ///< its own
};

/// A secret by which an app is known, as index_secrets() lists it.
struct Secret {
  std::array<std::uint8_t, 32> sha256{};
  int key = 0;  ///< its place in Snapshot::keys
  TimePoint until = TimePoint::max();
};

/// One that lets nobody in any more: by it, whoever still uses it can be told from a stranger.
struct EndedSecret {
  std::array<std::uint8_t, 32> sha256{};
  std::string key;       ///< the name that it had
  bool revoked = false;  ///< else it was replaced, and its grace is over
};

struct Listener {
  std::string address;                   ///< "127.0.0.1:8080", "[::1]:8080"; port 0 takes any
  std::string certificate, private_key;  ///< PEM files; both or none
};

struct Limits {
  std::size_t head_bytes_max = 32 << 10;
  std::size_t body_bytes_max = 32 << 20;
  std::size_t bodies_bytes_max = 1 << 30;   ///< of all requests under way whose body is over 64 KiB
  std::size_t answer_bytes_max = 64 << 20;  ///< a buffered answer
  std::size_t event_bytes_max = 16 << 20;   ///< one event of a stream
  int connections_max = 10'000;             ///< of apps, per worker
  int attempts_max = 4;                     ///< of one request, retries and fallbacks together
  Milliseconds head_ms_max{15'000};         ///< for an app to send its head
  Milliseconds body_ms_max{120'000};        ///< for an app to send its body
  Milliseconds keep_alive_ms_max{75'000};   ///< an app's idle connection
  Milliseconds write_ms_max{60'000};        ///< for an app to take anything of what it is sent
  Milliseconds drain_ms_max{30'000};        ///< for streams to finish on SIGTERM
};

/// How answers to requests with an `Idempotency-Key` are kept for their repeats.
struct Idempotency {
  Milliseconds window{24 * 3'600'000};      ///< from the end of the answer; 0: the header is not looked at
  std::size_t memory_bytes_max = 64 << 20;  ///< of all together; the oldest answers go first
  std::size_t answer_bytes_max = 4 << 20;   ///< a larger answer is not kept
};

struct Log {
  std::string level = "info";         ///< debug, info, warn, error
  std::string requests = "failures";  ///< none, failures, all
};

/// Which prices are doubted, and what comes of it.
struct PriceRules {
  std::chrono::days stale_days{180};  ///< since an entry was last seen in force
  bool strict = false;                ///< no request goes to a target whose price is doubted
};

/// How long rows stay in the ledger.
struct Retention {
  std::chrono::days detail{0};  ///< since they were sent; 0: for ever
  std::string archive;          ///< a folder for what goes, absolute; empty: it goes without
};

struct Snapshot {
  Snapshot() = default;
  Snapshot(const Snapshot&) = delete;
  Snapshot& operator=(const Snapshot&) = delete;

  std::string hash;  ///< SHA-256 of the whole text read (includes and built-in lists too), hex
  std::string file;
  std::vector<Listener> listen;
  std::string admin;           ///< an address; empty: no admin listener
  std::string ledger;          ///< "sqlite:PATH"
  bool ledger_on_disk = true;  ///< before anything goes on; else with the operating system
  Retention retention;
  int workers = 0;     ///< 0: one per core
  bool watch = false;  ///< reload when a file changes that was read
  Limits limits;
  Idempotency idempotency;
  Log log;
  std::map<std::string, UsdRates> usd_per;  ///< by currency; always holds USD
  PriceRules price_rules;

  std::vector<std::unique_ptr<Profile>> profiles;
  std::vector<std::unique_ptr<Provider>> providers;
  std::vector<std::unique_ptr<Model>> models;
  std::vector<std::unique_ptr<Target>> targets;
  std::vector<std::unique_ptr<Route>> routes;
  std::vector<RegionGroup> region_groups;  ///< that rules may name
  std::vector<Policy> policies;
  std::unique_ptr<const ContentScanner> content;  ///< for the classes that policies name; null: they name none, nothing is scanned
  std::vector<Assertion> assertions;
  PolicyNeeds policies_need;
  std::vector<Network> trusted_proxies;  ///< whose word on the app's address is taken
  std::vector<Key> keys;
  std::vector<std::string> ended_keys;     ///< of the ledger's database: names of those that were revoked, or cannot be taken in
  std::vector<Secret> secrets;             ///< of all keys, former ones too, by their digests
  std::vector<EndedSecret> ended_secrets;  ///< of the ledger's database, by their digests
  int keys_disabled = 0;                   ///< that are not among `keys`, as their hash is a reference to what is not there
  std::map<std::string, Team, std::less<>> teams;
  bool teams_limited = false;  ///< some team has rate limits
  std::map<std::string, Project, std::less<>> projects;
  std::vector<Budget> budgets;        ///< of the whole installation
  bool budgeted = false;              ///< there is a budget, whosever it is
  std::optional<Url> notify_webhook;  ///< that is told of budgets

  const Target* target(std::string_view name) const;               ///< null if there is none
  const Route* route(std::string_view name) const;                 ///< null if there is none
  const Team* team(std::string_view name) const;                   ///< null if nothing is stated of it
  const Project* project(std::string_view name) const;             ///< null if nothing is stated of it
  const UsdRate* usd_rate(Currency currency, TimePoint at) const;  ///< null: there is none then
  std::unordered_map<std::string, const Target*> target_by_name;
  std::unordered_map<std::string, const Route*> route_by_name;
};

/// In an order that people like to read.
std::vector<const Budget*> all_budgets(const Snapshot& snapshot);

/// Once the keys are known.
void index_secrets(Snapshot& snapshot);

}  // namespace fairlead
