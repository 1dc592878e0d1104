#pragma once
// What is found by a rule of the product's own, as sets; and a tally of the classes that were asked for. Plain values.
#include <fairlead/content.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace fairlead::content {

/// A set of kinds: one bit each.
using Kinds = std::uint64_t;
inline constexpr Kinds payment_card = 1, iban = 2, email = 4, phone = 8, secret = 16;
inline constexpr int first_national_id = 5;  ///< the bit of the first row of national_ids()

/// Every class that a policy may name beside the operator's own: a kind, `national_id_xx`, or all of these, `national_id`.
std::vector<std::string_view> built_in_classes();
/// 0: there is no such class.
Kinds kinds_of(std::string_view name);

/// Counts by the classes asked for. A place counts once in each class that has one of its kinds.
class Tally {
 public:
  explicit Tally(const std::vector<Kinds>& asked) : asked_(asked), counts_(asked.size()) {}
  void add(Kinds found);
  void add_one(std::size_t asked_class);
  /// Of two readings of the same text, the one that finds more counts.
  void keep_greater(const Tally& other);
  void add_all(const Tally& other);
  void clear() { counts_.assign(counts_.size(), 0); }
  const std::vector<int>& counts() const { return counts_; }

 private:
  const std::vector<Kinds>& asked_;  ///< 0: the operator's own
  std::vector<int> counts_;
};

}  // namespace fairlead::content
