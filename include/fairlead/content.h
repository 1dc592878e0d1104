#pragma once
// The seam of content: what a prompt holds, as classes and counts. src/content/ finds, config/ makes the scanner, plan/ asks it.
#include <fairlead/result.h>

#include <string>
#include <string_view>
#include <vector>

namespace fairlead {

/// A class that was looked for in a prompt, and in how many places it was found; never the text.
struct ContentCount {
  std::string name;  ///< "payment_card", or a class of the operator's own
  int count = 0;     ///< up to content_count_max, which stands for more as well
  bool operator==(const ContentCount&) const = default;
};

/// The class that holds all of this one's: of "national_id_cn", "national_id". Empty: none.
constexpr std::string_view wider_content(std::string_view name) {
  constexpr std::string_view ids = "national_id";
  return name.size() > ids.size() && name.starts_with(ids) && name[ids.size()] == '_' ? ids : std::string_view{};
}

inline constexpr int content_count_max = 1'000;

/// Looks for the classes that the policies of one snapshot name. Immutable; any thread.
class ContentScanner {
 public:
  virtual ~ContentScanner() = default;
  /// What is looked for: the names that scan() counts, in its order.
  virtual const std::vector<std::string>& classes() const = 0;
  /// `body`: the JSON of a request, whole. Every class looked for, in one order, those not found too.
  /// Errors: policy, if the body cannot be looked through to its end: then nobody may say what is not in it.
  virtual Result<std::vector<ContentCount>> scan(std::string_view body) const = 0;
};

}  // namespace fairlead
