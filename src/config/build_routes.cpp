// Routes with their targets, and the keys and policies that name them.
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

std::vector<const Target*> targets_of(Build& build, const Section& route) {
  std::vector<const Target*> targets;
  for (const Section& item : route.sections("targets")) {
    const Value* written = item.find("target");
    const Target* target = written == nullptr ? nullptr : target_for(build, *written);
    if (target == nullptr) continue;
    if (std::find(targets.begin(), targets.end(), target) != targets.end())
      build.findings.error(*written, "the target " + in_quotes(target->name) + " is in this route twice", "remove one");
    else
      targets.push_back(target);
  }
  return targets;
}

/// Takes a name; a finding if another has it.
void take_name(Build& build, std::map<std::string, const Value*>& taken, const Value* name, std::string_view what) {
  if (name == nullptr) return;
  auto [first, fresh] = taken.emplace(name->text, name);
  if (!fresh)
    build.findings.error(*name, "there are two " + std::string(what) + " named " + in_quotes(name->text),
                         "the first is at " + build.findings.where(first->second->place));
}

/// The values of `facts`, by fact.
FactMatch match_of(const Section& facts) {
  FactMatch match;
  for (const Value& fact : facts.value().children)
    if (fact.good) match[fact.key] = facts.texts(fact.key);
  return match;
}

FactMatch match_of(const Section& policy, std::string_view part) {
  return policy.find(part) == nullptr ? FactMatch{} : match_of(policy.section(part));
}

/// A rule that names what does not exist was mistyped.
void check_names(Build& build, const Section& policy, std::string_view part, std::string_view fact,
                 const std::vector<std::string_view>& known) {
  if (policy.find(part) == nullptr) return;
  for (const Value* value : policy.section(part).values(fact)) {
    if (std::find(known.begin(), known.end(), value->text) != known.end()) continue;
    build.findings.error(*value, "no " + std::string(fact) + " " + in_quotes(value->text),
                         did_you_mean(value->text, known, "there are"));
  }
}

}  // namespace

void build_routes(Build& build) {
  for (const Section& from : build.root.sections("routes")) {
    auto route = std::make_unique<Route>();
    route->name = from.key();
    route->targets = targets_of(build, from);
    route->strategy = from.text("strategy");
    const Section max_price = from.section("max_price");
    route->max_price = {max_price.decimal("input"), max_price.decimal("output")};
    route->fallback = from.boolean("fallback");
    route->fallback_on_unconfirmed = from.boolean("fallback_on_unconfirmed");
    route->answer_model = from.text("answer_model") == "asked" ? AnswerModel::asked : AnswerModel::provider;
    build.snapshot.route_by_name[route->name] = route.get();
    build.route_places[route.get()] = &from.value();
    build.snapshot.routes.push_back(std::move(route));
  }
}

void build_keys(Build& build) {
  std::map<Sha256, const Value*> hashes;
  for (const Section& from : build.root.sections("keys")) {
    take_name(build, build.keys, from.find("name"), "keys");
    Key key;
    key.name = from.text("name");
    key.team = from.text("team");
    key.may_name_targets = from.boolean("targets");
    for (const Value* name : from.values("routes")) {
      const Route* route = build.snapshot.route(name->text);
      if (route == nullptr)
        build.findings.error(*name, "no route " + in_quotes(name->text),
                             did_you_mean(name->text, names_of(build.snapshot.route_by_name), "the routes are"));
      else if (std::find(key.routes.begin(), key.routes.end(), route) == key.routes.end())
        key.routes.push_back(route);
    }
    const Value* written = from.value().find("hash");
    if (written != nullptr && written->good && !written->missing.empty()) {
      if (build.reading.secrets_assumed())
        build.snapshot.keys.push_back(std::move(key));
      else
        build.findings.warning(*written, written->missing, "the key " + in_quotes(key.name) + " is disabled until then");
      continue;
    }
    const auto hash = parse_sha256(from.text("hash"));
    if (!hash) continue;
    auto [first, fresh] = hashes.emplace(*hash, written);
    if (!fresh)
      build.findings.error(*written, "two keys have this hash", "the first is at " + build.findings.where(first->second->place));
    key.sha256 = *hash;
    build.snapshot.keys.push_back(std::move(key));
  }
}

void build_policies(Build& build) {
  std::map<std::string, const Value*> names;
  for (const Section& from : build.root.sections("policies")) {
    take_name(build, names, from.find("name"), "policies");
    if (from.value().kind == Value::Kind::map && from.value().find("allow") == nullptr && from.value().find("deny") == nullptr)
      build.findings.error(from.value(), "a policy without `allow` and `deny` narrows nothing",
                           "say what targets it allows or denies");
    check_names(build, from, "when", "key", names_of(build.keys));
    check_names(build, from, "when", "route", names_of(build.snapshot.route_by_name));
    check_names(build, from, "allow", "provider", names_of(build.providers));
    check_names(build, from, "deny", "provider", names_of(build.providers));
    build.snapshot.policies.push_back(
        {from.text("name"), match_of(from, "when"), match_of(from, "allow"), match_of(from, "deny"), from.text("reason")});
  }
}

}  // namespace fairlead::config
