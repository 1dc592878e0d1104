// Routes with their targets, and the keys that name them.
#include "config/build.h"

#include <algorithm>
#include <utility>

namespace fairlead::config {
namespace {

/// The model of a target: that of the price list, or one without facts.
const Model* model_for(Build& build, const Provider& provider, const std::string& name) {
  const std::string full = provider.price_list + "/" + name;
  if (auto known = build.models.find(full); known != build.models.end()) return known->second;
  auto bare = std::make_unique<Model>();
  bare->name = name;
  bare->also_named = other_names(build, full);
  build.snapshot.models.push_back(std::move(bare));
  return build.models[full] = build.snapshot.models.back().get();
}

/// Null and a finding if its provider is unknown.
const Target* target_for(Build& build, const Value& written) {
  if (const Target* known = build.snapshot.target(written.text)) return known;
  const std::size_t slash = written.text.find('/');
  const std::string provider_name = written.text.substr(0, slash), model_name = written.text.substr(slash + 1);
  auto provider = build.providers.find(provider_name);
  if (provider == build.providers.end()) {
    build.findings.error(written, "no provider " + in_quotes(provider_name),
                         did_you_mean(provider_name, names_of(build.providers), "the providers are"));
    return nullptr;
  }
  auto target = std::make_unique<Target>();
  target->name = written.text;
  target->provider = provider->second;
  target->model = model_for(build, *provider->second, model_name);
  target->index = static_cast<int>(build.snapshot.targets.size());
  const Target* made = target.get();
  build.snapshot.target_by_name[made->name] = made;
  build.target_places[made] = &written;
  build.snapshot.targets.push_back(std::move(target));
  return made;
}

std::optional<int> whole_number(const Section& from, std::string_view name) {
  if (from.find(name) == nullptr) return std::nullopt;
  return static_cast<int>(from.integer(name));
}

void build_targets(Build& build, const Section& from, Route& route) {
  std::vector<const Target*>& targets = route.targets;
  for (const Section& item : from.sections("targets")) {
    const Value* written = item.find("target");
    const Target* target = written == nullptr ? nullptr : target_for(build, *written);
    if (target == nullptr) continue;
    if (std::find(targets.begin(), targets.end(), target) != targets.end()) {
      build.findings.error(*written, "the target " + in_quotes(target->name) + " is in this route twice", "remove one");
      continue;
    }
    targets.push_back(target);
    route.terms.push_back({static_cast<int>(item.integer("weight")), whole_number(item, "quality")});
  }
}

/// What a strategy needs, and what it would never look at.
void check_strategy(Build& build, const Section& from, const Route& route) {
  const Value* strategy = from.find("strategy");
  const bool balanced = route.strategy == "balanced", weighted = route.strategy == "weighted";
  if (balanced && strategy != nullptr && from.value().find("latency_ms_max") == nullptr)
    build.findings.error(*strategy, "'balanced' needs a latency", "add latency_ms_max, such as latency_ms_max: 2s");
  if (const Value* latency = from.find("latency_ms_max"); latency != nullptr && !balanced)
    build.findings.warning(*latency, "the strategy " + in_quotes(route.strategy) + " does not look at it",
                           "it is for strategy: balanced");
  for (const Section& item : from.sections("targets"))
    if (const Value* weight = item.find("weight"); weight != nullptr && !weighted)
      build.findings.warning(*weight, "the strategy " + in_quotes(route.strategy) + " does not look at it",
                             "it is for strategy: weighted");
  const auto good_enough = [&](const TargetTerms& terms) { return terms.quality.value_or(-1) >= *route.quality_min; };
  if (route.quality_min && std::none_of(route.terms.begin(), route.terms.end(), good_enough))
    build.findings.warning(*from.find("quality_min"), "no target of this route states so much quality",
                           "it refuses every request until one does");
}

/// A file's word counts more than the ledger's.
bool is_told_by_a_file(Build& build, const Section& from, const std::map<Sha256, const Value*>& hashes) {
  const Value *name = from.find("name"), *hash = from.find("hash");
  if (name == nullptr || hash == nullptr) return true;  // refused, and told already
  const auto same_name = build.keys.find(name->text);
  const auto same_hash = hashes.find(parse_sha256(hash->text).value_or(Sha256{}));
  const bool told = same_name != build.keys.end();
  if (!told && same_hash == hashes.end()) return false;
  const Value& first = *(told ? same_name->second : same_hash->second);
  build.findings.warning(*name,
                         "the configuration has a key of this " + std::string(told ? "name" : "hash") + " too, and that one holds",
                         "it is at " + build.findings.where(first.place) + "; `fairlead key revoke` ends that of the ledger");
  return true;
}

void build_routes_of(Build& build, const Section& from, bool stored, Key& key) {
  for (const Value* name : from.values("routes")) {
    const Route* route = build.snapshot.route(name->text);
    if (route == nullptr && stored)  // a route may go, whoever has a key for it
      build.findings.warning(*name, "no route " + in_quotes(name->text), "the key holds for its other routes");
    else if (route == nullptr)
      build.findings.error(*name, "no route " + in_quotes(name->text),
                           did_you_mean(name->text, names_of(build.snapshot.route_by_name), "the routes are"));
    else if (std::find(key.routes.begin(), key.routes.end(), route) == key.routes.end())
      key.routes.push_back(route);
  }
}

/// A finding if another secret has this hash.
void take_hash(Build& build, std::map<Sha256, const Value*>& taken, const Sha256& hash, const Value& written) {
  const auto [first, fresh] = taken.emplace(hash, &written);
  if (!fresh)
    build.findings.error(written, "two keys have this hash", "the first is at " + build.findings.where(first->second->place));
}

/// Until when, and by which other secrets.
void build_validity(Build& build, const Section& from, std::map<Sha256, const Value*>& hashes, Key& key) {
  key.expires_at = from.instant("expires_at");
  if (key.expires_at && build.now && *key.expires_at <= *build.now)
    build.findings.warning(*from.find("expires_at"), "the key " + in_quotes(key.name) + " has expired", "nobody gets in by it");
  for (const Section& item : from.sections("former")) {
    const auto hash = parse_sha256(item.text("hash"));
    const auto until = item.instant("until");
    if (!hash || !until) continue;
    take_hash(build, hashes, *hash, *item.find("hash"));
    key.former.push_back({*hash, *until});
  }
}

/// Tags are compared in lower case.
std::vector<std::string> tags_of(const Section& key, std::string_view option) {
  std::vector<std::string> tags = key.texts(option);
  for (std::string& tag : tags) tag = lower(tag);
  return tags;
}

}  // namespace

void build_routes(Build& build) {
  for (const Section& from : build.root.sections("routes")) {
    auto route = std::make_unique<Route>();
    route->name = from.key();
    build_targets(build, from, *route);
    route->strategy = from.text("strategy");
    if (from.find("latency_ms_max") != nullptr) route->latency_ms_max = from.duration("latency_ms_max");
    route->quality_min = whole_number(from, "quality_min");
    check_strategy(build, from, *route);
    const Section max_price = from.section("max_price");
    route->index = static_cast<int>(build.snapshot.routes.size());
    route->max_cost = from.decimal("max_cost");
    route->max_price = {max_price.decimal("input"), max_price.decimal("output")};
    route->fallback = from.boolean("fallback");
    route->fallback_on_unconfirmed = from.boolean("fallback_on_unconfirmed");
    const std::vector<std::string> refusals = from.texts("fallback_on_refusal");
    const auto falls_back = [&](const char* reason) { return std::count(refusals.begin(), refusals.end(), reason) > 0; };
    route->fallback_on_refusal = {falls_back("context"), falls_back("filtered"), falls_back("refused")};
    route->answer_model = from.text("answer_model") == "asked" ? AnswerModel::asked : AnswerModel::provider;
    route->limits = rate_limits_of(from);
    route->unpriced_allowed = from.text("unpriced") == "allow";
    route->budgets = budgets_of(build, from, BudgetOf::route, route->name);
    build.snapshot.route_by_name[route->name] = route.get();
    build.route_places[route.get()] = &from.value();
    build.snapshot.routes.push_back(std::move(route));
  }
}

void build_keys(Build& build) {
  std::map<Sha256, const Value*> hashes;
  for (const Section& from : build.root.sections("keys")) {
    const bool stored = build.reading.is_stored_key(from.value().place.file);
    if (stored && is_told_by_a_file(build, from, hashes)) continue;
    take_name(build, build.keys, from.find("name"), "keys");
    Key key;
    key.name = from.text("name");
    key.stored = stored;
    key.team = from.text("team");
    key.project = from.text("project");
    key.tags = tags_of(from, "tags");
    key.request_tags = tags_of(from, "request_tags");
    key.may_name_targets = from.boolean("targets");
    key.limits = rate_limits_of(from);
    key.budgets = budgets_of(build, from, BudgetOf::key, key.name);
    build_routes_of(build, from, stored, key);
    const Value* written = from.value().find("hash");
    const bool missing = written != nullptr && written->good && !written->missing.empty();
    if (missing) build.findings.warning(*written, written->missing, "the key " + in_quotes(key.name) + " is disabled until then");
    if (missing && !build.reading.secrets_assumed()) {
      ++build.snapshot.keys_disabled;
      continue;
    }
    if (!missing) {
      const auto hash = parse_sha256(from.text("hash"));
      if (!hash) continue;  // refused, and told already
      take_hash(build, hashes, *hash, *written);
      key.sha256 = *hash;
    }
    build_validity(build, from, hashes, key);
    key.index = static_cast<int>(build.snapshot.keys.size());
    build.snapshot.keys.push_back(std::move(key));
  }
  for (const StoredKey& ended : build.ended_secrets)
    if (const auto hash = parse_sha256(ended.hash))
      build.snapshot.ended_secrets.push_back({*hash, ended.name, ended.revoked_at.has_value()});
  index_secrets(build.snapshot);
}

std::vector<std::string_view> key_names(const Build& build) {
  std::vector<std::string_view> names = names_of(build.keys);
  names.insert(names.end(), build.snapshot.ended_keys.begin(), build.snapshot.ended_keys.end());
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace fairlead::config
