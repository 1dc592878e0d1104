#include "content/kinds.h"

#include "content/national_ids.h"

#include <algorithm>
#include <iterator>
#include <map>

namespace fairlead::content {
namespace {

/// By name, in the order of names.
const std::map<std::string, Kinds, std::less<>>& classes() {
  static const auto all = [] {
    std::map<std::string, Kinds, std::less<>> made = {
        {"payment_card", payment_card}, {"iban", iban}, {"email", email}, {"phone", phone}, {"secret", secret}};
    Kinds kind = Kinds{1} << first_national_id, every = 0;
    for (const NationalId& id : national_ids()) {
      made.emplace("national_id_" + std::string(id.country), kind);
      every |= kind;
      kind <<= 1;
    }
    made.emplace("national_id", every);
    return made;
  }();
  return all;
}

}  // namespace

std::vector<std::string_view> built_in_classes() {
  std::vector<std::string_view> names;
  for (const auto& [name, kinds] : classes()) names.push_back(name);
  return names;
}

Kinds kinds_of(std::string_view name) {
  const auto found = classes().find(name);
  return found == classes().end() ? 0 : found->second;
}

void Tally::add(Kinds found) {
  for (std::size_t i = 0; i < asked_.size(); ++i)
    if ((asked_[i] & found) != 0) add_one(i);
}

void Tally::add_one(std::size_t asked_class) { counts_[asked_class] = std::min(counts_[asked_class] + 1, content_count_max); }

void Tally::keep_greater(const Tally& other) {
  for (std::size_t i = 0; i < counts_.size(); ++i) counts_[i] = std::max(counts_[i], other.counts_[i]);
}

void Tally::add_all(const Tally& other) {
  for (std::size_t i = 0; i < counts_.size(); ++i) counts_[i] = std::min(counts_[i] + other.counts_[i], content_count_max);
}

}  // namespace fairlead::content
