#include "daemon/estimates_json.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <stdexcept>

namespace fairlead::daemon {
namespace {

using Json = nlohmann::ordered_json;
using state::Answers, state::Everything, state::Learned, state::ScriptRates, state::Times;

constexpr int version = 1;
constexpr double sum_max = 1e15;  // no sum that decays comes near

std::string dumped(const Json& json, int indent) { return json.dump(indent, ' ', false, Json::error_handler_t::replace); }

Json by_script(const std::array<double, script_count>& numbers) {
  Json json = Json::object();
  for (std::size_t i = 0; i < numbers.size(); ++i) json[std::string(to_string(static_cast<Script>(i)))] = numbers[i];
  return json;
}

/// [[bucket, weight], ...] of those that hold anything.
Json sums_of(const Times& times) {
  Json buckets = Json::array();
  for (std::size_t i = 0; i < times.buckets.size(); ++i)
    if (times.buckets[i] > 0) buckets.push_back({i, times.buckets[i]});
  return {{"since_us", times.since.time_since_epoch().count()}, {"total", times.total}, {"buckets", std::move(buckets)}};
}

Json sums_of(const ScriptRates& rates) { return {{"factor", rates.factor}, {"doubt", rates.doubt}}; }

std::int64_t us_of(const state::Fading& fading) { return fading.noted_at.time_since_epoch().count(); }

Json sums_of(const Learned& learned) {
  return {{"input", sums_of(learned.input)},
          {"answer", learned.answer ? sums_of(*learned.answer) : Json()},
          {"input_error", sums_of(learned.input_error)},
          {"answer_error", sums_of(learned.answer_error)},
          {"output", learned.output},
          {"output_expected", learned.output_expected},
          {"output_at_us", us_of(learned.output_fading)},
          {"cached", learned.cached},
          {"repeated", learned.repeated},
          {"first_token", sums_of(learned.first_token)},
          {"token", sums_of(learned.token)},
          {"usual_first_token_us", learned.usual_first_token_us},
          {"usual_token_us", learned.usual_token_us}};
}

Json sums_of(const Answers& answers) {
  return {{"tokens", answers.tokens}, {"answers", answers.answers}, {"at_us", us_of(answers.fading)}};
}

/// Throws for what no sum can be.
double sum(const Json& json) {
  const double value = json.get<double>();
  if (!std::isfinite(value) || value < 0 || value > sum_max) throw std::out_of_range("a sum is out of bounds");
  return value;
}

Times times_of(const Json& json) {
  Times times;
  times.since = TimePoint(std::chrono::microseconds(json.at("since_us").get<std::int64_t>()));
  times.total = sum(json.at("total"));
  for (const Json& bucket : json.at("buckets")) {
    times.buckets.resize(Times::bucket_count);
    times.buckets.at(bucket.at(0).get<std::size_t>()) = static_cast<float>(sum(bucket.at(1)));
  }
  return times;
}

ScriptRates rates_of(const Json& json) {
  ScriptRates rates;
  json.at("factor").get_to(rates.factor);
  json.at("doubt").get_to(rates.doubt);
  if (!rates.sound()) throw std::out_of_range("what was learned of a text is out of bounds");
  return rates;
}

/// Older files do not tell: it counts as long ago, as does what is no time of ours.
state::Fading fading_of(const Json& json, const char* key) {
  return {TimePoint(std::chrono::microseconds(std::max(json.value(key, std::int64_t{0}), std::int64_t{0})))};
}

Learned learned_of(const Json& json) {
  Learned learned;
  learned.input = rates_of(json.at("input"));
  if (!json.at("answer").is_null()) learned.answer = rates_of(json.at("answer"));
  learned.input_error = times_of(json.at("input_error"));
  learned.answer_error = times_of(json.at("answer_error"));
  learned.output = sum(json.at("output"));
  learned.output_expected = sum(json.at("output_expected"));
  learned.output_fading = fading_of(json, "output_at_us");
  learned.cached = sum(json.at("cached"));
  learned.repeated = sum(json.at("repeated"));
  learned.first_token = times_of(json.at("first_token"));
  learned.token = times_of(json.at("token"));
  learned.usual_first_token_us = sum(json.at("usual_first_token_us"));
  learned.usual_token_us = sum(json.at("usual_token_us"));
  return learned;
}

Answers answers_of(const Json& json) { return {sum(json.at("tokens")), sum(json.at("answers")), fading_of(json, "at_us")}; }

double ms(std::int64_t us) { return static_cast<double>(us) / 1000; }

/// Null: no attempt has told.
Json error_json(const Times& error) {
  if (error.buckets.empty()) return nullptr;
  return {{"p50", Learned::share(error.percentile(0.5))}, {"p90", Learned::share(error.percentile(0.9))}};
}

Json target_json(const std::string& name, const Learned& learned, TimePoint now) {
  Json json{{"target", name},
            {"bytes_per_token", by_script(learned.input.bytes_per_token())},
            {"input_evidence", by_script(learned.input.evidence())},
            {"input_error", error_json(learned.input_error)},
            {"answer_bytes_per_token", by_script(learned.answer_rates().bytes_per_token())},
            {"answer_evidence", by_script(learned.answer ? learned.answer->evidence() : std::array<double, script_count>{})},
            {"answer_error", error_json(learned.answer_error)},
            {"output_ratio", learned.output_ratio(now)},
            {"cache_share", learned.cache_share()},
            {"first_token_ms", nullptr},
            {"token_ms", nullptr},
            {"measured", learned.measured(now)}};
  if (learned.first_token.buckets.empty()) return json;
  const AnswerTimes times = learned.times();
  json["first_token_ms"] = {{"p50", ms(times.first_token_p50)}, {"p90", ms(times.first_token_p90)}};
  json["token_ms"] = {{"p50", ms(times.token_p50)}};
  return json;
}

Json output_json(const std::string& route, const Json& key, double expected, const Answers& answers) {
  return {{"route", route}, {"key", key}, {"output_tokens", expected}, {"answers", answers.answers}};
}

}  // namespace

std::string estimates_sums(const Everything& everything) {
  Json targets = Json::object(), routes = Json::object(), keys = Json::array();
  for (const auto& [name, learned] : everything.targets) targets[name] = sums_of(learned);
  for (const auto& [name, answers] : everything.routes) routes[name] = sums_of(answers);
  for (const auto& [name, answers] : everything.routes_by_key) keys.push_back({name.first, name.second, sums_of(answers)});
  return dumped({{"version", version}, {"targets", targets}, {"routes", routes}, {"routes_by_key", keys}}, -1) + "\n";
}

Result<Everything> parse_estimates(std::string_view text) {
  const auto wrong = [](const std::string& why) {
    return Error(ErrorKind::io, ErrorOrigin::fairlead, "the file is damaged: " + why);
  };
  try {
    const Json json = Json::parse(text);
    if (json.at("version") != version) return wrong("it is of another version");
    Everything everything;
    for (const auto& [name, learned] : json.at("targets").items()) everything.targets[name] = learned_of(learned);
    for (const auto& [name, answers] : json.at("routes").items()) everything.routes[name] = answers_of(answers);
    for (const Json& row : json.at("routes_by_key"))
      everything.routes_by_key[{row.at(0).get<std::string>(), row.at(1).get<std::string>()}] = answers_of(row.at(2));
    return everything;
  } catch (const std::exception& error) {  // of the JSON library, and our own bounds
    return wrong(error.what());
  }
}

std::string estimates_text(const Everything& everything, TimePoint now) {
  Json targets = Json::array(), outputs = Json::array();
  for (const auto& [name, learned] : everything.targets) targets.push_back(target_json(name, learned, now));
  for (const auto& [name, answers] : everything.routes)
    outputs.push_back(output_json(name, nullptr, answers.expected(prior_output_tokens, now), answers));
  for (const auto& [name, answers] : everything.routes_by_key) {
    const auto route = everything.routes.find(name.first);
    const double prior = route == everything.routes.end() ? prior_output_tokens : route->second.expected(prior_output_tokens, now);
    outputs.push_back(output_json(name.first, name.second, answers.expected(prior, now), answers));
  }
  const Json priors{{"bytes_per_token", by_script(prior_bytes_per_token)},
                    {"output_tokens", prior_output_tokens},
                    {"output_ratio", 1},
                    {"cache_share", prior_cache_share}};
  return dumped({{"priors", priors}, {"targets", targets}, {"outputs", outputs}}, 2) + "\n";
}

}  // namespace fairlead::daemon
