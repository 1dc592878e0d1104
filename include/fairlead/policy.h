#pragma once
// The rules as a snapshot holds them: typed, and resolved to sets when the configuration is read, so that a request costs a few
// comparisons for each rule, and what a rule can tell apart can be enumerated. Immutable parts of the snapshot.
#include <fairlead/calendar.h>
#include <fairlead/money.h>
#include <fairlead/network.h>
#include <fairlead/time.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fairlead {

struct Target;
struct Snapshot;

/// ASCII letters in lower case: how tags are kept, and names compared.
std::string lower(std::string_view text);

/// A set of the small numbers by which parts of a snapshot are known: Target::index, Route::index, Key::index.
class IndexSet {
 public:
  void add(int index);
  void remove(int index);
  bool has(int index) const {
    const auto word = static_cast<std::size_t>(index) / 64;
    return word < words_.size() && (words_[word] >> (index % 64) & 1) != 0;
  }
  /// Removes what the other has not.
  void keep(const IndexSet& other);
  bool empty() const { return words_.empty(); }
  bool operator==(const IndexSet&) const = default;

 private:
  void trim();

  std::vector<std::uint64_t> words_;  ///< the last is not 0, so that equal sets are equal
};

/// What an app asks for, by the path of its request.
enum class Endpoint : std::uint8_t { chat_completions, completions, embeddings, responses };
inline constexpr int endpoint_count = 4;
std::string_view to_string(Endpoint endpoint);  ///< as in rows: "chat.completions"

/// What a request carries. Every request counts as carrying text.
enum class Modality : std::uint8_t { text, image, audio, tools };
inline constexpr int modality_count = 4;
std::string_view to_string(Modality modality);

/// Estimated input tokens: more than `above`, and no more than `up_to`.
struct TokenRange {
  std::int64_t above = -1, up_to = std::int64_t{1} << 62;
  bool operator==(const TokenRange&) const = default;
};

/// Which requests a rule applies to. Every condition stated must hold, and holds if any of its values does. There is no negation: a
/// tag more, an image more or an address less known can only make more rules apply, never fewer.
struct When {
  std::optional<IndexSet> keys{};      ///< all conditions about who asks: by name, team and project; empty: anyone
  std::optional<IndexSet> routes{};    ///< empty: any
  std::vector<std::string> tags{};     ///< in lower case; none: whatever tags
  std::vector<std::string> content{};  ///< classes of content, of which the prompt holds one; none: whatever it holds
  std::uint8_t endpoints = 0;          ///< bit i: Endpoint(i); 0: any
  std::uint8_t modalities = 0;         ///< bit i: Modality(i), of which the request carries one; 0: any
  std::vector<TokenRange> input_tokens{};
  std::vector<Network> networks{};
  std::vector<TimeWindow> times{};
};

/// A fact of a target that rules speak of.
enum class Fact : std::uint8_t { provider, model, origin, operator_, region, hosting, retention, label };
inline constexpr int fact_count = 8;
std::string_view to_string(Fact fact);
std::optional<Fact> parse_fact(std::string_view name);

/// One fact of a target, and the values that `allow` or `deny` names. In provider and model, `*` stands for any characters. In
/// origin, operator and region, the name of a group stands for all of its members.
struct FactRule {
  Fact fact = Fact::provider;
  std::vector<std::string> values;
  bool operator==(const FactRule&) const = default;
};

struct Policy {
  std::string name;
  When when;
  std::vector<FactRule> allow;     ///< each must hold: the target states the fact, and with one of these values
  std::vector<FactRule> deny;      ///< none may hold; a fact not stated may be any, so it is refused too (labels aside)
  std::optional<Int128> max_cost;  ///< 10^-12 USD that the request is expected to cost at most; unknown is more
  std::string reason;
  std::string when_text;  ///< `when` as it was written, for people: "team defence, treasury"; empty: always

  // By resolve_policies():
  IndexSet targets;           ///< that `allow` and `deny` let pass, while all labels last
  bool on_retention = false;  ///< they speak of `retention`: then no target passes for a request that asks its provider to keep it
  struct End {
    TimePoint at;
    int target = 0;
  };
  std::vector<End> ends;  ///< from then on, an ended label shuts out the target; ascending
};

/// What all requests must keep to, whatever the policies say: `fairlead check` proves that they see to it. Nothing else asks for
/// it.
struct Assertion {
  std::string name, place;       ///< "fairlead.yaml:12:5"
  bool never = true;             ///< no request that matches may reach such a target; false: it may reach no other
  When when;                     ///< as a policy's
  std::vector<FactRule> target;  ///< all must hold: for `never` as `deny` understands them, otherwise as `allow` does
};

/// What the rules of a snapshot ask about a request, so that the rest need not be looked at.
struct PolicyNeeds {
  bool network = false;
};

/// A name for several countries.
struct RegionGroup {
  std::string name;
  std::vector<std::string> members;  ///< countries, sorted; never groups
};
/// EU, EEA, GCC and ASEAN, as of 2026-11.
const std::vector<RegionGroup>& built_in_region_groups();

/// What a target states of a fact other than its labels; empty: nothing.
std::string_view stated_fact(const Target& target, Fact fact);
/// Does the target state the fact with one of the values, at this time? Regions: all that it may be must be among them.
bool states(const Target& target, const FactRule& rule, const std::vector<RegionGroup>& groups, TimePoint at);
/// May the target have one of the values? So also if it does not state the fact, whatever the case of letters, and by any name of a
/// model. Labels: it has one, ended or not.
bool may_have(const Target& target, const FactRule& rule, const std::vector<RegionGroup>& groups);

/// Fills what is resolved, in the snapshot's policies: once, when all its parts are there.
void resolve_policies(Snapshot& snapshot);

}  // namespace fairlead
