// The price lists: models with their facts, aliases and dated prices.
#include "config/build.h"

#include <fairlead/price_doubt.h>

#include <algorithm>
#include <iterator>
#include <set>
#include <utility>

namespace fairlead::config {
namespace {

// With these, the rates of exchange and the markups that are taken, and any number of tokens that can be counted, no cost and no
// charge leaves 128 bits: 5 kinds of 10^12 tokens at 10^9 for a million, times 100 and 100 and 2, times 10^5 USD, times 11.
constexpr std::int64_t amount_max = 1'000'000'000, factor_max = 100;

std::optional<Int128> factor_of(const Section& from, std::string_view name, Findings& findings) {
  const auto factor = from.decimal(name);
  if (factor && *factor > Int128{factor_max} * pico_per_unit)
    findings.error(*from.find(name), "a factor of more than " + std::to_string(factor_max), "write \"0.5\" for half of the price");
  return factor;
}

Rates rates_of(const Section& from, Findings& findings) {
  Rates rates;
  for (const RateKind& kind : rate_kinds) {
    const auto amount = from.decimal(kind.name);
    rates.*kind.rate = amount;
    if (amount && *amount > Int128{amount_max} * pico_per_unit)
      findings.error(*from.find(kind.name), "this is more than an amount can be",
                     "it may be " + std::to_string(amount_max) + " per million tokens at most");
  }
  return rates;
}

std::vector<PriceTier> tiers_of(const Section& price, Findings& findings) {
  std::vector<PriceTier> tiers;
  for (const Section& tier : price.sections("tiers")) {
    const std::int64_t above = tier.integer("above_input_tokens");
    if (!tiers.empty() && above <= tiers.back().above_input_tokens && tier.find("above_input_tokens") != nullptr)
      findings.error(*tier.find("above_input_tokens"), "tiers must ascend",
                     "the one before is above " + std::to_string(tiers.back().above_input_tokens));
    tiers.push_back({above, rates_of(tier, findings), rates_of(tier.section("thinking"), findings)});
  }
  return tiers;
}

/// Is any amount inside higher than outside?
bool is_dearer(const Rates& inside, const Rates& outside) {
  return std::any_of(std::begin(rate_kinds), std::end(rate_kinds), [&](const RateKind& kind) {
    return inside.*kind.rate && outside.*kind.rate && *(inside.*kind.rate) > *(outside.*kind.rate);
  });
}

/// `thinking`: outside, over `outside`.
std::vector<PriceWindow> windows_of(const Section& price, const Rates& outside, const Rates& thinking, Build& build) {
  std::vector<PriceWindow> windows;
  for (const Section& from : price.sections("windows")) {
    PriceWindow window;
    window.name = from.text("name");
    window.rates = rates_of(from, build.findings);
    window.thinking = rates_of(from.section("thinking"), build.findings);
    const Rates inside = over(window.rates, outside);
    window.dearer = is_dearer(inside, outside) || is_dearer(over(window.thinking, inside), over(thinking, outside));
    window.time = time_window_of(from, build);
    windows.push_back(std::move(window));
  }
  return windows;
}

/// What is implausible is told here if it is the user's own; of the built-in list, where a target has it.
Price price_of(const Section& from, Build& build, bool built_in) {
  Findings& findings = build.findings;
  Price price;
  price.from = from.instant("from").value_or(TimePoint{});
  price.until = from.instant("until");
  check_span(from, findings);
  price.currency = from.currency("currency");
  price.rates = rates_of(from, findings);
  price.tiers = tiers_of(from, findings);
  price.thinking = rates_of(from.section("thinking"), findings);
  price.windows = windows_of(from, price.rates, price.thinking, build);
  const Section service_tiers = from.section("service_tiers");
  for (int i = 1; i < service_tier_count; ++i)
    price.service_tiers.at(static_cast<std::size_t>(i)) =
        factor_of(service_tiers, to_string(static_cast<ServiceTier>(i)), findings);
  price.seen = from.instant("seen");
  price.regional = factor_of(from, "regional", findings);
  price.regions = from.texts("regions");
  price.except_regions = from.texts("except_regions");
  price.source = from.text("source");
  price.confidence = from.text("confidence");
  price.built_in = built_in;
  const auto to_usd = build.snapshot.usd_per.find(std::string(price.currency.view()));
  const bool read = price.rates.input && price.rates.output;  // else what is wrong is told already
  if (read && !from.boolean("plausible"))
    price.implausible = why_implausible(price, to_usd == build.snapshot.usd_per.end() ? nullptr : &to_usd->second);
  if (!built_in && !price.implausible.empty())
    findings.warning(from.value(), "this price " + price.implausible, "if it is what is charged, add plausible: true");
  return price;
}

/// Both are for all regions, or for some that are the same.
bool share_a_region(const Price& a, const Price& b) {
  if (a.regions.empty() || b.regions.empty()) return a.regions.empty() && b.regions.empty();
  return std::find_first_of(a.regions.begin(), a.regions.end(), b.regions.begin(), b.regions.end()) != a.regions.end();
}

std::vector<Price> prices_of(const Section& model, Build& build, bool built_in) {
  std::vector<Price> prices;
  for (const Section& from : model.sections("prices")) {
    Price price = price_of(from, build, built_in);
    const bool again = std::any_of(prices.begin(), prices.end(), [&](const Price& p) {
      return p.from == price.from && p.currency == price.currency && share_a_region(p, price);
    });
    if (again && from.find("from") != nullptr)
      build.findings.error(*from.find("from"),
                           "two entries in " + std::string(price.currency.view()) + " begin at the same instant",
                           "change or remove one");
    prices.push_back(std::move(price));
  }
  std::stable_sort(prices.begin(), prices.end(), [](const Price& a, const Price& b) { return a.from < b.from; });
  return prices;
}

/// Notes all names of each model. An entry of the user's own that takes the place of another, or of an alias, makes no other model
/// of it: what the built-in list knows stays known.
void note_names(Build& build, const Section& list, bool built_in) {
  for (const Section& entry : list.sections("models")) {
    const std::size_t slash = entry.key().find('/');
    std::set<std::string> names{entry.key().substr(slash + 1)};
    for (const std::string& alias : entry.texts("aliases"))
      if (!built_in || build.built_in_names.count(entry.key().substr(0, slash + 1) + alias) == 0) names.insert(alias);
    if (names.size() == 1) continue;
    const auto known = [&](const std::string& name) -> std::set<std::string>& {
      return build.model_names[entry.key().substr(0, slash + 1) + name];
    };
    for (const std::string& name : std::set(names)) names.insert(known(name).begin(), known(name).end());
    for (const std::string& name : names) known(name) = names;
  }
}

class Register {
 public:
  explicit Register(Build& build) : build_(build) {}

  /// Entries before aliases, so that an entry's own name wins over another's alias.
  void add_all(const Section& root, bool built_in) {
    for (const Section& entry : root.sections("models")) add_entry(entry, built_in);
    for (const Section& entry : root.sections("models")) add_aliases(entry, built_in);
    for (auto& [name, place] : fresh_) places_.emplace(name, place);
    fresh_.clear();
  }

 private:
  void add_entry(const Section& entry, bool built_in) {
    if (places_.count(entry.key()) != 0) return;  // replaced by the user's own
    Model model;
    model.origin = entry.text("origin");
    for (const std::string& name : entry.texts("capabilities"))
      if (auto capability = parse_capability(name)) model.capabilities.add(*capability);
    model.capabilities_stated = entry.find("capabilities") != nullptr;
    if (model.capabilities_stated)
      for (const Capability always : {Capability::streaming, Capability::choices}) model.capabilities.add(always);
    model.context_window = entry.integer("context_window");
    model.output_tokens_max = entry.integer("output_tokens_max");
    model.thinks_by_default = entry.boolean("thinks_by_default");
    model.prices = prices_of(entry, build_, built_in);
    put(entry.key(), entry.value(), model);
  }

  void add_aliases(const Section& entry, bool built_in) {
    const auto original = fresh_.find(entry.key());
    if (original == fresh_.end()) return;
    const std::string list = entry.key().substr(0, entry.key().find('/') + 1);
    for (const Value* alias : entry.values("aliases")) {
      const std::string name = list + alias->text;
      if (places_.count(name) != 0) continue;
      if (!built_in && build_.built_in_names.count(name) != 0)
        build_.findings.warning(*alias, in_quotes(name) + " is a model of the built-in list too: this alias takes its place",
                                "remove the alias, or make an entry of that name");
      if (auto first = fresh_.find(name); first != fresh_.end()) {
        if (!built_in)
          build_.findings.error(*alias, in_quotes(name) + " is already a model",
                                "the first is at " + build_.findings.where(first->second->key_place));
        continue;
      }
      put(name, *alias, *build_.models.at(entry.key()));
    }
  }

  void put(const std::string& name, const Value& place, const Model& facts) {
    build_.snapshot.models.push_back(std::make_unique<Model>(facts));
    Model& model = *build_.snapshot.models.back();
    model.name = name.substr(name.find('/') + 1);
    model.also_named = other_names(build_, name);
    build_.models[name] = &model;
    fresh_[name] = &place;
  }

  Build& build_;
  std::map<std::string, const Value*> places_, fresh_;  ///< of the lists before, of the list at hand
};

}  // namespace

std::vector<std::string> other_names(const Build& build, const std::string& full_name) {
  std::vector<std::string> others;
  const auto known = build.model_names.find(full_name);
  if (known == build.model_names.end()) return others;
  const std::string own = full_name.substr(full_name.find('/') + 1);
  std::copy_if(known->second.begin(), known->second.end(), std::back_inserter(others),
               [&](const std::string& name) { return name != own; });
  return others;
}

void build_contracts(Build& build) {
  for (const Section& entry : build.root.sections("contracts")) {
    const auto target = std::find_if(build.snapshot.targets.begin(), build.snapshot.targets.end(),
                                     [&](const auto& t) { return t->name == entry.key(); });
    if (target == build.snapshot.targets.end()) {
      build.findings.error(entry.value(), "no route has the target " + in_quotes(entry.key()),
                           did_you_mean(entry.key(), names_of(build.snapshot.target_by_name), "the targets are"));
      continue;
    }
    (*target)->contract = prices_of(entry, build, false);
    for (const Price& price : (*target)->contract)
      if (price.currency != (*target)->provider->currency)
        build.findings.error(entry.value(), "a price in " + std::string(price.currency.view()) + " never holds here",
                             "the provider bills in " + std::string((*target)->provider->currency.view()));
  }
}

void build_models(Build& build) {
  for (const Section& list : build.built_in)
    for (const Section& entry : list.sections("models")) build.built_in_names.insert(entry.key());
  note_names(build, build.root, false);
  for (const Section& list : build.built_in) note_names(build, list, true);
  Register all(build);
  all.add_all(build.root, false);
  for (const Section& list : build.built_in) all.add_all(list, true);
}

}  // namespace fairlead::config
