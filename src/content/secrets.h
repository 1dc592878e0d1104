#pragma once
// Secrets that give themselves away by their shape: API keys, private keys, tokens, passwords in URLs. Immutable; any thread.
#include "content/kinds.h"

#include <map>
#include <memory>
#include <string_view>

namespace re2 {
class RE2;
}

namespace fairlead::content {

class SecretFinder {
 public:
  SecretFinder();
  ~SecretFinder();
  /// `text` as fold() leaves it. One automaton looks for how secrets begin; only there are their shapes tried.
  void find(std::string_view text, Tally& tally) const;

 private:
  struct Shape;
  std::map<std::string_view, Shape> shapes_;  ///< by how they begin
  std::unique_ptr<const re2::RE2> beginning_;
};

}  // namespace fairlead::content
