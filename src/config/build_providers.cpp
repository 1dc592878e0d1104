// Profiles, and the providers that have them.
#include "config/build.h"
#include "config/pem.h"

#include <fairlead/names.h>

#include <cctype>
#include <utility>

namespace fairlead::config {
namespace {

std::vector<Profile::ErrorRule> error_rules_of(const Section& from) {
  std::vector<Profile::ErrorRule> rules;
  for (const Section& rule : from.sections("errors"))
    rules.push_back({static_cast<int>(rule.integer("status")), rule.text("code"), lower(rule.text("text")), rule.text("meaning")});
  return rules;
}

ThinkingSwitches thinking_switches_of(const Section& from) {
  ThinkingWish heeded;
  for (const std::string& name : from.texts("thinking_switches"))
    if (const auto field = parse_name<ThinkingSwitch>(name, thinking_switch_count)) heeded.set(*field, true);
  return heeded.on;
}

BillsAfterClose bills_after_close_of(const Section& from) {
  const std::string said = from.text("bills_after_close");
  if (said == "whole") return BillsAfterClose::whole;
  if (said == "delivered") return BillsAfterClose::delivered;
  return said == "nothing" ? BillsAfterClose::nothing : BillsAfterClose::unknown;
}

Profile profile_of(const Section& from) {
  Profile profile;
  profile.name = from.key();
  profile.output_limit_field = from.text("output_limit_field");
  if (const Value* rename = from.find("rename"))
    for (const Value& field : rename->children)
      if (field.good) profile.rename[field.key] = field.text;
  profile.drop = from.texts("drop");
  profile.stream_usage_on_request = from.boolean("stream_usage_on_request");
  profile.stream_options_refused = from.boolean("stream_options_refused");
  profile.developer_role = from.boolean("developer_role");
  profile.reasoning_field = from.text("reasoning_field");
  profile.reasoning_outside_output = from.boolean("reasoning_outside_output");
  profile.models_path = from.text("models_path");
  profile.cache_ms = from.duration("cache");
  for (const std::string& name : from.texts("lacks"))
    if (auto capability = parse_capability(name)) profile.lacks.add(*capability);
  profile.errors = error_rules_of(from);
  profile.bills_after_close = bills_after_close_of(from);
  if (from.find("thinking_switches") != nullptr) profile.thinking_switches = thinking_switches_of(from);
  return profile;
}

/// The place that a sentence about an option's value belongs to: the option, or what it would be inside of.
const Value& place_of(const Section& section, std::string_view option) {
  const Value* value = section.find(option);
  return value == nullptr ? section.value() : *value;
}

/// A `%` and two hex digits stand for a byte, as in any URL's user and password.
std::string percent_decoded(const std::string& text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool escape = text[i] == '%' && i + 2 < text.size() && std::isxdigit(static_cast<unsigned char>(text[i + 1])) &&
                        std::isxdigit(static_cast<unsigned char>(text[i + 2]));
    out += escape ? static_cast<char>(std::stoi(text.substr(i + 1, 2), nullptr, 16)) : text[i];
    if (escape) i += 2;
  }
  return out;
}

class ProviderBuilder {
 public:
  ProviderBuilder(Build& build, const Section& from) : build_(build), from_(from) {}

  Provider made() {
    disable_if_missing();
    provider_.name = from_.key();
    provider_.dialect = from_.text("dialect");
    provider_.api_key = from_.text("api_key");
    provider_.facts = {from_.text("operator"), from_.text("region"), from_.text("hosting"), from_.text("retention"), labels()};
    set_profile();
    provider_.regional = from_.boolean("regional");
    provider_.discounts = shares("discount");
    provider_.surcharges = shares("surcharge");
    set_currency();
    set_addresses();
    set_connections();
    provider_.budgets = budgets_of(build_, from_, BudgetOf::provider, provider_.name);
    return std::move(provider_);
  }

 private:
  /// Missing references disable the provider: its targets stay known, but are no candidates.
  void disable_if_missing() {
    if (build_.reading.secrets_assumed()) return;
    for (const Value& option : from_.value().children) {
      if (!option.good || option.missing.empty()) continue;
      build_.findings.warning(option, option.missing, "the provider " + in_quotes(from_.key()) + " is disabled until then");
      if (provider_.disabled_because.empty()) provider_.disabled_because = option.missing;
    }
  }

  void set_profile() {
    const std::string name = from_.text("profile");
    auto profile = build_.profiles.find(name);
    if (profile == build_.profiles.end()) {
      build_.findings.error(place_of(from_, "profile"), "there is no profile " + in_quotes(name),
                            did_you_mean(name, names_of(build_.profiles), "the profiles are"));
      return;
    }
    provider_.profile = profile->second;
    provider_.bills_after_close =
        from_.find("bills_after_close") == nullptr ? profile->second->bills_after_close : bills_after_close_of(from_);
    provider_.price_list = from_.find("price_list") == nullptr ? name : from_.text("price_list");
  }

  std::map<std::string, TimePoint> labels() const {
    std::map<std::string, TimePoint> labels;
    if (const Value* written = from_.find("labels"))
      for (const Value& label : written->children)
        if (const auto end = parse_instant(label.text); label.good && end) labels[label.key] = *end;
    return labels;
  }

  std::vector<DatedShare> shares(std::string_view option) {
    std::vector<DatedShare> shares;
    for (const Section& from : from_.sections(option)) {
      DatedShare made;
      made.share = from.decimal("share").value_or(0);
      if (made.share >= pico_per_unit)
        build_.findings.error(*from.find("share"), "a " + std::string(option) + " is less than all of the price",
                              "write \"0.15\" for 15 %");
      made.from = from.instant("from");
      made.until = from.instant("until");
      check_span(from, build_.findings);
      shares.push_back(made);
    }
    return shares;
  }

  void set_currency() {
    provider_.currency = from_.currency("currency");
    const std::string code(provider_.currency.view());
    if (build_.snapshot.usd_per.count(code) == 0)
      build_.findings.error(place_of(from_, "currency"), "there is no rate for " + code,
                            "add `fx: {" + code + ": \"...\"}`, in USD for one " + code);
  }

  void set_addresses() {
    UrlFault fault;
    if (auto url = parse_url(from_.text("base_url"), fault)) provider_.base_url = url->url;
    if (auto proxy = parse_url(from_.text("proxy"), fault)) {
      provider_.proxy = proxy->url;
      provider_.proxy_authorization = percent_decoded(proxy->userinfo);
    }
    if (const Value* option = from_.find("ca_file")) {
      auto file = build_.reading.option_file(*option);
      if (const std::string wrong = wrong_with_certificates(file.text); !wrong.empty() && !file.text.empty())
        build_.findings.error(*option, "the file " + in_quotes(file.path) + " " + wrong,
                              "write the path of the authorities' PEM file");
      provider_.ca_file = std::move(file.path);
      provider_.ca_pem = std::move(file.text);
    }
  }

  void set_connections() {
    const Section own = from_.section("timeouts"), common = build_.root.section("timeouts");
    const auto either = [&](std::string_view name) {
      return own.find(name) != nullptr ? own.duration(name) : common.duration(name);
    };
    provider_.timeouts = {either("connect"), either("first_byte"), either("buffered"), either("idle"), either("total")};
    provider_.idle_connections_max = static_cast<int>(from_.integer("idle_connections_max"));
    provider_.idle_connection_ms_max = from_.duration("idle_connection_ms_max");
    if (from_.text("on_cancel") == "drain") provider_.drain_ms_max = from_.duration("drain_ms_max");
  }

  Build& build_;
  const Section& from_;
  Provider provider_;
};

}  // namespace

void build_profiles(Build& build) {
  const auto add = [&](const Section& root) {
    for (const Section& from : root.sections("profiles")) {
      if (build.profiles.count(from.key()) != 0) continue;  // replaced by the user's own
      build.snapshot.profiles.push_back(std::make_unique<Profile>(profile_of(from)));
      build.profiles[from.key()] = build.snapshot.profiles.back().get();
    }
  };
  add(build.root);
  for (const Section& list : build.built_in) add(list);
}

void build_providers(Build& build) {
  for (const Section& from : build.root.sections("providers")) {
    build.snapshot.providers.push_back(std::make_unique<Provider>(ProviderBuilder(build, from).made()));
    const Provider* provider = build.snapshot.providers.back().get();
    build.providers[from.key()] = provider;
    build.provider_places[provider] = &from.value();
  }
}

}  // namespace fairlead::config
