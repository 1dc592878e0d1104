#include "daemon/assertions.h"

#include <fairlead/near.h>

#include "plan/prove/told.h"

#include <algorithm>
#include <utility>

namespace fairlead::daemon {
namespace {

config::Unproved told_of(const prove::Breach& breach, const Snapshot& snapshot) {
  config::Unproved told{breach.assertion, breach.key, {}, {}};
  if (!breach.counterexample) {
    told.why = "could not be decided: there are too many cases";
    told.hint = "let it be about fewer keys or routes, or make it several";
    return told;
  }
  const prove::Counterexample& example = *breach.counterexample;
  // Of a key that is left out `explain` knows nothing.
  const std::string by =
      breach.key == nullptr ? prove::explain_command(example, snapshot) : prove::request_options(example, snapshot);
  told.why = "does not hold: " + printable(example.target->name) + " may be reached, as by `" + printable(by) + "`";
  for (const std::string& line : prove::evaded_lines(example)) told.hint += (told.hint.empty() ? "" : "; ") + printable(line);
  return told;
}

}  // namespace

std::vector<config::Unproved> unproved(const Snapshot& snapshot, TimePoint now) {
  std::vector<config::Unproved> told;
  for (const prove::Breach& breach : prove::breaches(snapshot, now)) told.push_back(told_of(breach, snapshot));
  return told;
}

std::vector<config::Unproved> unproved_by_stored_keys(const Snapshot& snapshot, TimePoint now) {
  if (std::none_of(snapshot.keys.begin(), snapshot.keys.end(), [](const Key& key) { return key.stored; })) return {};
  std::vector<config::Unproved> told = unproved(snapshot, now);
  std::erase_if(told, [](const config::Unproved& one) { return one.key == nullptr; });
  return told;
}

}  // namespace fairlead::daemon
