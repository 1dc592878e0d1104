#pragma once
// Finds what is known by its digits: payment cards, IBANs, national ids, telephone numbers. One pass over a text, which looks
// closer only where digits are. Immutable; any thread.
#include "content/kinds.h"

#include <memory>
#include <string_view>
#include <vector>

namespace re2 {
class RE2;
}

namespace fairlead::content {

/// A way to write a number: a layout of national_ids.h, and what its characters must be.
struct Shape {
  Kinds kind = 0;
  std::string_view layout;
  bool (*check)(std::string_view characters) = nullptr;
  std::shared_ptr<const re2::RE2> words;  ///< not null: a text that has none of them does not hold this
};

class NumberFinder {
 public:
  /// Only the shapes of `wanted` are tried; cards and IBANs always, for digits of one are no telephone number.
  explicit NumberFinder(Kinds wanted);
  /// `text` as fold() leaves it. Each place counts once, for all that it may be; what is an IBAN is nothing else.
  void find(std::string_view text, Tally& tally) const;

 private:
  std::vector<std::vector<Shape>> shapes_;  ///< by the lengths of the layout's first two groups
};

}  // namespace fairlead::content
