// Files, includes, references, the hash, and what the snapshot holds.
#include "config/config.h"
#include "config/scalar.h"
#include "pem_texts.h"
#include "world.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <tuple>

namespace fairlead::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

World small_world() {
  World world;
  world.files["f.yaml"] = small_config;
  return world;
}

World with(const std::string& from, const std::string& to) {
  World world = small_world();
  std::string& text = world.files["f.yaml"];
  text.replace(text.find(from), from.size(), to);
  return world;
}

TEST(Load, fills_in_every_default) {
  const auto loaded = small_world().load();
  ASSERT_NE(loaded.snapshot, nullptr);
  const Snapshot& s = *loaded.snapshot;
  ASSERT_EQ(s.listen.size(), 1u);
  EXPECT_EQ(s.listen[0].address, "127.0.0.1:8080");
  EXPECT_EQ(s.ledger, "sqlite:fairlead.db");
  // The contract states defaults beside its fields, the description beside its options: they are the same.
  const Limits limits;
  EXPECT_EQ(s.limits.head_bytes_max, limits.head_bytes_max);
  EXPECT_EQ(s.limits.body_bytes_max, limits.body_bytes_max);
  EXPECT_EQ(s.limits.answer_bytes_max, limits.answer_bytes_max);
  EXPECT_EQ(s.limits.event_bytes_max, limits.event_bytes_max);
  EXPECT_EQ(s.limits.connections_max, limits.connections_max);
  EXPECT_EQ(s.limits.attempts_max, limits.attempts_max);
  EXPECT_EQ(s.limits.head_ms_max, limits.head_ms_max);
  EXPECT_EQ(s.limits.body_ms_max, limits.body_ms_max);
  EXPECT_EQ(s.limits.keep_alive_ms_max, limits.keep_alive_ms_max);
  EXPECT_EQ(s.limits.write_ms_max, limits.write_ms_max);
  EXPECT_EQ(s.limits.drain_ms_max, limits.drain_ms_max);
  const Timeouts timeouts;
  const Provider &p = *s.providers.at(0), defaults;
  EXPECT_EQ(p.timeouts.connect, timeouts.connect);
  EXPECT_EQ(p.timeouts.first_byte, timeouts.first_byte);
  EXPECT_EQ(p.timeouts.idle, timeouts.idle);
  EXPECT_EQ(p.timeouts.total, timeouts.total);
  EXPECT_EQ(p.idle_connections_max, defaults.idle_connections_max);
  EXPECT_EQ(p.idle_connection_ms_max, defaults.idle_connection_ms_max);
  EXPECT_EQ(s.log.level, Log{}.level);
  EXPECT_EQ(s.log.requests, Log{}.requests);
  const Route &route = *s.routes.at(0), plain;
  EXPECT_EQ(route.strategy, plain.strategy);
  EXPECT_EQ(route.fallback, plain.fallback);
  EXPECT_EQ(route.fallback_on_unconfirmed, plain.fallback_on_unconfirmed);
  EXPECT_EQ(route.answer_model, plain.answer_model);
  EXPECT_EQ(p.profile->stream_usage_on_request, Profile{}.stream_usage_on_request);
  EXPECT_TRUE(s.usd_rate({}, {})->usd == pico_per_unit);
}

std::string in_one_file(const PemTexts& pair) { return pair.certificate + pair.key; }

TEST(Load, takes_everything_the_file_says) {
  World world;
  world.environment = {{"KEY", "sk-1"}, {"PASSWORD", "p%40ss"}};
  world.files["etc/ca.pem"] = in_one_file(pem_texts());
  world.files["etc/key"] = "sk-2\n";
  world.files["etc/f.yaml"] = R"(listen: ["127.0.0.1:8080", {address: "[::]:8443", tls: {certificate: ca.pem, key: ca.pem}}]
admin: 127.0.0.1:9090
ledger: sqlite:/var/lib/x.db
workers: 3
limits: {head_bytes_max: 64KiB, connections_max: 7, drain_ms_max: 1500}
timeouts: {connect: 250ms, total: 1h}
log: {level: debug, requests: all}
fx: {CNY: "0.14"}
profiles:
  mine:
    output_limit_field: max_tokens
    rename: {seed: random_seed}
    drop: [logit_bias, user]
    stream_usage_on_request: false
    reasoning_field: reasoning
    lacks: [json_schema, audio]
    errors: [{status: 402, meaning: no_money}, {code: x, text: Out Of Money, meaning: no_money}]
providers:
  one:
    profile: mine
    base_url: https://Api.Example.com/
  two:
    profile: mine
    price_list: other
    base_url: http://[::1]:8000/v1//
    api_key: ${env:KEY}
    currency: CNY
    operator: CN
    region: SG
    hosting: self
    retention: trains
    ca_file: ca.pem
    proxy: http://me:${env:PASSWORD}@10.0.0.1:3128
    timeouts: {connect: 1s}
    idle_connections_max: 0
  three: {profile: mine, base_url: "https://h:444", api_key: "${file:key}"}
models:
  other/a/b:
    origin: CN
    context_window: 1000
    output_tokens_max: 100
    capabilities: [tools]
    aliases: [c]
    prices:
      - {from: 2026-09-10T04:00Z, currency: CNY, input: 1, output: "4.5", cached_input: 0,
         windows: [{name: peak, weekdays: [mon, sun], from: "22:00", to: "02:30", input: 2}],
         tiers: [{above_input_tokens: 10, input: 3, output: 9}], source: page, confidence: high}
      - {from: 2025-01-01, until: 2026-01-01, currency: CNY, input: "7", output: "8"}
routes:
  chat:
    targets: [two/a/b, {target: two/c}, one/z]
    strategy: ordered
    max_price: {input: 1.00}
    fallback: false
    fallback_on_unconfirmed: false
    answer_model: asked
policies:
  - {name: p, when: {team: t}, allow: {origin: [CN, US]}, deny: {retention: trains}, reason: "Because."}
keys:
  - {name: k, hash: "sha256:00112233445566778899aabbccddeeff00112233445566778899AABBCCDDEEFF", team: t, routes: chat, targets: true}
)";
  const auto loaded = world.load("etc/f.yaml");
  EXPECT_THAT(errors(loaded), IsEmpty());
  ASSERT_NE(loaded.snapshot, nullptr);
  const Snapshot& s = *loaded.snapshot;
  EXPECT_EQ(s.file, "etc/f.yaml");
  EXPECT_EQ(s.listen.at(1).address, "[::]:8443");
  EXPECT_EQ(s.listen.at(1).certificate, "etc/ca.pem");
  EXPECT_EQ(s.listen.at(1).private_key, "etc/ca.pem");
  EXPECT_EQ(s.admin, "127.0.0.1:9090");
  EXPECT_EQ(s.workers, 3);
  EXPECT_EQ(s.limits.head_bytes_max, 65'536u);
  EXPECT_EQ(s.limits.drain_ms_max, Milliseconds(1'500));
  EXPECT_TRUE(s.usd_per.at("CNY").dated.at(0).usd == pico_per_unit * 14 / 100);

  ASSERT_EQ(s.providers.size(), 3u);
  const Provider &one = *s.providers[0], &two = *s.providers[1], &three = *s.providers[2];
  EXPECT_EQ(one.base_url, (Url{true, "api.example.com", 443, ""}));
  EXPECT_EQ(one.price_list, "mine");
  EXPECT_EQ(one.timeouts.connect, Milliseconds(250));
  EXPECT_EQ(one.facts.hosting, "cloud");
  EXPECT_EQ(two.base_url, (Url{false, "::1", 8'000, "/v1"}));
  EXPECT_EQ(two.api_key, "sk-1");
  EXPECT_EQ(two.currency.view(), "CNY");
  EXPECT_EQ(two.facts.retention, "trains");
  EXPECT_EQ(two.ca_file, "etc/ca.pem");
  EXPECT_EQ(two.proxy, (Url{false, "10.0.0.1", 3'128, ""}));
  EXPECT_EQ(two.proxy_authorization, "me:p@ss");
  EXPECT_EQ(two.timeouts.connect, Milliseconds(1'000));
  EXPECT_EQ(two.timeouts.total, Milliseconds(3'600'000));
  EXPECT_EQ(two.idle_connections_max, 0);
  EXPECT_EQ(three.api_key, "sk-2");
  EXPECT_EQ(three.base_url.port, 444);

  const Profile& mine = *one.profile;
  EXPECT_EQ(mine.output_limit_field, "max_tokens");
  EXPECT_EQ(mine.rename.at("seed"), "random_seed");
  EXPECT_THAT(mine.drop, ElementsAre("logit_bias", "user"));
  EXPECT_FALSE(mine.stream_usage_on_request);
  EXPECT_EQ(mine.reasoning_field, "reasoning");
  EXPECT_TRUE(mine.lacks.has(Capability::json_schema) && mine.lacks.has(Capability::audio) && !mine.lacks.has(Capability::tools));
  ASSERT_EQ(mine.errors.size(), 2u);
  EXPECT_EQ(mine.errors[0].status, 402);
  EXPECT_EQ(mine.errors[1].text, "out of money");

  ASSERT_EQ(s.targets.size(), 3u);
  const Target* target = s.target("two/a/b");
  ASSERT_NE(target, nullptr);
  EXPECT_EQ(target->provider, &two);
  EXPECT_EQ(s.targets[static_cast<std::size_t>(target->index)].get(), target);
  const Model& model = *target->model;
  EXPECT_EQ(model.name, "a/b");
  EXPECT_TRUE(model.capabilities_stated && model.capabilities.has(Capability::streaming) &&
              model.capabilities.has(Capability::tools));
  EXPECT_FALSE(model.capabilities.has(Capability::vision));
  ASSERT_EQ(model.prices.size(), 2u);
  EXPECT_LT(model.prices[0].from, model.prices[1].from);
  EXPECT_TRUE(model.prices[0].until.has_value());
  const Price& price = model.prices[1];
  EXPECT_EQ(price.from.time_since_epoch(), std::chrono::seconds(1'789'012'800));
  EXPECT_EQ(price.rates.cached_input, Int128(0));
  EXPECT_EQ(price.rates.cache_write, std::nullopt);
  EXPECT_EQ(price.windows.at(0).time.weekdays, 1 | 1 << 6);
  EXPECT_EQ(price.windows.at(0).time.from_minute, 22 * 60);
  EXPECT_EQ(price.windows.at(0).time.to_minute, 150);
  EXPECT_EQ(price.windows.at(0).rates.output, std::nullopt);
  EXPECT_EQ(price.tiers.at(0).above_input_tokens, 10);
  const Model& alias = *s.target("two/c")->model;
  EXPECT_EQ(alias.name, "c");
  EXPECT_EQ(alias.prices.size(), 2u);
  EXPECT_TRUE(s.target("one/z")->model->prices.empty());
  EXPECT_FALSE(s.target("one/z")->model->capabilities_stated);

  const Route& route = *s.route("chat");
  EXPECT_EQ(route.targets.size(), 3u);
  EXPECT_EQ(route.max_price.input, Int128(pico_per_unit));
  EXPECT_EQ(route.max_price.output, std::nullopt);
  EXPECT_EQ(route.strategy, "ordered");
  EXPECT_FALSE(route.fallback || route.fallback_on_unconfirmed);
  EXPECT_EQ(route.answer_model, AnswerModel::asked);
  ASSERT_EQ(s.policies.size(), 1u);
  EXPECT_EQ(s.policies[0].when_text, "team t");
  EXPECT_TRUE(s.policies[0].when.keys && s.policies[0].when.keys->has(0));
  EXPECT_EQ(s.policies[0].allow, (std::vector<FactRule>{{Fact::origin, {"CN", "US"}}}));
  EXPECT_EQ(s.policies[0].deny, (std::vector<FactRule>{{Fact::retention, {"trains"}}}));
  ASSERT_EQ(s.keys.size(), 1u);
  EXPECT_EQ(s.keys[0].sha256[31], 0xff);
  EXPECT_TRUE(s.keys[0].may_name_targets);
  EXPECT_THAT(s.keys[0].routes, ElementsAre(&route));
}

TEST(Load, a_route_says_how_good_and_how_heavy_its_targets_are) {
  World world = small_world();
  std::string& text = world.files["f.yaml"];
  text.replace(text.find("{targets: [here/m]}"), 19,
               "{strategy: balanced, latency_ms_max: 2s, quality_min: 70, targets: [{target: here/m, quality: 80}]}\n"
               "  spread: {strategy: weighted, targets: [{target: here/m, weight: 3}, here/n]}");
  const auto loaded = world.load();
  EXPECT_THAT(errors(loaded), IsEmpty());
  const Route &chat = *loaded.snapshot->route("chat"), &spread = *loaded.snapshot->route("spread");
  EXPECT_EQ(chat.latency_ms_max, Milliseconds(2'000));
  EXPECT_EQ(chat.quality_min, 70);
  EXPECT_THAT(chat.terms, ElementsAre(TargetTerms{1, 80}));
  EXPECT_THAT(spread.terms, ElementsAre(TargetTerms{3, std::nullopt}, TargetTerms{}));
  EXPECT_EQ(spread.latency_ms_max, std::nullopt);
  EXPECT_EQ(spread.quality_min, std::nullopt);
}

// Includes.

TEST(Load, included_files_merge_maps_and_append_lists) {
  World world = small_world();
  world.files["f.yaml"] += "include: [d/more.yaml]\nlog: {level: warn}\n";
  world.files["d/more.yaml"] =
      "include: deep.yaml\nproviders: {there: {profile: plain, base_url: 'https://x', operator: US, region: US, retention: "
      "none}}\nlog: {requests: all}\n";
  world.files["d/deep.yaml"] =
      "keys: [{name: two, hash: 'sha256:ff112233445566778899aabbccddeeff00112233445566778899aabbccddeeff', routes: chat}]\n";
  const auto loaded = world.load();
  EXPECT_THAT(errors(loaded), IsEmpty());
  ASSERT_NE(loaded.snapshot, nullptr);
  EXPECT_EQ(loaded.snapshot->providers.size(), 2u);
  EXPECT_EQ(loaded.snapshot->keys.size(), 2u);
  EXPECT_EQ(loaded.snapshot->log.level, "warn");
  EXPECT_EQ(loaded.snapshot->log.requests, "all");
}

TEST(Load, a_name_in_two_files_is_an_error_that_names_both) {
  World world = small_world();
  world.files["f.yaml"] += "include: more.yaml\nlog: {level: info}\nworkers: 2\n";
  world.files["more.yaml"] =
      "providers:\n  here: {base_url: 'http://x'}\nlog: {level: info}\nworkers: 2\nroutes: {chat: {targets: here/x}}\n"
      "keys: [{name: app, hash: 'sha256:ff112233445566778899aabbccddeeff00112233445566778899aabbccddeeff', routes: chat}]\n";
  EXPECT_THAT(errors(world.load()),
              ElementsAre("more.yaml:2:3: providers.here: this is defined twice; the first is at f.yaml:2:3",
                          "more.yaml:3:7: log.level: this is defined twice; the first is at f.yaml:21:7",
                          "more.yaml:4:1: workers: this is defined twice; the first is at f.yaml:22:1",
                          "more.yaml:5:10: routes.chat: this is defined twice; the first is at f.yaml:14:3",
                          "more.yaml:6:15: keys[0].name: there are two keys named 'app'; the first is at f.yaml:16:11"));
}

TEST(Load, includes_end_somewhere) {
  World world = small_world();
  world.files["f.yaml"] += "include: [a.yaml, gone.yaml]\n";
  world.files["a.yaml"] = "include: f.yaml\n";
  EXPECT_THAT(errors(world.load()),
              ElementsAre("f.yaml:20:19: include[1]: 'gone.yaml' cannot be read; paths are relative to the file that includes",
                          "a.yaml:1:10: include[0]: 'f.yaml' is read twice; files may not include each other in a circle"));
  world = small_world();
  world.files["f.yaml"] += "include: 0.yaml\n";
  for (int i = 0; i < 20; ++i) world.files[std::to_string(i) + ".yaml"] = "include: " + std::to_string(i + 1) + ".yaml\n";
  EXPECT_THAT(errors(world.load()), ElementsAre("7.yaml:1:10: include[0]: '8.yaml' is included through more than 8 files"));
  world = small_world();
  world.files["f.yaml"] += "include: [";
  for (int i = 0; i < 80; ++i) {
    world.files["f.yaml"] += std::to_string(i) + ".yaml, ";
    world.files[std::to_string(i) + ".yaml"] = "{}";
  }
  world.files["f.yaml"] += "]\n";
  EXPECT_THAT(errors(world.load()).front(), HasSubstr("is one file too many; a configuration may have 64"));
}

// Built-in lists.

TEST(Load, an_own_entry_replaces_the_built_in_one_as_a_whole) {
  World world = with("plain/m: {", "deepseek/deepseek-flash: {origin: XX}\n  plain/m: {");
  std::string& text = world.files["f.yaml"];
  text.replace(text.find("targets: [here/m]"), 17, "targets: [here/m, there/deepseek-flash, there/deepseek-v4-pro]");
  text.replace(text.find("models:"), 7,
               "  there: {profile: plain, price_list: deepseek, base_url: 'http://x', operator: CN, region: CN, retention: "
               "provider}\nmodels:");
  const auto loaded = world.load();
  ASSERT_NE(loaded.snapshot, nullptr) << testing::PrintToString(errors(loaded));
  EXPECT_EQ(loaded.snapshot->target("there/deepseek-flash")->model->origin, "XX");
  EXPECT_TRUE(loaded.snapshot->target("there/deepseek-flash")->model->prices.empty());
  EXPECT_FALSE(loaded.snapshot->target("there/deepseek-v4-pro")->model->prices.empty());
}

TEST(Load, the_built_in_lists_are_free_of_findings) {
  for (const Finding& finding : small_world().load().findings) ADD_FAILURE() << format(finding);
}

// Secrets.

TEST(Load, a_missing_secret_disables_its_provider_and_says_so) {
  for (const auto& [reference, why] :
       std::map<std::string, std::string>{{"${env:K}", "the environment variable K is not set"},
                                          {"${file:/run/k}", "the file /run/k cannot be read"},
                                          {"${env:EMPTY}", "the environment variable EMPTY is empty"}}) {
    World world = with("operator: ZA", "operator: ZA\n    api_key: " + reference);
    world.environment["EMPTY"] = "";
    const auto loaded = world.load();
    EXPECT_THAT(
        warnings(loaded),
        ElementsAre("f.yaml:6:14: warning: providers.here.api_key: " + why + "; the provider 'here' is disabled until then",
                    "f.yaml:15:9: warning: routes.chat: every provider of this route is disabled; it answers nobody until one of "
                    "their secrets is there"));
    ASSERT_NE(loaded.snapshot, nullptr);
    EXPECT_EQ(loaded.snapshot->providers[0]->disabled_because, why);
    EXPECT_EQ(loaded.snapshot->targets.size(), 1u);
  }
}

TEST(Load, a_missing_hash_disables_its_key_and_says_so) {
  World world = with("sha256:00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff", "${env:HASH}");
  world.files["f.yaml"] += "policies: [{name: p, when: {key: app}, deny: {origin: CN}}]\n";
  auto loaded = world.load();
  EXPECT_THAT(
      warnings(loaded),
      ElementsAre(
          "f.yaml:17:11: warning: keys[0].hash: the environment variable HASH is not set; the key 'app' is disabled until then"));
  ASSERT_NE(loaded.snapshot, nullptr);
  EXPECT_TRUE(loaded.snapshot->keys.empty());
  world.environment["HASH"] = "sha256:00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
  loaded = world.load();
  ASSERT_NE(loaded.snapshot, nullptr);
  EXPECT_EQ(loaded.snapshot->keys.size(), 1u);
}

TEST(Load, a_key_whose_hash_is_assumed_ends_when_it_would) {
  World world;
  world.files["f.yaml"] = small_config;
  std::string& text = world.files["f.yaml"];
  text.replace(text.find("sha256:0011"), 71, "${env:HASH}\n    expires_at: 2026-06-01");
  Sources sources = world.sources();
  sources.secrets_assumed = true;
  const Loaded loaded = load("f.yaml", sources);
  ASSERT_NE(loaded.snapshot, nullptr);
  EXPECT_EQ(loaded.snapshot->keys.at(0).expires_at, parse_instant("2026-06-01"));
}

TEST(Load, the_admin_side_is_not_where_apps_connect_by_default) {
  World world;
  world.files["f.yaml"] = small_config + "admin: 127.0.0.1:8080\n";
  EXPECT_THAT(errors(world.load()),
              ElementsAre("f.yaml:20:8: admin: the address 127.0.0.1:8080 is taken; it is the default of `listen`"));
  world.files["f.yaml"] += "listen: 127.0.0.1:8081\n";
  EXPECT_THAT(errors(world.load()), testing::IsEmpty());
}

TEST(Load, a_secret_that_would_break_a_header_is_an_error) {
  World world = with("operator: ZA", "api_key: ${env:K}");
  world.environment["K"] = "sk\r\nX-Evil: 1";
  EXPECT_THAT(
      errors(world.load()),
      ElementsAre(
          "f.yaml:5:14: providers.here.api_key: ${env:K} holds a blank, a line break or another character that no key has"));
}

TEST(Load, one_trailing_line_break_of_a_secret_file_is_dropped) {
  for (const char* content : {"sk-1", "sk-1\n", "sk-1\r\n"}) {
    World world = with("operator: ZA", "operator: ZA\n    api_key: ${file:k}");
    world.files["k"] = content;
    const auto loaded = world.load();
    ASSERT_NE(loaded.snapshot, nullptr);
    EXPECT_EQ(loaded.snapshot->providers[0]->api_key, "sk-1");
  }
}

// The hash.

TEST(Load, the_hash_changes_with_every_text_and_secret_and_with_nothing_else) {
  World world = with("operator: ZA", "operator: ZA\n    api_key: ${env:K}\n    ca_file: ca.pem");
  world.files["f.yaml"] += "include: more.yaml\n";
  world.files["more.yaml"] = "log: {level: info}\n";
  world.files["ca.pem"] = pem_texts().certificate;
  world.environment["K"] = "sk-1";
  const std::string first = world.load().snapshot->hash;
  EXPECT_EQ(first.size(), 64u);
  EXPECT_EQ(world.load().snapshot->hash, first);
  std::vector<std::string> hashes{first};
  const auto add = [&](World changed) { hashes.push_back(changed.load().snapshot->hash); };
  World changed = world;
  changed.environment["K"] = "sk-2";
  add(changed);
  changed = world;
  changed.environment.clear();
  add(changed);
  changed = world;
  changed.files["more.yaml"] += "# a remark\n";
  add(changed);
  changed = world;
  changed.files["f.yaml"] += "\n";
  add(changed);
  changed = world;
  changed.files["ca.pem"] = pem_texts().certificate;
  add(changed);
  std::sort(hashes.begin(), hashes.end());
  EXPECT_EQ(std::unique(hashes.begin(), hashes.end()), hashes.end());
}

// Lint.

struct Doubt {
  const char *from, *to, *warning;
};

const std::string with_windows = R"(providers:
  here: {profile: plain, base_url: "http://127.0.0.1:9001/v1", operator: ZA, region: ZA, retention: none}
profiles: {plain: {}}
models:
  plain/m:
    prices:
      - {from: 2026-01-01, input: "1", output: "2", windows: [
          {name: peak, from: "09:00", to: "18:00", zone: Africa/Johannesburg, calendar: za, on_work_days: true, output: "3"}]}
calendars:
  za: {years: [2026], days_off: [2026-12-16, 2026-12-25], work_days: 2026-12-19}
routes:
  chat: {targets: [here/m]}
keys:
  - {name: app, hash: "sha256:00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff", routes: [chat]}
)";

TEST(Load, windows_have_zones_and_calendars) {
  World world;
  world.files["f.yaml"] = with_windows;
  const auto loaded = world.load();
  ASSERT_TRUE(loaded.snapshot) << testing::PrintToString(errors(loaded));
  const PriceWindow& window = loaded.snapshot->target("here/m")->model->prices[0].windows[0];
  EXPECT_EQ(window.time.zone->offset_minutes(*parse_instant("2026-07-01")), 120);
  EXPECT_TRUE(window.time.calendar->is_off(std::chrono::floor<std::chrono::days>(*parse_instant("2026-12-16"))));
  EXPECT_TRUE(window.time.on_work_days && window.dearer);
  const auto output_at = [&](const char* at) {
    const auto& prices = loaded.snapshot->target("here/m")->model->prices;
    return format_decimal(*price_in_force(prices, Currency{}, 1, *parse_instant(at))->rates.output);
  };
  EXPECT_EQ(output_at("2026-12-15T06:59Z"), "2");
  EXPECT_EQ(output_at("2026-12-15T07:00Z"), "3");
  EXPECT_EQ(output_at("2026-12-16T07:00Z"), "2");
  EXPECT_EQ(output_at("2027-12-16T07:00Z"), "3") << "not known: the dearer";
}

TEST(Load, a_window_that_is_dearer_for_thinking_alone_is_dearer) {
  const auto output_in_2027 = [](const std::string& outside, const std::string& inside) {
    World world;
    std::string& text = world.files["f.yaml"] = with_windows;
    text.replace(text.find("output: \"3\"}"), 11, inside);
    text.replace(text.find("output: \"2\", windows"), 11, outside);
    const auto loaded = world.load();
    if (!loaded.snapshot) return testing::PrintToString(errors(loaded));
    const auto& prices = loaded.snapshot->target("here/m")->model->prices;
    return format_decimal(*price_in_force(prices, Currency{}, {1, true}, *parse_instant("2027-12-16T07:00Z"))->rates.output);
  };
  EXPECT_EQ(output_in_2027("output: \"2\", thinking: {output: \"4\"}", "thinking: {output: \"9\"}"), "9");
  EXPECT_EQ(output_in_2027("output: \"2\"", "thinking: {output: \"9\"}"), "9");
  EXPECT_EQ(output_in_2027("output: \"2\", thinking: {output: \"4\"}", "thinking: {output: \"3\"}"), "4");
}

TEST(Load, no_amount_and_no_factor_is_beyond_what_can_be_multiplied) {
  const auto told = [](const std::string& part, const std::string& instead, const std::string& rest) {
    World world;
    world.files["f.yaml"] = small_config + rest;
    std::string& text = world.files["f.yaml"];
    text.replace(text.find(part), part.size(), instead);
    return errors(world.load());
  };
  const std::string input = "input: \"0.5\"";
  EXPECT_THAT(told(input, "input: \"1000000000\", service_tiers: {flex: \"100\"}, regional: \"100\"", "fx: {KWD: \"100000\"}\n"),
              IsEmpty());
  EXPECT_THAT(
      told(input, "input: \"1000000001\"", ""),
      ElementsAre("f.yaml:10:60: models.plain/m.prices[0].input: this is more than an amount can be; it may be 1000000000 per "
                  "million tokens at most"));
  for (const char* more : {"tiers: [{above_input_tokens: 1, output: \"999999999999\"}], ", "thinking: {output: \"999999999999\"}, ",
                           "windows: [{name: w, from: \"00:00\", to: \"01:00\", thinking: {input: \"999999999999\"}}], "})
    EXPECT_THAT(told(input, more + input, ""), ElementsAre(testing::HasSubstr("this is more than an amount can be"))) << more;
  for (const char* factor : {"service_tiers: {priority: \"101\"}, ", "regional: \"100.1\", "})
    EXPECT_THAT(told(input, factor + input, ""), ElementsAre(testing::HasSubstr("a factor of more than 100"))) << factor;
  EXPECT_THAT(told(input, input, "fx: {KWD: \"100001\"}\n"), ElementsAre(testing::HasSubstr("a rate of more than 100000 USD")));
}

TEST(Load, a_zone_or_calendar_that_is_not_there_is_an_error) {
  for (const auto& [word, wrong, expected] :
       {std::tuple(
            "zone: Africa/Johannesburg", "zone: Africa/Johannesbourg",
            "f.yaml:8:58: models.plain/m.prices[0].windows[0].zone: there is no time zone 'Africa/Johannesbourg'; write a name of "
            "the IANA database, such as Asia/Shanghai; the system has them with its package tzdata"),
        std::tuple("calendar: za", "calendar: zb",
                   "f.yaml:8:89: models.plain/m.prices[0].windows[0].calendar: there is no calendar 'zb'; did you mean 'za'?")}) {
    World world;
    std::string& text = world.files["f.yaml"] = with_windows;
    text.replace(text.find(word), std::string(word).size(), wrong);
    EXPECT_THAT(errors(world.load()), ElementsAre(expected));
  }
}

TEST(Load, a_year_that_a_calendar_does_not_know_is_warned_of_a_month_ahead) {
  World world;
  world.files["f.yaml"] = with_windows + std::string("prices: {stale_days: 999}\n");
  const auto warned = [&](const char* at) {
    world.now = [at]() -> TimePoint { return *parse_instant(at); };
    return warnings(world.load());
  };
  EXPECT_THAT(warned("2026-12-01"), IsEmpty());
  for (const char* at : {"2026-12-02", "2027-05-01"})
    EXPECT_THAT(
        warned(at),
        ElementsAre("f.yaml:12:20: warning: routes.chat.targets[0].target: the calendar 'za' of its window 'peak' does not know "
                    "2027: the dearer price is taken on all of its days; add the year to the calendar, under "
                    "`calendars`, once it is announced"))
        << at;
}

TEST(Load, contracts_and_discounts_are_taken) {
  World world = small_world();
  std::string& text = world.files["f.yaml"];
  text.replace(text.find("    retention: none\n"), 20,
               "    retention: none\n    discount: [\"0.1\", {share: \"0.2\", from: 2026-06-01, until: 2026-07-01}]\n");
  text += "contracts: {here/m: {prices: [{from: 2026-08-01, input: \"0.4\", output: \"1\"}]}}\n";
  const auto loaded = world.load();
  ASSERT_TRUE(loaded.snapshot) << testing::PrintToString(errors(loaded));
  const auto input_at = [&](const char* at) {
    return format_decimal(*price_of(*loaded.snapshot->target("here/m"), 1, *parse_instant(at))->rates.input);
  };
  EXPECT_EQ(input_at("2026-05-31"), "0.45");
  EXPECT_EQ(input_at("2026-06-30"), "0.4");
  EXPECT_EQ(input_at("2026-07-01"), "0.45");
  EXPECT_EQ(input_at("2026-08-01"), "0.4");
}

TEST(Load, what_moves_a_price_beside_its_tokens_is_taken) {
  World world = small_world();
  std::string& text = world.files["f.yaml"];
  text.replace(text.find("    retention: none\n"), 20, "    retention: none\n    regional: true\n    surcharge: \"0.5\"\n");
  text.replace(
      text.find("input: \"0.5\""), 12,
      "seen: 2026-06-01, regions: ZA, regional: \"2\", service_tiers: {flex: \"0.5\"}, thinking: {output: \"3\"}, input: \"0.5\"");
  const auto loaded = world.load();
  ASSERT_TRUE(loaded.snapshot) << testing::PrintToString(errors(loaded));
  const Target& target = *loaded.snapshot->target("here/m");
  const TimePoint at = *parse_instant("2026-07-01");
  EXPECT_EQ(format_decimal(*price_of(target, 1, at)->rates.input), "1.5");
  EXPECT_EQ(format_decimal(*price_of(target, {1, false, ServiceTier::flex}, at)->rates.input), "0.75");
  EXPECT_EQ(format_decimal(*price_of(target, {1, true}, at)->rates.output), "9");
  EXPECT_TRUE(price_of(target, 1, at)->entry->seen == parse_instant("2026-06-01"));
  text.replace(text.find("regions: ZA"), 11, "regions: CN");
  const auto elsewhere = world.load();
  EXPECT_THAT(warnings(elsewhere),
              testing::Contains(testing::HasSubstr("this target is unpriced: 'plain/m' has no price in USD for the region 'ZA'")));
}

TEST(Load, entries_for_different_regions_may_begin_together) {
  const World world = with("output: \"2\"}",
                           "output: \"2\"}, {from: 2026-01-01, regions: ZA, input: \"0.6\", output: \"2\"}, "
                           "{from: 2026-01-01, regions: CN, input: \"0.7\", output: \"2\"}");
  const auto loaded = world.load();
  ASSERT_TRUE(loaded.snapshot) << testing::PrintToString(errors(loaded));
  const auto price = price_of(*loaded.snapshot->target("here/m"), 1, *parse_instant("2026-02-01"));
  EXPECT_EQ(format_decimal(*price->rates.input), "0.6");
}

TEST(Load, rates_of_exchange_may_be_dated) {
  World world = small_world();
  std::string& text = world.files["f.yaml"];
  text +=
      "fx: {CNY: [{from: 2026-01-01, usd: \"0.14\"}, {from: 2026-07-01, usd: \"0.15\"}], EUR: [\"1.1\", {from: 2026-02-01, usd: "
      "\"1.2\"}]}\n";
  const auto loaded = world.load();
  ASSERT_TRUE(loaded.snapshot) << testing::PrintToString(errors(loaded));
  const auto usd = [&](const char* code, const char* at) {
    const UsdRate* rate = loaded.snapshot->usd_rate(*parse_currency(code), *parse_instant(at));
    return rate ? format_decimal(rate->usd) : "none";
  };
  EXPECT_EQ(usd("CNY", "2025-12-31"), "none");
  EXPECT_EQ(usd("CNY", "2026-06-30"), "0.14");
  EXPECT_EQ(usd("CNY", "2026-07-01"), "0.15");
  EXPECT_EQ(usd("EUR", "2020-01-01"), "1.1");
  EXPECT_EQ(usd("EUR", "2026-02-01"), "1.2");
  EXPECT_EQ(usd("USD", "2020-01-01"), "1");
  EXPECT_EQ(usd("GBP", "2026-01-01"), "none");
}

TEST(Load, the_built_in_calendar_is_that_of_china) {
  for (const ListedModel& model : built_in_models()) {
    if (model.name != "deepseek/deepseek-flash") continue;
    const auto peak = [&](const char* at) {
      return !price_in_force(model.prices, Currency{}, 1, *parse_instant(at))->window.empty();
    };
    EXPECT_TRUE(peak("2026-09-24T02:00Z"));
    EXPECT_FALSE(peak("2026-09-25T02:00Z")) << "Mid-Autumn";
    EXPECT_FALSE(peak("2026-10-07T09:59Z")) << "National Day";
    EXPECT_TRUE(peak("2026-10-08T09:59Z"));
    EXPECT_FALSE(peak("2026-10-10T02:00Z")) << "a Saturday of work";
    EXPECT_TRUE(peak("2027-10-01T02:00Z")) << "a year that is not announced yet";
    return;
  }
  FAIL() << "the list has no deepseek-flash";
}

std::string found_by(const Snapshot& snapshot, std::string_view body) {
  std::string text;
  const auto found = snapshot.content->scan(body);
  for (const ContentCount& one : *found) text += one.name + " " + std::to_string(one.count) + "\n";
  return text;
}

TEST(Load, content_is_looked_for_if_a_policy_asks) {
  World world;
  world.files["f.yaml"] = small_config + "content: {mine: {words: Titan, patterns: ['PRJ-[0-9]+']}}\n";
  const auto unasked = world.load();
  ASSERT_NE(unasked.snapshot, nullptr);
  EXPECT_EQ(unasked.snapshot->content, nullptr);
  EXPECT_THAT(warnings(unasked), testing::ElementsAre(testing::HasSubstr("content.mine: no policy asks for the content 'mine'")));

  world.files["f.yaml"] += R"(policies:
  - {name: a, when: {content: [mine, payment_card]}, allow: {hosting: self}}
  - {name: b, when: {content: payment_card, team: payments}, deny: {origin: US}}
)";
  const auto asked = world.load();
  ASSERT_NE(asked.snapshot, nullptr) << testing::PrintToString(errors(asked));
  ASSERT_NE(asked.snapshot->content, nullptr);
  EXPECT_EQ(found_by(*asked.snapshot, R"({"x":"TITAN PRJ-7 4111111111111111 a@example.com"})"), "mine 2\npayment_card 1\n");
  EXPECT_EQ(asked.snapshot->policies[0].when.content, (std::vector<std::string>{"mine", "payment_card"}));
}

TEST(Load, content_patterns_have_a_limit_together) {
  World world;
  const auto patterns = [](int count) {
    std::string list;
    for (int i = 0; i < count; ++i) list += (i == 0 ? R"('\pL+-)" : R"(', '\pL+-)") + std::to_string(i);
    return "[" + list + "']";
  };
  const auto with = [&](int second) {
    return small_config + "content:\n  one: {patterns: " + patterns(6) + "}\n  two: {patterns: " + patterns(second) +
           "}\n  nobodys: {patterns: " + patterns(12) + "}\n" +
           "policies: [{name: a, when: {content: [one, two]}, allow: {hosting: self}}]\n";
  };
  world.files["f.yaml"] = with(6);
  EXPECT_THAT(errors(world.load()), testing::IsEmpty());
  world.files["f.yaml"] = with(20);
  EXPECT_THAT(errors(world.load()),
              testing::ElementsAre(testing::MatchesRegex(
                  "f.yaml:[0-9]+:[0-9]+: content.two.patterns\\[[0-9]\\]: a long text could make them slow: with this one, all "
                  "patterns that policies ask for have 1[5-6][0-9]{3} steps, and 15000 are the most; repeat less, or .*")));
}

TEST(Load, content_has_its_limits) {
  World world;
  std::string words;
  for (int i = 0; i < 1'001; ++i) words += (i == 0 ? "w" : ", w") + std::to_string(i);
  world.files["f.yaml"] = small_config + "content: {mine: {words: [" + words + "]}}\n";
  EXPECT_THAT(errors(world.load()),
              testing::ElementsAre(
                  testing::HasSubstr("content.mine.words[1000]: these are more than 1000 words; make a second class of the rest")));
}

TEST(Load, warns_of_prices_to_doubt_where_a_target_has_them) {
  World world = small_world();
  std::string& text = world.files["f.yaml"];
  text.replace(text.find("input: \"0.5\""), 12, "until: 2026-12-20, input: \"0.5\"");
  text.erase(text.find("    hosting: self\n"), 18);
  const std::string at = "f.yaml:13:20: warning: routes.chat.targets[0].target: ", hint = "; see docs/prices.md";
  const auto warned = [&](const char* now) {
    world.now = [now]() -> TimePoint { return *parse_instant(now); };
    return warnings(world.load());
  };
  EXPECT_THAT(warned("2026-06-30"), IsEmpty());
  EXPECT_THAT(warned("2026-07-01"),
              ElementsAre(at + "its price was last seen in force on 2026-01-01, more than 180 days ago" + hint));
  text += "prices: {stale_days: 365}\n";
  EXPECT_THAT(warned("2026-11-19"), IsEmpty());
  EXPECT_THAT(warned("2026-11-20"), ElementsAre(at + "its price ends on 2026-12-20, and none follows; add the next one"));
  EXPECT_THAT(warned("2026-12-20"), ElementsAre(at + "this target has no price today" + hint));
  text.replace(text.find("stale_days: 365"), 15, "strict: true");
  const auto strict = warned("2026-12-20");
  EXPECT_THAT(strict, ElementsAre(at + "this target has no price today; with prices.strict, no request is sent to it"));
  EXPECT_TRUE(world.load().snapshot->price_rules.strict);
}

TEST(Load, the_built_in_list_has_few_prices_to_doubt) {
  std::vector<std::string> implausible;
  for (const ListedModel& model : built_in_models())
    for (const Price& price : model.prices) {
      EXPECT_TRUE(price.built_in);
      EXPECT_FALSE(price.source.empty() || price.confidence.empty()) << model.name;
      if (!price.implausible.empty()) implausible.push_back(model.name + " " + price.implausible);
    }
  EXPECT_THAT(implausible,
              ElementsAre("tencent/hunyuan-lite is 0, at low confidence", "tencent/hy3-preview is 0, at low confidence"));
}

TEST(Load, warns_of_what_may_not_be_meant) {
  const Doubt table[] = {
      {"    region: ZA\n", "",
       "f.yaml:3:5: warning: providers.here: no region is stated; no policy that allows by a fact not stated lets this provider "
       "through"},
      {"[here/m]", "[here/n]",
       "f.yaml:14:20: warning: routes.chat.targets[0].target: this target is unpriced: there is no price of 'plain/n'; did you "
       "mean 'm'?"},
      {"    retention: none\n", "    retention: none\n    currency: EUR\nfx: {EUR: '1.1'}\n",
       "f.yaml:16:20: warning: routes.chat.targets[0].target: this target is unpriced: 'plain/m' has no price in EUR; it has one "
       "in USD; see the provider's `currency`"},
      {"\"0.5\"", "\"0.0000005\"",
       "f.yaml:10:34: warning: models.plain/m.prices[0]: this price has input at 0.0000005, which is below 0.001 USD; amounts are "
       "per million tokens; if it is what is charged, add plausible: true"},
      {"region: ZA\n", "region: Africa\n",
       "f.yaml:6:13: warning: providers.here.region: 'Africa' is no country of ISO 3166 and no region group, so no rule about "
       "those "
       "holds of it; write two capital letters such as DE, or a region group: EU, EEA, GCC, ASEAN"},
      {"operator: ZA", "operator: ASAEN",
       "f.yaml:5:15: warning: providers.here.operator: 'ASAEN' is no country of ISO 3166 and no region group, so no rule about "
       "those "
       "holds of it; did you mean 'ASEAN'?"},
      {"  plain/m:", "  plain/x: {origin: UK}\n  plain/m:",
       "f.yaml:10:21: warning: models.plain/x.origin: 'UK' is no country of ISO 3166 and no region group, so no rule about those "
       "holds of it; write two capital letters such as DE, or a region group: EU, EEA, GCC, ASEAN"},
      {"keys:", "region_groups: {ours: [ZA, EU, za]}\nkeys:",
       "f.yaml:15:32: warning: region_groups.ours[2]: 'za' is no country of ISO 3166 and no region group, so no rule about those "
       "holds "
       "of it; write two capital letters such as DE, or a region group: ours, EU, EEA, GCC, ASEAN"},
      {"  plain/m:", "  deepseek/x: {aliases: [deepseek-flash]}\n  plain/m:",
       "f.yaml:10:26: warning: models.deepseek/x.aliases[0]: 'deepseek/deepseek-flash' is a model of the built-in list too: this "
       "alias takes its place; remove the alias, or make an entry of that name"},
      {"keys:", "policies: [{name: p, when: {team: payment}, deny: {origin: CN}}]\nkeys:",
       "f.yaml:15:35: warning: policies[0].when.team[0]: nothing here has the team 'payment', so this never matches; did you mean "
       "'payments'?"},
      {"keys:", "policies: [{name: p, allow: {origin: [cn, CN]}}]\nkeys:",
       "f.yaml:15:39: warning: policies[0].allow.origin[0]: nothing here has the origin 'cn', so this never matches; did you mean "
       "'CN'?"},
      {"here/m]", "{target: here/m, weight: 3}]",
       "f.yaml:14:45: warning: routes.chat.targets[0].weight: the strategy 'cheapest' does not look at it; it is for strategy: "
       "weighted"},
      {"{targets:", "{latency_ms_max: 2s, targets:",
       "f.yaml:14:26: warning: routes.chat.latency_ms_max: the strategy 'cheapest' does not look at it; it is for strategy: "
       "balanced"},
      {"{targets:", "{quality_min: 50, targets:",
       "f.yaml:14:23: warning: routes.chat.quality_min: no target of this route states so much quality; it refuses every request "
       "until one does"},
  };
  for (const Doubt& doubt : table) {
    const World world = with(doubt.from, doubt.to);
    EXPECT_THAT(warnings(world.load()), testing::Contains(doubt.warning));
  }
}

}  // namespace
}  // namespace fairlead::config
