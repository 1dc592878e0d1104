#include "plan/wish_fields.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace fairlead {
namespace {

constexpr std::size_t names_max = 64;  ///< of one list

class WishField {
 public:
  WishField(std::string_view name, std::string_view value, Wishes& wishes) : name_(name), value_(trimmed(value)), wishes_(wishes) {}

  Result<void> take() {
    if (name_ == "only") return names(wishes_.only);
    if (name_ == "ignore") return names(wishes_.ignore);
    if (name_ == "order") return names(wishes_.order);
    if (name_ == "models") return names(wishes_.models);
    if (name_ == "max-price-input") return price(wishes_.max_input_price);
    if (name_ == "max-price-output") return price(wishes_.max_output_price);
    if (name_ == "sort") return sort();
    if (name_ == "data-collection") return word("allow", "deny", wishes_.keep_nothing);
    if (name_ == "allow-fallbacks") return word("false", "true", wishes_.fallbacks);
    if (name_ == "require-parameters") return word("false", "true", wishes_.require_parameters);
    return refuse("is not known here");
  }

 private:
  Error refuse(const std::string& what) const {
    const std::string field = "x-fairlead-" + std::string(name_);
    Error error(ErrorKind::bad_request, ErrorOrigin::app, "The header '" + field + "' " + what + ".");
    error.set_param(field);
    return error;
  }

  /// A wish may be said twice, but not in two ways.
  template <class Value>
  Result<void> say(Value& into, Value value) {
    if (into != Value{} && into != value) return refuse("contradicts what was said before, in the body or in the head");
    into = std::move(value);
    return {};
  }

  Result<void> names(std::vector<std::string>& into) {
    std::vector<std::string> names;
    std::string_view rest = value_;
    while (true) {
      const std::size_t comma = rest.find(',');
      const std::string_view name = trimmed(rest.substr(0, comma));
      if (name.empty() || names.size() == names_max) return refuse("must be a list of names with commas between them");
      names.emplace_back(name);
      if (comma == std::string_view::npos) return say(into, std::move(names));
      rest = rest.substr(comma + 1);
    }
  }

  Result<void> price(std::optional<Int128>& into) {
    const auto parsed = parse_decimal(value_);
    if (!parsed) return refuse("must be a plain decimal, such as 0.15");
    return say(into, std::optional<Int128>(*parsed));
  }

  Result<void> sort() {
    if (value_ == "price") return say(wishes_.sort, Wishes::Sort::price);
    if (value_ == "throughput") return say(wishes_.sort, Wishes::Sort::throughput);
    if (value_ == "latency") return say(wishes_.sort, Wishes::Sort::latency);
    return refuse("must be 'price', 'throughput' or 'latency'");
  }

  /// The narrower of two wishes for the same holds, so the order in which they come does not matter.
  Result<void> word(std::string_view no, std::string_view yes, bool& into) {
    if (value_ != no && value_ != yes) return refuse("must be '" + std::string(no) + "' or '" + std::string(yes) + "'");
    const bool narrows_if_true = &into != &wishes_.fallbacks;
    into = narrows_if_true ? into || value_ == yes : into && value_ == yes;
    return {};
  }

  std::string_view name_, value_;
  Wishes& wishes_;
};

}  // namespace

std::string_view trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t");
  return begin == std::string_view::npos ? "" : text.substr(begin, text.find_last_not_of(" \t") + 1 - begin);
}

Result<void> take_wish(std::string_view name, std::string_view value, std::unique_ptr<Wishes>& wishes) {
  if (!wishes) wishes = std::make_unique<Wishes>();
  return WishField(name, value, *wishes).take();
}

}  // namespace fairlead
