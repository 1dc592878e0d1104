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
    route->targets = targets_of(build, from);
    route->strategy = from.text("strategy");
    const Section max_price = from.section("max_price");
    route->index = static_cast<int>(build.snapshot.routes.size());
    route->max_cost = from.decimal("max_cost");
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
    key.project = from.text("project");
    key.tags = tags_of(from, "tags");
    key.request_tags = tags_of(from, "request_tags");
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
      build.findings.warning(*written, written->missing, "the key " + in_quotes(key.name) + " is disabled until then");
      if (!build.reading.secrets_assumed()) continue;
      key.index = static_cast<int>(build.snapshot.keys.size());
      build.snapshot.keys.push_back(std::move(key));
      continue;
    }
    const auto hash = parse_sha256(from.text("hash"));
    if (!hash) continue;
    auto [first, fresh] = hashes.emplace(*hash, written);
    if (!fresh)
      build.findings.error(*written, "two keys have this hash", "the first is at " + build.findings.where(first->second->place));
    key.sha256 = *hash;
    key.index = static_cast<int>(build.snapshot.keys.size());
    build.snapshot.keys.push_back(std::move(key));
  }
}

}  // namespace fairlead::config
