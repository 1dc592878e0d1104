#pragma once
// Two configurations, compared as a reviewer would: what was written differently, and what that changes for whom. Pure; used by
// `diff`.
#include "cli/reference.h"
#include "config/config.h"

#include <fairlead/snapshot.h>

#include <optional>
#include <string>
#include <vector>

namespace fairlead::cli {

/// One field of a thing that has another value. Empty: not stated.
struct FieldChange {
  std::string field, before, after;
};

enum class ChangeKind : std::uint8_t { added, removed, changed };
std::string_view to_string(ChangeKind kind);

/// A key, route, policy, provider or target.
struct Change {
  ChangeKind kind = ChangeKind::changed;
  std::string name;
  std::vector<FieldChange> fields;  ///< of what is added or removed, those that are stated
};

struct Section {
  std::string title;  ///< "policies"
  std::vector<Change> changes;
};

/// A target that a key gets by a route in one of the two only.
struct TargetChange {
  std::string target;
  std::string why;  ///< "new in the route", "policy no-cn: its origin is CN, denied is CN"
};

/// What a key gets by a route.
struct Offer {
  std::vector<std::string> targets;  ///< best first; empty: every request is refused
  std::optional<Int128> usd_pico;    ///< what the first is expected to cost, of 1,000 requests; empty: it has no price
};

/// What changes for some keys by one route. Without an offer, the route is not theirs to ask for.
struct Effect {
  std::string route;
  std::vector<std::string> keys;
  std::vector<std::string> from;  ///< networks, of those in Comparison::asked_from; empty: from all
  std::optional<Offer> before, after;
  std::vector<TargetChange> gained, lost;
  bool reordered = false;  ///< of the targets that are in both
};

struct Comparison {
  std::vector<std::string> needs_restart;  ///< options that a reload cannot change
  std::vector<Section> sections;           ///< those that differ
  std::vector<Effect> effects;
  std::vector<std::string> asked_from;  ///< networks that policies tell apart, "elsewhere" first; empty: they tell none apart
  bool same_text = true;                ///< of the files, byte by byte
  bool any() const { return !needs_restart.empty() || !sections.empty() || !effects.empty(); }
};

/// Both are without errors.
Comparison compare(const config::Loaded& before, const config::Loaded& after, const Reference& reference);

/// What is written, thing by thing; in cli/comparison_fields.cpp.
std::vector<Section> compare_fields(const config::Loaded& before, const config::Loaded& after, const Reference& reference);

/// Where nothing is seen to differ, and yet the files do: a sentence; else empty.
std::string unseen_text(const Comparison& comparison);

/// How it is told; each in a file of its own. `names`: of the two files.
struct Told {
  std::string before, after;  ///< the files' names
  Reference reference;
};
std::string comparison_text(const Comparison& comparison, const Told& told);
std::string comparison_markdown(const Comparison& comparison, const Told& told);
std::string comparison_json(const Comparison& comparison, const Told& told);

/// "0.42 USD -> 0.63 USD (+50.0 %)", with `arrow` between; rounded to 10^-4 USD. For the two forms that people read.
std::string cost_text(const Effect& effect, std::string_view arrow);

}  // namespace fairlead::cli
