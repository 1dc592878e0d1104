// Every mistake in a configuration is told with its place, its path and what would be right.
#include "config/config.h"
#include "pem_texts.h"
#include "world.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace fairlead::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

struct Mistake {
  const char* name;
  const char* yaml;      ///< added to the small configuration
  const char* expected;  ///< the one error, after "f.yaml:"; lines are counted from the first added one
};

/// The small configuration's length in lines.
int small_lines() { return static_cast<int>(std::count(small_config.begin(), small_config.end(), '\n')); }

class OneMistake : public testing::TestWithParam<Mistake> {};

TEST_P(OneMistake, is_told_with_place_path_and_cure) {
  World world;
  static const PemTexts pair = pem_texts();
  world.files["pair.pem"] = pair.certificate + pair.key;
  world.files["f.yaml"] = small_config + GetParam().yaml;
  const auto loaded = world.load();
  std::vector<std::string> found = errors(loaded);
  ASSERT_EQ(found.size(), 1u) << testing::PrintToString(found);
  Finding finding =
      *std::find_if(loaded.findings.begin(), loaded.findings.end(), [](const Finding& f) { return f.severity == Severity::error; });
  finding.line -= small_lines();  // so that the table does not depend on what stands before
  EXPECT_EQ(format(finding), "f.yaml:" + std::string(GetParam().expected));
  EXPECT_EQ(loaded.snapshot, nullptr);
}

const Mistake mistakes[] = {
    // keys
    {"unknown_option", "timeout: {}\n", "1:1: timeout: there is no option 'timeout'; did you mean 'timeouts'?"},
    {"unknown_option_far_from_all", "limits: {zzz: 1}\n",
     "1:10: limits.zzz: there is no option 'zzz'; known here are: head_bytes_max, body_bytes_max, bodies_bytes_max, "
     "answer_bytes_max, event_bytes_max, "
     "connections_max, attempts_max, head_ms_max, body_ms_max, keep_alive_ms_max, write_ms_max, drain_ms_max"},
    {"key_written_twice", "workers: 1\nworkers: 2\n",
     "2:1: workers: the key 'workers' is written twice; the first is at line 20, column 1"},
    {"merge_key", "log: {<<: {level: info}}\n", "1:7: merge keys (<<) are not taken; write the values out, or use `include:`"},
    // types
    {"text_for_a_map", "limits: 5\n", "1:9: limits: expected a map, found a text"},
    {"nothing_for_a_map", "limits:\n", "1:1: limits: expected a map, found nothing; fill it in or remove the key"},
    {"list_for_a_number", "workers: [1]\n", "1:10: workers: expected a whole number, found a list"},
    {"word_for_a_number", "workers: many\n", "1:10: workers: expected a whole number, found 'many'"},
    {"bad_choice", "log: {level: inof}\n",
     "1:14: log.level: expected debug, info, warn or error, found 'inof'; did you mean 'info'?"},
    {"bad_duration", "timeouts: {connect: 5 sec}\n",
     "1:21: timeouts.connect: expected a duration such as 500ms, 15s, 2m or 1h (a plain number is milliseconds), found '5 sec'"},
    {"bad_size", "limits: {body_bytes_max: 32MB}\n",
     "1:26: limits.body_bytes_max: expected a size such as 65536, 32KiB, 32MiB or 2GiB, found '32MB'"},
    {"bodies_too_small", "limits: {body_bytes_max: 64MiB, bodies_bytes_max: 32MiB}\n",
     "1:51: limits.bodies_bytes_max: a body of body_bytes_max would never find room; write at least body_bytes_max"},
    {"day_of_another_year", "calendars: {c: {years: [2026], days_off: [2027-01-01]}}\n",
     "1:43: calendars.c.days_off[0]: its year is not among the years of this calendar; add the year with all of its days"},
    {"day_off_that_is_worked", "calendars: {c: {years: [2026], days_off: [2026-01-01], work_days: [2026-01-01]}}\n",
     "1:68: calendars.c.work_days[0]: this day is among the days off too; a calendar has each day once"},
    {"contract_of_no_target", "contracts:\n  here/n: {prices: [{from: 2026-01-01, input: \"1\", output: \"1\"}]}\n",
     "2:11: contracts.here/n: no route has the target 'here/n'; did you mean 'here/m'?"},
    {"contract_in_another_currency",
     "contracts:\n  here/m: {prices: [{from: 2026-01-01, currency: EUR, input: \"1\", output: \"1\"}]}\n",
     "2:11: contracts.here/m: a price in EUR never holds here; the provider bills in USD"},
    {"bad_decimal", "fx: {CNY: 1e-3}\n",
     "1:11: fx.CNY[0].usd: expected a plain decimal such as \"0.15\", with at most 12 digits after the point, found '1e-3'"},
    {"bad_currency", "fx: {cny: \"0.14\"}\n",
     "1:6: fx.cny: 'cny' cannot be a name here; expected a currency of three capital letters such as USD"},
    {"bad_address", "admin: localhost:9090\n",
     "1:8: admin: expected an IP address and a port such as 127.0.0.1:8080, 0.0.0.0:8080 or [::1]:8080, found 'localhost:9090'; "
     "did you mean "
     "'127.0.0.1:9090'?"},
    {"admin_beyond_loopback", "admin: 0.0.0.0:9090\n",
     "1:8: admin: 0.0.0.0:9090 is no loopback address, and the admin side asks nobody for a key; write 127.0.0.1 or [::1], and let "
     "what may reach it come through a tunnel"},
    {"address_without_host", "listen: ':8080'\n",
     "1:9: listen[0].address: expected an IP address and a port such as 127.0.0.1:8080, 0.0.0.0:8080 or [::1]:8080, found ':8080'; "
     "did you mean "
     "'0.0.0.0:8080'?"},
    {"bad_ledger", "ledger: fairlead.db\n",
     "1:9: ledger: expected sqlite: and a path, such as sqlite:fairlead.db, found 'fairlead.db'"},
    {"tag", "workers: !number 1\n", "1:10: the tag '!number' means nothing here; remove it"},
    {"tag_of_yaml", "workers: !!int 1\n", "1:10: the tag '!!int' means nothing here; remove it"},
    {"tag_of_a_map", "limits: !!set {attempts_max: 1}\n", "1:9: the tag '!!set' means nothing here; remove it"},
    {"no_utf_8", "log: {level: \"inf\xE9\"}\n", "1:18: this is no UTF-8; save the file as UTF-8 text"},
    {"window_without_a_minute", "policies: [{name: p, when: {time: {from: '24:00', to: '00:00'}}, deny: {origin: CN}}]\n",
     "1:42: policies[0].when.time[0].from: 24:00 is an end, and no begin; write 00:00"},
    // limits
    {"too_many", "limits: {attempts_max: 99}\n", "1:24: limits.attempts_max: '99' is out of limits; it may be 1 to 16"},
    {"too_small", "limits: {head_bytes_max: 12}\n", "1:26: limits.head_bytes_max: '12' is out of limits; it may be 1KiB to 1MiB"},
    {"too_long", "timeouts: {total: 48h}\n", "1:19: timeouts.total: '48h' is out of limits; it may be 10ms to 24h"},
    {"too_big_for_any_number", "workers: 99999999999999999999\n",
     "1:10: workers: expected a whole number, found '99999999999999999999'"},
    // the world
    {"address_taken", "listen: ['127.0.0.1:1', '127.0.0.1:1']\n",
     "1:25: listen[1].address: the address 127.0.0.1:1 is taken; it is already used at f.yaml:20:10"},
    {"certificate_missing", "listen: {address: '127.0.0.1:1', tls: {certificate: c.pem, key: pair.pem}}\n",
     "1:53: listen[0].tls.certificate: the file 'c.pem' cannot be read; relative paths are taken from the file that names them"},
    {"certificate_without_key", "listen: {address: '127.0.0.1:1', tls: {certificate: pair.pem}}\n",
     "1:39: listen[0].tls: the option 'key' is missing; it is the path of a file"},
    {"free_currency", "fx: {CNY: \"0\"}\n",
     "1:11: fx.CNY[0].usd: a rate of 0 would make everything free; write what one CNY is in USD"},
    {"odd_dollar", "fx: {USD: \"2\"}\n", "1:11: fx.USD[0].usd: one USD is 1 USD; remove this line"},
    {"rates_out_of_order", "fx: {CNY: [{from: 2026-07-01, usd: \"0.14\"}, {from: 2026-07-01, usd: \"0.15\"}]}\n",
     "1:52: fx.CNY[1].from: rates must ascend by their dates; write `from` later than that of the rate before"},
    {"undated_second_rate", "fx: {CNY: [\"0.14\", \"0.15\"]}\n",
     "1:20: fx.CNY[1]: rates must ascend by their dates; write `from` later than that of the rate before"},
    {"stale_at_once", "prices: {stale_days: 0}\n", "1:22: prices.stale_days: '0' is out of limits; it may be 1 to 36500"},
    {"rows_gone_within_the_month", "retention: {detail_days: 7}\n",
     "1:26: retention.detail_days: '7' is out of limits; it may be 35 to 36500"},
    {"archive_somewhere", "retention: {detail_days: 90, archive: archive}\n",
     "1:39: retention.archive: 'archive' is not an absolute path; write it from the root: the daemon's working directory may be "
     "another one tomorrow"},
    {"archive_of_nothing", "retention: {archive: /archive}\n",
     "1:22: retention.archive: nothing is archived, as rows stay for ever; say detail_days beside it, or remove this line"},
    {"variable_not_set", "workers: ${env:WORKERS}\n",
     "1:10: workers: the environment variable WORKERS is not set; set it, or write the value here"},
    {"bad_reference", "workers: ${evn:WORKERS}\n",
     "1:10: workers: '${evn:WORKERS}' is no reference; there are ${env:NAME} and ${file:PATH}"},
    {"open_reference", "workers: ${env:WORKERS\n",
     "1:10: workers: a reference without its '}'; there are ${env:NAME} and ${file:PATH}"},
    // policies
    {"policy_without_rule", "policies: [{name: p}]\n",
     "1:12: policies[0]: a policy without `allow`, `deny` and `max_cost` narrows nothing; say what targets it allows or denies, or "
     "what a request may cost"},
    {"policy_allows_nothing", "policies: [{name: p, allow: {origin: []}}]\n",
     "1:38: policies[0].allow.origin: it is empty; give at least one"},
    {"policy_with_empty_allow", "policies: [{name: p, allow: {}}]\n",
     "1:29: policies[0].allow: it is empty; state at least 1 of provider, model, origin, operator, region, hosting, retention, "
     "label"},
    {"policy_mistyped_fact", "policies: [{name: p, deny: {orign: [CN]}}]\n",
     "1:29: policies[0].deny.orign: there is no option 'orign'; did you mean 'origin'?"},
    {"policy_mistyped_condition", "policies: [{name: p, when: {teams: [a]}, deny: {origin: CN}}]\n",
     "1:29: policies[0].when.teams: there is no option 'teams'; did you mean 'team'?"},
    {"policy_mistyped_part", "policies: [{name: p, denny: {origin: CN}, allow: {origin: CN}}]\n",
     "1:22: policies[0].denny: there is no option 'denny'; did you mean 'deny'?"},
    {"policy_unknown_provider", "policies: [{name: p, deny: {provider: [her]}}]\n",
     "1:40: policies[0].deny.provider[0]: no provider 'her'; did you mean 'here'?"},
    {"policy_unknown_route", "policies: [{name: p, when: {route: chatt}, deny: {origin: CN}}]\n",
     "1:36: policies[0].when.route[0]: no route 'chatt'; did you mean 'chat'?"},
    {"policy_unknown_key", "policies: [{name: p, when: {key: ap}, deny: {origin: CN}}]\n",
     "1:34: policies[0].when.key[0]: no key 'ap'; did you mean 'app'?"},
    {"policy_bad_retention", "policies: [{name: p, allow: {retention: nobody}}]\n",
     "1:41: policies[0].allow.retention[0]: expected none, provider or trains, found 'nobody'"},
    {"policy_blank_origin", "policies: [{name: p, allow: {origin: ['C N']}}]\n",
     "1:39: policies[0].allow.origin[0]: expected a word without blanks, found 'C N'"},
    {"policy_unknown_content", "policies: [{name: p, when: {content: payment_cards}, deny: {origin: CN}}]\n",
     "1:38: policies[0].when.content[0]: no class of content 'payment_cards'; did you mean 'payment_card'?"},
    {"policy_unknown_content_of_ones_own",
     "policies: [{name: p, when: {content: [iban, titn]}, deny: {origin: CN}}]\ncontent: {titan: {words: Titan}}\n",
     "1:45: policies[0].when.content[1]: no class of content 'titn'; did you mean 'titan'?"},
    {"content_named_as_a_built_in_one", "content: {iban: {words: x}}\n",
     "1:11: content.iban: 'iban' is a class of the product; choose another name"},
    {"content_of_nothing", "content: {mine: {}}\n", "1:17: content.mine: it is empty; state at least 1 of words, patterns"},
    {"content_mistyped", "content: {mine: {word: x}}\n",
     "1:18: content.mine.word: there is no option 'word'; did you mean 'words'?"},
    {"content_without_words", "content: {mine: {words: []}}\n", "1:25: content.mine.words: it is empty; give at least one"},
    {"content_word_of_punctuation", "content: {mine: {words: [ok, '...']}}\n",
     "1:30: content.mine.words[1]: '...' cannot be looked for: a word begins and ends with a letter or a digit"},
    {"content_pattern_broken", "content: {mine: {patterns: ['[a-z']}}\n",
     "1:29: content.mine.patterns[0]: '[a-z' cannot be looked for: missing ]: [a-z"},
    {"content_pattern_of_another_dialect", "content: {mine: {patterns: ['a(?=b)']}}\n",
     "1:29: content.mine.patterns[0]: 'a(?=b)' cannot be looked for: invalid perl operator: (?="},
    {"content_pattern_of_the_empty_text", "content: {mine: {patterns: 'x*'}}\n",
     "1:28: content.mine.patterns[0]: 'x*' cannot be looked for: it matches the empty text, so every text"},
    {"policy_of_a_host_not_a_network", "policies: [{name: p, when: {network: 10.0.0.1/8}, deny: {origin: CN}}]\n",
     "1:38: policies[0].when.network[0]: expected a network such as 10.0.0.0/8 or 2001:db8::/32 (without bits beyond the prefix), "
     "or "
     "an address, found '10.0.0.1/8'"},
    {"policy_negates_a_tag", "policies: [{name: p, when: {not_tags: [a]}, deny: {origin: CN}}]\n",
     "1:29: policies[0].when.not_tags: there is no option 'not_tags'; known here are: key, team, project, tags, route, "
     "endpoint, content, modality, input_tokens, network, time"},
    {"policy_empty_range", "policies: [{name: p, when: {input_tokens: {above: 9, up_to: 9}}, deny: {origin: CN}}]\n",
     "1:61: policies[0].when.input_tokens[0].up_to: no number is in this range; `up_to` must be more than `above`"},
    {"policy_unknown_modality", "policies: [{name: p, when: {modality: video}, deny: {origin: CN}}]\n",
     "1:39: policies[0].when.modality[0]: expected text, image, audio or tools, found 'video'"},
    {"policy_unknown_zone", "policies: [{name: p, when: {time: {zone: Mars/Base}}, deny: {origin: CN}}]\n",
     "1:42: policies[0].when.time[0].zone: there is no time zone 'Mars/Base'; write a name of the IANA database, such as "
     "Asia/Shanghai; the system has them with its package tzdata"},
    {"policy_unknown_calendar", "policies: [{name: p, when: {time: {calendar: za}}, deny: {origin: CN}}]\n",
     "1:46: policies[0].when.time[0].calendar: there is no calendar 'za'"},
    {"policy_costs_words", "policies: [{name: p, max_cost: little}]\n",
     "1:32: policies[0].max_cost: expected a plain decimal such as \"0.15\", with at most 12 digits after the point, found "
     "'little'"},
    {"group_in_itself", "region_groups: {near: [DE, near]}\n",
     "1:23: region_groups.near: the group 'near' is in itself; name its countries"},
    {"group_like_a_country", "region_groups: {US: [CA]}\n",
     "1:21: region_groups.US: a group of two letters could be a country; give it a longer name"},
    {"policies_of_one_name", "policies: [{name: p, deny: {origin: CN}}, {name: p, deny: {origin: CN}}]\n",
     "1:50: policies[1].name: there are two policies named 'p'; the first is at f.yaml:20:19"},
};

INSTANTIATE_TEST_SUITE_P(Config, OneMistake, testing::ValuesIn(mistakes),
                         [](const auto& one) { return std::string(one.param.name); });

struct Replacement {
  const char* name;
  const char* from;  ///< in the small configuration
  const char* to;
  const char* expected;
};

class OneWrongWord : public testing::TestWithParam<Replacement> {};

TEST_P(OneWrongWord, is_told_with_place_path_and_cure) {
  World world;
  std::string text = small_config;
  const std::size_t at = text.find(GetParam().from);
  ASSERT_NE(at, std::string::npos);
  world.files["f.yaml"] = text.replace(at, std::string(GetParam().from).size(), GetParam().to);
  EXPECT_THAT(errors(world.load()), ElementsAre("f.yaml:" + std::string(GetParam().expected)));
}

const Replacement replacements[] = {
    {"unknown_provider", "here/m]", "heer/m]", "14:20: routes.chat.targets[0].target: no provider 'heer'; did you mean 'here'?"},
    {"unknown_provider_far_from_all", "here/m]", "azure/m]",
     "14:20: routes.chat.targets[0].target: no provider 'azure'; the providers are: here"},
    {"target_without_model", "here/m]", "here]",
     "14:20: routes.chat.targets[0].target: expected a target, written provider/model, found 'here'"},
    {"target_twice", "here/m]", "here/m, here/m]",
     "14:28: routes.chat.targets[1].target: the target 'here/m' is in this route twice; remove one"},
    {"no_targets", "[here/m]", "[]", "14:19: routes.chat.targets: it is empty; give at least one"},
    {"unknown_profile", "profile: plain", "profile: plian",
     "3:14: providers.here.profile: there is no profile 'plian'; did you mean 'plain'?"},
    {"unknown_dialect", "profile: plain", "profile: plain\n    dialect: opnai",
     "4:14: providers.here.dialect: expected openai, found 'opnai'; did you mean 'openai'?"},
    {"unknown_strategy", "{targets:", "{strategy: cheepest, targets:",
     "14:20: routes.chat.strategy: expected balanced, cheapest, fastest, ordered or weighted, found 'cheepest'; did you mean "
     "'cheapest'?"},
    {"balanced_without_latency", "{targets:", "{strategy: balanced, targets:",
     "14:20: routes.chat.strategy: 'balanced' needs a latency; add latency_ms_max, such as latency_ms_max: 2s"},
    {"quality_above_all", "here/m]", "{target: here/m, quality: 101}]",
     "14:46: routes.chat.targets[0].quality: '101' is out of limits; it may be 0 to 100"},
    {"half_a_weight", "here/m]", "{target: here/m, weight: 0.5}]",
     "14:45: routes.chat.targets[0].weight: expected a whole number, found '0.5'"},
    {"unknown_currency", "profile: plain", "profile: plain\n    currency: CNY",
     "4:15: providers.here.currency: there is no rate for CNY; add `fx: {CNY: \"...\"}`, in USD for one CNY"},
    {"url_without_scheme", "http://127.0.0.1:9001/v1", "api.example.com",
     "4:15: providers.here.base_url: this is no URL: it begins with neither https:// nor http://; write https://host or "
     "http://host:port"},
    {"url_with_bad_port", "127.0.0.1:9001/v1", "127.0.0.1:90010/v1",
     "4:15: providers.here.base_url: this is no URL: its port is not a number from 1 to 65535"},
    {"url_with_query", "127.0.0.1:9001/v1", "127.0.0.1:9001/v1?x=1",
     "4:15: providers.here.base_url: this is no URL: it has a query or a fragment; end it with the path"},
    {"url_with_password", "127.0.0.1:9001/v1", "me:it@127.0.0.1",
     "4:15: providers.here.base_url: a URL with a user or password; give credentials as api_key: ${env:NAME}"},
    {"no_base_url", "    base_url: http://127.0.0.1:9001/v1\n", "",
     "3:5: providers.here: the option 'base_url' is missing; it is a URL such as https://api.example.com/v1"},
    {"secret_in_the_file", "operator: ZA", "api_key: sk-12345",
     "5:14: providers.here.api_key: a secret may not be written into the configuration; use ${env:NAME} or ${file:PATH}"},
    {"half_a_secret_in_the_file", "operator: ZA", "api_key: sk-${env:X}",
     "5:14: providers.here.api_key: a secret may not be written into the configuration; use ${env:NAME} or ${file:PATH}"},
    {"password_in_the_file", "operator: ZA", "proxy: http://me:secret@10.0.0.1:3128",
     "5:12: providers.here.proxy: a password may not be written into the configuration; use http://user:${env:NAME}@host:port"},
    {"blank_operator", "operator: ZA", "operator: ' '", "5:15: providers.here.operator: expected a word without blanks, found ' '"},
    {"empty_region", "region: ZA", "region: ''", "6:13: providers.here.region: expected a word without blanks, found ''"},
    {"provider_with_slash", "  here:", "  he/re: {profile: plain, base_url: 'http://x'}\n  here:",
     "2:3: providers.he/re: 'he/re' cannot be a name here; expected a name of letters, digits and . _ - @ : +, beginning with a "
     "letter or digit"},
    {"bad_hash", "sha256:00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff", "sha256:0011",
     "17:11: keys[0].hash: expected sha256: and 64 hex digits, as `fairlead key new NAME` prints them; what stands here is not "
     "repeated, in case it is the key itself"},
    {"unknown_route", "routes: [chat]", "routes: [chatt]", "19:14: keys[0].routes[0]: no route 'chatt'; did you mean 'chat'?"},
    {"keys_of_one_name", "    team: payments\n    routes: [chat]",
     "    routes: [chat]\n  - {name: app, hash: sha256:ff112233445566778899aabbccddeeff00112233445566778899aabbccddeeff, routes: "
     "chat}",
     "19:12: keys[1].name: there are two keys named 'app'; the first is at f.yaml:16:11"},
    {"keys_of_one_hash", "    team: payments\n    routes: [chat]",
     "    routes: [chat]\n  - {name: b, hash: sha256:00112233445566778899AABBCCDDEEFF00112233445566778899aabbccddeeff, routes: "
     "chat}",
     "19:21: keys[1].hash: two keys have this hash; the first is at f.yaml:17:11"},
    {"price_as_a_word", "input: \"0.5\"", "input: cheap",
     "10:60: models.plain/m.prices[0].input: expected a plain decimal such as \"0.15\", with at most 12 digits after the point, "
     "found 'cheap'"},
    {"price_without_output", ", output: \"2\"", "",
     "10:34: models.plain/m.prices[0]: the option 'output' is missing; it is a plain decimal such as \"0.15\", with at most 12 "
     "digits after the point"},
    {"price_without_date", "from: 2026-01-01", "from: 2026-02-30",
     "10:41: models.plain/m.prices[0].from: expected a date such as 2026-09-10, or an instant in UTC such as 2026-09-10T04:00Z, "
     "found '2026-02-30'"},
    {"price_ends_first", "from: 2026-01-01", "from: 2026-01-01, until: 2025-01-01",
     "10:60: models.plain/m.prices[0].until: it ends before it begins; `until` must be later than `from`"},
    {"tiers_descend", "output: \"2\"",
     "output: \"2\", tiers: [{above_input_tokens: 9, input: 1}, {above_input_tokens: 8, input: 1}]",
     "10:144: models.plain/m.prices[0].tiers[1].above_input_tokens: tiers must ascend; the one before is above 9"},
    {"prices_of_one_instant", "output: \"2\"}", "output: \"2\"}, {from: 2026-01-01, input: 1, output: 1}",
     "10:88: models.plain/m.prices[1].from: two entries in USD begin at the same instant; change or remove one"},
    {"prices_of_one_instant_and_region", "output: \"2\"}",
     "output: \"2\", regions: [ZA, CN]}, {from: 2026-01-01, regions: CN, input: 1, output: 1}",
     "10:107: models.plain/m.prices[1].from: two entries in USD begin at the same instant; change or remove one"},
    {"alias_of_a_model", "  plain/m: {", "  plain/a: {}\n  plain/m: {aliases: [a], ",
     "11:23: models.plain/m.aliases[0]: 'plain/a' is already a model; the first is at f.yaml:10:3"},
    {"rule_for_every_error", "  plain: {}", "  plain: {errors: [{meaning: auth}]}",
     "12:20: profiles.plain.errors[0]: it says too little; state at least 2 of status, code, text, meaning"},
};

INSTANTIATE_TEST_SUITE_P(Config, OneWrongWord, testing::ValuesIn(replacements),
                         [](const auto& one) { return std::string(one.param.name); });

TEST(ConfigErrors, the_small_configuration_has_no_findings) {
  World world;
  world.files["f.yaml"] = small_config;
  const auto loaded = world.load();
  EXPECT_THAT(errors(loaded), IsEmpty());
  EXPECT_THAT(warnings(loaded), IsEmpty());
  EXPECT_NE(loaded.snapshot, nullptr);
}

TEST(ConfigErrors, all_are_told_at_once_in_the_order_of_the_file) {
  World world;
  world.files["f.yaml"] = R"(listen: [nowhere]
providers:
  a: {profile: plain, base_url: ftp://x, api_kee: 1}
profiles: {plain: {drop: x, lacks: [sight]}}
routes:
  chat: {targets: [b/m], strategy: best}
keys:
  - {name: app, hash: no, routes: [chatt]}
)";
  const auto found = errors(world.load());
  std::vector<std::string> places;
  for (const std::string& text : found) places.push_back(text.substr(0, text.find(": ", 0)));
  EXPECT_THAT(places, ElementsAre("f.yaml:1:10", "f.yaml:3:33", "f.yaml:3:42", "f.yaml:4:37", "f.yaml:6:20", "f.yaml:6:36",
                                  "f.yaml:8:23", "f.yaml:8:36"));
}

TEST(ConfigErrors, more_than_can_be_read_are_counted) {
  World world;
  std::string keys;
  for (int i = 0; i < 1'000; ++i) keys += "x" + std::to_string(i) + ": 1\n";
  world.files["f.yaml"] = keys;
  const auto loaded = world.load();
  EXPECT_EQ(loaded.findings.size(), 201u);
  EXPECT_THAT(format(loaded.findings.back()), HasSubstr("f.yaml: and 80"));
}

TEST(ConfigErrors, are_told_before_warnings_where_not_all_can_be) {
  World world;
  std::string keys;
  for (int i = 0; i < 300; ++i) keys += "  - {name: k" + std::to_string(i) + ", hash: '${env:NOT_THERE}', routes: [chat]}\n";
  world.files["f.yaml"] = small_config + keys + "workers: many\nlisten: [nowhere]\n";
  const auto loaded = world.load();
  ASSERT_EQ(loaded.findings.size(), 201u);
  EXPECT_THAT(format(loaded.findings[0]), HasSubstr("workers"));
  EXPECT_THAT(format(loaded.findings[1]), HasSubstr("listen"));
  EXPECT_THAT(errors(loaded), testing::SizeIs(3));
  EXPECT_THAT(errors(loaded).back(), testing::MatchesRegex("f.yaml: and [0-9]+ more findings; mend these first"));
}

TEST(ConfigErrors, a_secret_is_never_repeated) {
  for (const char* line : {"api_key: sk-canary", "api_key: {sk-canary: x}", "timeouts: sk-canary", "ca_file: [sk-canary]",
                           "api_key: [sk-canary]", "proxy: http://me:sk-canary@10.0.0.1:99999", "proxy: sk-canary",
                           "proxy: http://u:${env:S}@h:x", "base_url: http://u:sk-canary@h", "hash: sk-canary"}) {
    World world;
    world.environment["S"] = "sk-canary";
    std::string text = small_config;
    if (std::string(line).substr(0, 8) == "base_url")
      text.replace(text.find("base_url: http://127.0.0.1:9001/v1"), 34, line);
    else if (std::string(line).substr(0, 5) == "hash:")
      text.replace(text.find("hash: "), 6 + 7 + 64, line);
    else
      text.replace(text.find("operator: ZA"), 12, line);
    world.files["f.yaml"] = text;
    const auto found = errors(world.load());
    ASSERT_FALSE(found.empty()) << line;
    for (const std::string& told : found) EXPECT_THAT(told, Not(HasSubstr("canary")));
  }
}

struct BadYaml {
  const char* yaml;
  const char* hint;
};

TEST(ConfigErrors, syntax_errors_have_a_place_and_a_likely_cause) {
  const BadYaml table[] = {
      {"a:\n\tb: 1\n", "indent with blanks: YAML takes no tabs"},
      {"providers:\n  x: {api_key: ${env:X}}\n", "write references in quotes"},
      {"a: b: c\n", "quote a text that holds ': '"},
      {"a: b\n  c: d\n", "look for a missing quote, bracket"},
      {"a: 1\nb: \"open\n", "one that opens here or just below is never closed"},
      {"a: 1\nb: [1, 2\nc: 3\n", "look for a missing quote, bracket"},
      {"a: 'open", "one that opens here or just below is never closed"},
  };
  for (const BadYaml& bad : table) {
    World world;
    world.files["f.yaml"] = bad.yaml;
    const auto loaded = world.load();
    ASSERT_EQ(errors(loaded).size(), 1u) << bad.yaml;
    EXPECT_THAT(errors(loaded).front(), HasSubstr(bad.hint)) << bad.yaml;
    EXPECT_GT(loaded.findings.front().line, 0) << bad.yaml;
  }
}

}  // namespace
}  // namespace fairlead::config
