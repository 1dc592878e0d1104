#pragma once
// Assertions, decided for all requests that rules can tell apart: proofs, not samples. Pure; any thread.
#include <fairlead/plan.h>

#include <cstdint>
#include <optional>
#include <vector>

namespace fairlead::prove {

/// A request that breaks an assertion, and what it may reach.
struct Counterexample {
  RequestFacts facts;
  TimePoint at;
  const Target* target = nullptr;
  std::vector<const Policy*> evaded;  ///< policies that refuse the target to other requests
  std::vector<Rejection> rejections;  ///< what else stands against the target: its price, say, or a capability that it lacks
};

struct Proof {
  enum class Verdict : std::uint8_t {
    holds,
    fails,
    nobody,    ///< no request can match its `when`: it holds of nothing
    undecided  ///< the search was too long: it may hold or not
  };
  const Assertion* assertion = nullptr;
  Verdict verdict = Verdict::undecided;
  std::optional<Counterexample> counterexample;

  bool is_proved() const { return verdict == Verdict::holds || verdict == Verdict::nobody; }
};

struct Proofs {
  std::vector<Proof> proofs;     ///< in the order of the file
  std::optional<TimePoint> end;  ///< they are about all times before this one; empty: about all times
};

/// Decides every assertion of the snapshot, for every key and route of it, and every time from now on that times_of() looks at.
/// A target counts as reached if the policies let it pass, whatever it costs and whether it is healthy, able and enabled.
Proofs prove(const Snapshot& snapshot, TimePoint now);

/// Why an assertion keeps a configuration, or a key, from being taken in.
struct Breach {
  const Assertion* assertion = nullptr;
  const Key* key = nullptr;                      ///< of the ledger's database; null: the keys of the files are enough
  std::optional<Counterexample> counterexample;  ///< empty: the search was too long
};

/// What prove() would not call proved. Keys of the files are decided by themselves; then, for assertions that hold of them, which
/// keys of the ledger's database would have to go so that they hold of all that are left.
std::vector<Breach> breaches(const Snapshot& snapshot, TimePoint now);

}  // namespace fairlead::prove
