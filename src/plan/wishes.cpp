#include "plan/wishes.h"

#include "plan/price.h"
#include "plan/routes.h"

#include <fairlead/near.h>

#include <algorithm>
#include <compare>
#include <string>
#include <string_view>
#include <utility>

namespace fairlead {
namespace {

/// "deepseek" is any target there, "deepseek/deepseek-chat" is that one.
bool is_named(const Target& target, std::string_view name) { return name == target.provider->name || name == target.name; }

/// Where a list names the target; its end: nowhere.
template <class Names>
std::size_t place_in(const std::vector<std::string>& list, const Names& names) {
  return static_cast<std::size_t>(std::find_if(list.begin(), list.end(), names) - list.begin());
}
std::size_t place_in(const std::vector<std::string>& providers, const Target& target) {
  return place_in(providers, [&](const std::string& name) { return is_named(target, name); });
}

/// The targets of the key's routes, each once: several routes may have the same thousand.
std::vector<const Target*> targets_of(const Key& key, const Snapshot& snapshot) {
  std::vector<const Target*> own;
  std::vector<bool> seen(snapshot.targets.size());
  for (const Route* route : key.routes)
    for (const Target* target : route->targets) {
      const auto index = static_cast<std::size_t>(target->index);
      if (seen[index]) continue;
      seen[index] = true;
      own.push_back(target);
    }
  return own;
}

bool is_model(const Target& target, std::string_view name) { return name == target.name || name == target.model->name; }

/// The first of the request's fields that is not sent to the target; empty: all are.
std::string_view dropped_field(const Target& target, const RequestFacts& facts) {
  if (!target.provider->profile) return {};
  for (const std::string& field : target.provider->profile->drop)
    if (std::any_of(facts.fields.begin(), facts.fields.end(), [&](const Member& member) { return member.key == field; }))
      return field;
  return {};
}

/// Of the whole configuration, not of the key's routes alone: what is closed to a key anyway may be ignored, and apps that ignore a
/// provider go on when a route loses it.
bool is_there(const std::string& name, const Snapshot& snapshot) {
  return snapshot.target(name) != nullptr ||
         std::any_of(snapshot.providers.begin(), snapshot.providers.end(), [&](const auto& one) { return one->name == name; });
}

/// What may have been meant is told of the key's own routes alone, and of so many names at most: each takes some microseconds.
Error not_there(const char* param, std::string_view name, const Key& key, const Snapshot& snapshot) {
  constexpr std::size_t shown_bytes_max = 80, compared_max = 300;
  std::vector<std::string_view> own;
  const Provider* before = nullptr;
  for (const Target* target : targets_of(key, snapshot)) {
    if (own.size() >= compared_max) break;
    if (std::exchange(before, target->provider) != target->provider &&
        std::find(own.begin(), own.end(), target->provider->name) == own.end())
      own.push_back(target->provider->name);
    own.push_back(target->name);
  }
  Error error(
      ErrorKind::bad_request, ErrorOrigin::app,
      "There is no provider or target '" + std::string(name.substr(0, shown_bytes_max)) + "'" + did_you_mean(name, own, "; ", "."));
  error.set_param(param);
  return error;
}

/// The first of a request's names, and how many more there are: it is said of each target that they keep it from.
std::string listed(const std::vector<std::string>& names) {
  constexpr std::size_t listed_bytes_max = 200;
  std::string text;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (i > 0 && text.size() + names[i].size() > listed_bytes_max)
      return text + " and " + std::to_string(names.size() - i) + " more";
    text.append(i > 0 ? ", " : "").append(names[i]);
  }
  return text;
}

}  // namespace

Result<void> check_wishes(const RequestFacts& facts, const Snapshot& snapshot) {
  if (!facts.wishes) return {};
  const std::pair<const char*, const std::vector<std::string>*> lists[]{
      {"provider.only", &facts.wishes->only}, {"provider.ignore", &facts.wishes->ignore}, {"provider.order", &facts.wishes->order}};
  for (const auto& [param, names] : lists)
    for (const std::string& name : *names)
      if (!is_there(name, snapshot)) return not_there(param, name, *facts.key, snapshot);
  const auto& models = facts.wishes->models;
  if (models.empty()) return {};
  const auto own = targets_of(*facts.key, snapshot);
  const auto known = [&](const std::string& name) {
    return route_of(*facts.key, name) != nullptr ||
           std::any_of(own.begin(), own.end(), [&](const Target* target) { return is_model(*target, name); });
  };
  const auto unknown = std::find_if_not(models.begin(), models.end(), known);
  if (unknown == models.end()) return {};
  Error error(ErrorKind::bad_request, ErrorOrigin::app,
              "The model '" + echo_of(*unknown) + "' does not exist, or this key may not use it.");
  error.set_param("models[" + std::to_string(unknown - models.begin()) + "]");
  return error;
}

ModelPlaces places_in_models(const RequestFacts& facts, std::span<const Target* const> targets) {
  if (!facts.wishes || facts.wishes->models.empty()) return {};
  const auto& models = facts.wishes->models;
  ModelPlaces places;
  const auto place = [&](const Target& target) -> std::size_t& {
    const auto index = static_cast<std::size_t>(target.index);
    if (index >= places.size()) places.resize(index + 1, models.size());
    return places[index];
  };
  for (const Target* target : targets)
    place(*target) = place_in(models, [&](const std::string& name) { return is_model(*target, name); });
  for (std::size_t i = 0; i < models.size(); ++i)
    if (const Route* route = route_of(*facts.key, models[i]))
      for (const Target* target : route->targets) place(*target) = std::min(place(*target), i);
  return places;
}

void reject_by_models(const Target& target, const RequestFacts& facts, const ModelPlaces& places,
                      std::vector<Rejection>& rejections) {
  if (places.empty()) return;
  const auto& models = facts.wishes->models;
  if (places.at(static_cast<std::size_t>(target.index)) == models.size())
    rejections.push_back({&target, RejectedBy::wish, "models", "the request wishes for " + listed(models)});
}

void reject_by_wish(const Target& target, const RequestFacts& facts, const std::optional<ExpectedCost>& expected,
                    std::vector<Rejection>& rejections) {
  if (!facts.wishes) return;
  const Wishes& wishes = *facts.wishes;
  const auto reject = [&](const char* rule, std::string reason) {
    rejections.push_back({&target, RejectedBy::wish, rule, std::move(reason)});
  };
  if (!wishes.only.empty() && place_in(wishes.only, target) == wishes.only.size())
    reject("provider.only", "the request wishes for " + listed(wishes.only));
  if (place_in(wishes.ignore, target) < wishes.ignore.size())
    reject("provider.ignore", "the request wishes for others than " + listed(wishes.ignore));
  if (!wishes.fallbacks && !wishes.order.empty() && place_in(wishes.order, target) == wishes.order.size())
    reject("provider.allow_fallbacks", "the request wishes for none but those of its order");
  if (wishes.keep_nothing && facts.keeping != Keeping::not_asked)
    reject("provider.data_collection", "the request wishes that nobody keeps it, and " + in_words(facts.keeping));
  else if (wishes.keep_nothing && target.provider->facts.retention != "none")
    reject("provider.data_collection", "the request wishes that nobody keeps it");
  if (const std::string_view field = wishes.require_parameters ? dropped_field(target, facts) : ""; !field.empty())
    reject("provider.require_parameters", "it is not sent the field " + std::string(field));
  const auto check_price = [&](const char* rule, const std::optional<Int128>& limit, std::optional<Int128> Rates::*kind) {
    if (!limit) return;
    const auto usd = in_usd(expected, kind);
    if (!usd || *usd > *limit)
      reject(rule, (usd ? "it costs " + format_decimal(*usd) + " USD per million tokens now" : "it has no price now") +
                       ", the request wishes for " + format_decimal(*limit) + " at most");
  };
  check_price("provider.max_price.input", wishes.max_input_price, &Rates::input);
  check_price("provider.max_price.output", wishes.max_output_price, &Rates::output);
}

std::string_view wished_strategy(const RequestFacts& facts, std::string_view own) {
  switch (facts.wishes ? facts.wishes->sort : Wishes::Sort::none) {
    case Wishes::Sort::none: return own;
    case Wishes::Sort::price: return "cheapest";
    case Wishes::Sort::throughput:
    case Wishes::Sort::latency: return "fastest";
  }
  return own;
}

void reorder_by_wishes(const RequestFacts& facts, const ModelPlaces& places, Plan& plan) {
  if (!facts.wishes || (places.empty() && facts.wishes->order.empty())) return;
  struct Placed {
    std::size_t in_models, in_order, before;
    auto operator<=>(const Placed&) const = default;
  };
  std::vector<Placed> order;
  order.reserve(plan.candidates.size());
  for (const Candidate& candidate : plan.candidates)
    order.push_back({places.empty() ? 0 : places.at(static_cast<std::size_t>(candidate.target->index)),
                     place_in(facts.wishes->order, *candidate.target), order.size()});
  std::sort(order.begin(), order.end());
  std::vector<Candidate> reordered;
  reordered.reserve(order.size());
  for (const Placed& placed : order) reordered.push_back(std::move(plan.candidates[placed.before]));
  plan.candidates = std::move(reordered);
}

void keep_the_best_alone(const RequestFacts& facts, Plan& plan) {
  if (!facts.wishes || facts.wishes->fallbacks || !facts.wishes->order.empty()) return;
  while (plan.candidates.size() > 1) {
    plan.rejections.push_back(
        {plan.candidates.back().target, RejectedBy::wish, "provider.allow_fallbacks", "the request wishes for the best alone"});
    plan.candidates.pop_back();
  }
}

}  // namespace fairlead
