#pragma once
// Typed reading of validated values: what the file says, else the default of the description. What validate() refused reads as not
// there.
#include "config/options.h"
#include "config/scalar.h"
#include "config/value.h"

#include <fairlead/money.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fairlead::config {

/// A map of the file with its description; it must outlive the section's use. An absent one has defaults only.
class Section {
 public:
  Section(const Value* value, const Node& node) : value_(value), node_(&node) {}

  /// Null if the option is not there, refused, or stands for a missing reference.
  const Value* find(std::string_view name) const;
  std::string text(std::string_view name) const;
  bool boolean(std::string_view name) const { return parse_boolean(text(name)).value_or(false); }
  std::int64_t integer(std::string_view name) const { return parse_integer(text(name)).value_or(0); }
  std::size_t bytes(std::string_view name) const { return static_cast<std::size_t>(parse_bytes(text(name)).value_or(0)); }
  Milliseconds duration(std::string_view name) const { return parse_duration(text(name)).value_or(Milliseconds(0)); }
  std::optional<TimePoint> instant(std::string_view name) const { return parse_instant(text(name)); }
  std::optional<Int128> decimal(std::string_view name) const;
  Currency currency(std::string_view name) const;

  /// A map inside of this one; absent ones have defaults only.
  Section section(std::string_view name) const;
  /// The good items of a list of texts.
  std::vector<const Value*> values(std::string_view name) const;
  std::vector<std::string> texts(std::string_view name) const;
  /// The items of a list of maps, or the entries of a map of maps: refused ones too, for others may point at them.
  std::vector<Section> sections(std::string_view name) const;
  /// Where this is itself a list of maps: its items.
  std::vector<Section> items() const;

  const Value& value() const { return *value_; }
  const std::string& key() const { return value_->key; }

 private:
  const Node& described(std::string_view name) const;

  const Value* value_;
  const Node* node_;
};

}  // namespace fairlead::config
