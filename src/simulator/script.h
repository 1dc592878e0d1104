#pragma once
// What an attempt is told to do: the words of a marker `[[sim status=429 retry_after=2]]` in the last user message, over the
// words drawn from the command line's `--fault`. Values; the one Director of a simulator is used on its thread only.
#include <boost/system/result.hpp>
#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace fairlead::simulator {

/// A moment of an answer at which it can be cut or held up.
enum class Place : std::uint8_t { nowhere, before, head, mid, before_usage, before_done };

/// How usage is told. `habit`: as the provider does.
enum class UsageTold : std::uint8_t { habit, none, invalid, zero, every, same, delta, before_last, choices };

/// What is on the bill of an answer whose client has left before its end.
enum class BilledAfterClose : std::uint8_t { delivered, whole, nothing };

struct Script {
  std::string only;        ///< the one kind that the words are for; empty: all
  std::int64_t times = 0;  ///< only the first so many matching attempts; 0: all
  int status = 0;          ///< refuse with this status; 0: do not
  std::string code;
  std::string body;  ///< "html" or "empty" instead of the error's JSON
  std::string retry_after, retry_after_ms;
  int redirect = 0;
  Place reset = Place::nowhere, close = Place::nowhere, stall = Place::nowhere;
  std::int64_t stall_ms = 0;  ///< 0: until the client leaves
  std::int64_t delay_ms = 0, chunk_ms = 0;
  std::int64_t bytes = 0, chunks = 0, line_mb = 0;
  std::int64_t keepalive = -1;  ///< -1: as the provider does
  bool endless = false, unicode = false, split = false, crlf = false, gzip = false, nodone = false;
  bool error_mid = false, garbage_mid = false;
  UsageTold usage = UsageTold::habit;
  BilledAfterClose bills = BilledAfterClose::delivered;
  std::int64_t cached = -1, cache_write = -1;
  std::string model, finish;
  std::int64_t tools = 0;
  std::int64_t thinking = -1;  ///< -1: as the request says
};

/// One word of the little language, for the reader of --help and docs/simulate.md.
struct WordHelp {
  std::string_view word, meaning;
};
const std::vector<WordHelp>& script_words();

/// A sentence about the first word that is not understood.
struct Complaint {
  std::string sentence;
};

/// Writes what `words` ("status=429 split") says into `script`.
/// Errors: `script` is then half written.
boost::system::result<void, Complaint> read_words(std::string_view words, Script& script);

/// The text without its markers, and the words of each marker in order.
struct Marked {
  std::string text;
  std::vector<std::string> markers;
};
Marked take_markers(std::string_view text);

/// A fault by chance: "0.02 status=429 retry_after=1".
struct Odds {
  double probability = 0;
  std::string words;
};
boost::system::result<Odds, Complaint> read_odds(std::string_view text);

/// Decides what each attempt does. Deterministic by the seed and the order of the attempts.
class Director {
 public:
  Director(std::vector<Odds> odds, std::uint64_t seed) : odds_(std::move(odds)), random_(seed) {}

  /// The script of the next attempt at this kind of provider.
  boost::system::result<Script, Complaint> direct(std::string_view kind, const std::vector<std::string>& markers);

 private:
  boost::system::result<void, Complaint> follow(std::string_view kind, const std::string& words, Script& script);

  std::vector<Odds> odds_;
  std::mt19937_64 random_;
  std::unordered_map<std::string, std::int64_t> times_seen_;
};

}  // namespace fairlead::simulator
