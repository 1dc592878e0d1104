#include <fairlead/snapshot.h>

#include <algorithm>

namespace fairlead {

void index_secrets(Snapshot& snapshot) {
  snapshot.secrets.clear();
  for (int index = 0; const Key& key : snapshot.keys) {
    snapshot.secrets.push_back({key.sha256, index});
    for (const FormerSecret& former : key.former) snapshot.secrets.push_back({former.sha256, index, former.until});
    ++index;
  }
  const auto by_digest = [](const auto& a, const auto& b) { return a.sha256 < b.sha256; };
  std::sort(snapshot.secrets.begin(), snapshot.secrets.end(), by_digest);
  std::sort(snapshot.ended_secrets.begin(), snapshot.ended_secrets.end(), by_digest);
}

}  // namespace fairlead
