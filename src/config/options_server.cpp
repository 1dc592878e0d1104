// The rows of the description: the daemon, and the providers that it sends to.
#include "config/option_rows.h"

#include <fairlead/dialect.h>

#include <utility>

namespace fairlead::config {
namespace {

constexpr std::int64_t KiB = 1 << 10, MiB = 1 << 20, second = 1'000, minute = 60 * second, hour = 60 * minute;

void add_timeouts(Rows& rows, const std::string& at, const std::vector<std::string>& fallbacks, const std::string& otherwise) {
  const auto row = [&](std::string name, std::size_t i, std::string doc) {
    rows.push_back({.path = at + name,
                    .type = Type::duration,
                    .doc = std::move(doc),
                    .fallback = fallbacks.empty() ? "" : fallbacks[i],
                    .otherwise = otherwise,
                    .min = 10,
                    .max = 24 * hour});
  };
  row("connect", 0, "To look up, connect and shake hands.");
  row("first_byte", 1,
      "For a stream: from the request being sent to the first content of the answer; blank lines and comments that keep it alive "
      "do not count. Sending a request, streamed or not, may take as long.");
  row("buffered", 2,
      "The same for an answer that is not streamed. It shows nothing before it is whole, so this limits how long it may take to "
      "generate; a provider that hangs holds its request that long. OpenAI's SDKs wait for 10 minutes.");
  row("idle", 3, "From the first content on, between two bytes of the answer.");
  row("total", 4, "For the whole attempt.");
}

}  // namespace

void add_server_rows(Rows& rows) {
  rows.push_back({.path = "include",
                  .type = Type::list,
                  .doc = "Further files, relative to this one. Maps merge and lists append; the same name twice is an error.",
                  .short_for = "[]"});
  rows.push_back({.path = "include[]", .type = Type::path, .doc = "A file."});
  rows.push_back({.path = "watch",
                  .type = Type::boolean,
                  .doc = "Reload unasked when a file that was read changes: configuration, files of secrets, certificates. Replace "
                         "files by rename: one that is written in place in steps may be read half-written.",
                  .fallback = "false"});
  rows.push_back(
      {.path = "listen",
       .type = Type::list,
       .doc = "Where apps connect. Addresses, and whether there is TLS, change by a restart only; certificates by a reload.",
       .fallback = "127.0.0.1:8080",
       .min = 1,
       .short_for = "[]"});
  rows.push_back(
      {.path = "listen[]", .type = Type::object, .doc = "A listener: an address, or a map of these.", .short_for = "address"});
  rows.push_back({.path = "listen[].address",
                  .type = Type::address,
                  .doc = "An IP address and a port; port 0 takes any free one.",
                  .required = true});
  rows.push_back({.path = "listen[].tls", .type = Type::object, .doc = "Serve HTTPS here.", .otherwise = "plain HTTP"});
  rows.push_back({.path = "listen[].tls.certificate", .type = Type::file, .doc = "The certificate chain, PEM.", .required = true});
  rows.push_back({.path = "listen[].tls.key", .type = Type::file, .doc = "Its private key, PEM.", .required = true});
  rows.push_back({.path = "admin",
                  .type = Type::address,
                  .doc = "Where health, metrics and the admin API are served, apart from the apps. It must be a loopback address, "
                         "as it asks for no key. Changes by a restart only.",
                  .otherwise = "no admin listener"});
  rows.push_back(
      {.path = "ledger",
       .type = Type::ledger,
       .doc = "Where the rows are kept; a relative path is taken from the working directory of whoever opens it: the daemon, "
              "`usage` and `explain`. Changes by a restart only.",
       .fallback = "sqlite:fairlead.db"});
  rows.push_back(
      {.path = "ledger_sync",
       .type = Type::choice,
       .doc = "Where the rows of a request must be before the app sees its end: on the disk (`disk`), or with the operating system "
              "(`os`), which is faster and survives a crash of fairlead, but not one of the machine. Changes by a restart only.",
       .fallback = "disk",
       .allowed = {"disk", "os"}});
  rows.push_back(
      {.path = "retention", .type = Type::object, .doc = "How long single rows stay in the ledger; sums stay for ever."});
  rows.push_back({.path = "retention.detail_days",
                  .type = Type::integer,
                  .doc = "Rows of requests are removed whole days at a time, this many days after they were sent.",
                  .otherwise = "they stay for ever",
                  .min = 35,
                  .max = 36'500});
  rows.push_back({.path = "retention.archive",
                  .type = Type::text,
                  .doc = "A folder, by its absolute path. Each day is written there as CSV (gzip), and no row is removed before it "
                         "is on the disk there.",
                  .otherwise = "no archive is written"});
  rows.push_back({.path = "workers",
                  .type = Type::integer,
                  .doc = "Threads that serve apps; 0: one per core. Changes by a restart only.",
                  .fallback = "0",
                  .max = 256});

  rows.push_back({.path = "trusted_proxies",
                  .type = Type::list,
                  .doc = "Whose `X-Forwarded-For` is believed, where policies ask for the network. The last of its addresses that "
                         "is no trusted proxy counts.",
                  .otherwise = "nobody's: the address of the connection counts",
                  .short_for = "[]"});
  rows.push_back({.path = "trusted_proxies[]", .type = Type::network, .doc = "A network."});
  rows.push_back({.path = "limits", .type = Type::object, .doc = "Bounds on sizes, numbers and waits."});
  const auto bytes = [&](std::string path, std::string fallback, std::int64_t max, std::string doc) {
    rows.push_back({.path = "limits." + path,
                    .type = Type::bytes,
                    .doc = std::move(doc),
                    .fallback = std::move(fallback),
                    .min = KiB,
                    .max = max});
  };
  bytes("head_bytes_max", "32KiB", MiB, "The head of an app's request.");
  bytes("body_bytes_max", "32MiB", 1024 * MiB, "The body of an app's request, after decompression.");
  bytes("bodies_bytes_max", "1GiB", 1024 * 1024 * MiB,
        "All bodies over 64 KiB of requests under way. A request beyond it waits for others to end, up to 10 s, and is then "
        "refused with 503.");
  bytes("answer_bytes_max", "64MiB", 1024 * MiB, "A provider's answer that is not streamed.");
  bytes("event_bytes_max", "16MiB", 256 * MiB, "One event of a provider's stream.");
  rows.push_back({.path = "limits.connections_max",
                  .type = Type::integer,
                  .doc = "Connections of apps, for each worker; those beyond it are closed at once. It is never more than the "
                         "limit of open files leaves room for.",
                  .fallback = "10000",
                  .min = 1,
                  .max = 1'000'000});
  rows.push_back({.path = "limits.attempts_max",
                  .type = Type::integer,
                  .doc = "Attempts of one request, retries and fallbacks together.",
                  .fallback = "4",
                  .min = 1,
                  .max = 16});
  const auto wait = [&](std::string path, std::string fallback, std::string doc) {
    rows.push_back({.path = "limits." + path,
                    .type = Type::duration,
                    .doc = std::move(doc),
                    .fallback = std::move(fallback),
                    .min = 10,
                    .max = hour});
  };
  wait("head_ms_max", "15s", "For an app to send the head of its request.");
  wait("body_ms_max", "2m", "For an app to send the body of its request.");
  wait("keep_alive_ms_max", "75s", "For an app's connection to stay open without a request.");
  wait("write_ms_max", "60s", "For an app to accept any part of what it is sent.");
  wait("drain_ms_max", "30s", "For streams to finish when the daemon is told to stop.");

  rows.push_back(
      {.path = "timeouts", .type = Type::object, .doc = "Deadlines of an attempt, for providers that state none of their own."});
  add_timeouts(rows, "timeouts.", {"5s", "2m", "10m", "2m", "30m"}, "");
  rows.push_back(
      {.path = "log", .type = Type::object, .doc = "What goes to stderr, one JSON object a line; never a prompt or a secret."});
  rows.push_back({.path = "log.level",
                  .type = Type::choice,
                  .doc = "The lowest severity that is logged.",
                  .fallback = "info",
                  .allowed = {"debug", "info", "warn", "error"}});
  rows.push_back({.path = "log.requests",
                  .type = Type::choice,
                  .doc = "Which requests are logged.",
                  .fallback = "failures",
                  .allowed = {"none", "failures", "all"}});
  rows.push_back({.path = "prices", .type = Type::object, .doc = "Which prices are doubted, and what follows from that."});
  rows.push_back(
      {.path = "prices.stale_days",
       .type = Type::integer,
       .doc = "A listed price that was last seen in force more days ago than this is stale; contracts and your own machines "
              "never are.",
       .fallback = "180",
       .min = 1,
       .max = 36'500});
  rows.push_back({.path = "prices.strict",
                  .type = Type::boolean,
                  .doc = "No request goes to a target whose price is missing, stale or implausible.",
                  .fallback = "false"});
  rows.push_back(
      {.path = "fx", .type = Type::map, .doc = "What one unit of a currency is worth in USD.", .key_type = Type::currency});
  rows.push_back({.path = "fx.*",
                  .type = Type::list,
                  .doc = "One rate, for example `CNY: \"0.14\"`, or dated ones, ascending.",
                  .min = 1,
                  .short_for = "[]"});
  rows.push_back({.path = "fx.*[]", .type = Type::object, .doc = "A rate.", .short_for = "usd"});
  rows.push_back({.path = "fx.*[].usd", .type = Type::decimal, .doc = "USD per unit.", .required = true});
  rows.push_back({.path = "fx.*[].from",
                  .type = Type::instant,
                  .doc = "In force for what is sent from here on, until the next begins.",
                  .otherwise = "always"});
}

namespace {

void add_shares(Rows& rows, const std::string& at, std::string doc) {
  rows.push_back({.path = at, .type = Type::list, .doc = std::move(doc), .otherwise = "none", .short_for = "[]"});
  rows.push_back({.path = at + "[]", .type = Type::object, .doc = "A share of the price.", .short_for = "share"});
  rows.push_back(
      {.path = at + "[].share", .type = Type::decimal, .doc = "For example \"0.15\" for 15 %; below 1.", .required = true});
  rows.push_back({.path = at + "[].from", .type = Type::instant, .doc = "In force from here on.", .otherwise = "always"});
  rows.push_back({.path = at + "[].until", .type = Type::instant, .doc = "Its end.", .otherwise = "open"});
}

}  // namespace

void add_provider_rows(Rows& rows) {
  rows.push_back({.path = "providers", .type = Type::map, .doc = "Whom requests can be sent to.", .min = 1, .required = true});
  rows.push_back({.path = "providers.*",
                  .type = Type::object,
                  .doc = "A connection, its credentials, and the facts that policies are about."});
  rows.push_back({.path = "providers.*.dialect",
                  .type = Type::choice,
                  .doc = "The wire format it speaks.",
                  .fallback = "openai",
                  .allowed = dialect_names()});
  rows.push_back({.path = "providers.*.profile",
                  .type = Type::name,
                  .doc = "Its habits within the dialect; one of `profiles`, many of which are built in.",
                  .fallback = "generic"});
  rows.push_back({.path = "providers.*.base_url",
                  .type = Type::url,
                  .doc = "Where its API begins.",
                  .required = true,
                  .may_be_missing = true});
  rows.push_back({.path = "providers.*.api_key",
                  .type = Type::secret,
                  .doc = "Sent as the bearer token. If it cannot be resolved, the provider is disabled, with a warning.",
                  .otherwise = "none is sent",
                  .may_be_missing = true});
  rows.push_back({.path = "providers.*.operator",
                  .type = Type::word,
                  .doc = "The legal home of the company that answers, for example CN.",
                  .otherwise = "not stated"});
  rows.push_back({.path = "providers.*.region",
                  .type = Type::word,
                  .doc = "Where prompts are processed, for example EU.",
                  .otherwise = "not stated"});
  rows.push_back({.path = "providers.*.hosting",
                  .type = Type::choice,
                  .doc = "Somebody's cloud, or your own machines.",
                  .fallback = "cloud",
                  .allowed = {"cloud", "self"}});
  rows.push_back({.path = "providers.*.retention",
                  .type = Type::choice,
                  .doc = "Who keeps prompts: nobody, the provider, or the provider to train on.",
                  .otherwise = "not stated",
                  .allowed = {"none", "provider", "trains"}});
  rows.push_back(
      {.path = "providers.*.labels",
       .type = Type::map,
       .doc = "Further facts that policies may ask for, such as `dpa: 2027-06-30`: each with the instant at which it ends."});
  rows.push_back({.path = "providers.*.labels.*", .type = Type::instant, .doc = "From then on it has ended."});
  rows.push_back({.path = "providers.*.price_list",
                  .type = Type::name,
                  .doc = "The first half of the names under `models` by which it is priced.",
                  .otherwise = "the profile's name"});
  rows.push_back(
      {.path = "providers.*.currency", .type = Type::currency, .doc = "What the account is billed in.", .fallback = "USD"});
  rows.push_back({.path = "providers.*.regional",
                  .type = Type::boolean,
                  .doc = "Its endpoint is a regional one, at which price entries with `regional` cost more.",
                  .fallback = "false"});
  add_shares(rows, "providers.*.discount",
             "What is taken off the listed prices, not off `contracts`; of several in force, the last counts.");
  add_shares(rows, "providers.*.surcharge",
             "What is added to the listed prices, after the discount; of several in force, the last counts.");
  rows.push_back({.path = "providers.*.ca_file",
                  .type = Type::file,
                  .doc = "The authorities by which its certificate is verified, PEM.",
                  .otherwise = "the system's"});
  rows.push_back({.path = "providers.*.proxy",
                  .type = Type::secret_url,
                  .doc = "An HTTP proxy (CONNECT) on the way, `http://user:${env:PASSWORD}@host:port`.",
                  .otherwise = "none",
                  .may_be_missing = true});
  rows.push_back({.path = "providers.*.timeouts", .type = Type::object, .doc = "Deadlines of an attempt here."});
  add_timeouts(rows, "providers.*.timeouts.", {}, "the top-level `timeouts`");
  rows.push_back({.path = "providers.*.idle_connections_max",
                  .type = Type::integer,
                  .doc = "Idle connections kept, for each worker.",
                  .fallback = "256",
                  .max = 10'000});
  rows.push_back({.path = "providers.*.idle_connection_ms_max",
                  .type = Type::duration,
                  .doc = "How long they are kept; less than the server's own limit.",
                  .fallback = "4s",
                  .max = hour});
  rows.push_back({.path = "providers.*.on_cancel",
                  .type = Type::choice,
                  .doc = "What becomes of an attempt whose app has gone. `cancel`: its connection is closed at once. `drain`: its "
                         "answer is read to the end, for the usage that the provider reports there.",
                  .fallback = "cancel",
                  .allowed = {"cancel", "drain"}});
  rows.push_back({.path = "providers.*.drain_ms_max",
                  .type = Type::duration,
                  .doc = "After this long, or `limits.answer_bytes_max`, a drained answer is cancelled all the same.",
                  .fallback = "60s",
                  .max = hour});
  rows.push_back({.path = "providers.*.bills_after_close",
                  .type = Type::choice,
                  .doc = "What it bills of an answer whose connection was closed before its end ([accounting](accounting.md)).",
                  .otherwise = "as its profile says",
                  .allowed = {"whole", "delivered", "nothing", "unknown"}});
  add_budget_rows(rows, "providers.*.budget", "all that goes to it");
}

}  // namespace fairlead::config
