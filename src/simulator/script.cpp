#include "simulator/script.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

namespace fairlead::simulator {
namespace {

using Outcome = boost::system::result<void, Complaint>;
constexpr std::size_t markers_remembered_max = 65'536;
constexpr std::int64_t number_max = 1'000'000'000;
constexpr std::string_view marker_begin = "[[sim ", marker_end = "]]";

template <class T>
std::optional<T> choose(std::string_view value, std::initializer_list<std::pair<std::string_view, T>> choices) {
  for (const auto& [name, choice] : choices)
    if (name == value) return choice;
  return std::nullopt;
}

std::optional<Place> read_place(std::string_view value) {
  return choose<Place>(value, {{"before", Place::before},
                               {"head", Place::head},
                               {"mid", Place::mid},
                               {"before_usage", Place::before_usage},
                               {"before_done", Place::before_done}});
}

std::optional<UsageTold> read_usage(std::string_view value) {
  return choose<UsageTold>(value, {{"none", UsageTold::none},
                                   {"invalid", UsageTold::invalid},
                                   {"zero", UsageTold::zero},
                                   {"every", UsageTold::every},
                                   {"same", UsageTold::same},
                                   {"delta", UsageTold::delta},
                                   {"before_last", UsageTold::before_last},
                                   {"choices", UsageTold::choices}});
}

std::optional<BilledAfterClose> read_bills(std::string_view value) {
  return choose<BilledAfterClose>(
      value,
      {{"delivered", BilledAfterClose::delivered}, {"whole", BilledAfterClose::whole}, {"nothing", BilledAfterClose::nothing}});
}

std::optional<std::int64_t> read_number(std::string_view value) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
  if (error != std::errc{} || end != value.data() + value.size() || number < 0 || number > number_max) return std::nullopt;
  return number;
}

template <class T>
bool assign(T& field, const std::optional<T>& value) {
  if (value) field = *value;
  return value.has_value();
}
bool assign_status(int& field, std::string_view value) {
  const std::optional<std::int64_t> number = read_number(value);
  if (!number || *number < 300 || *number > 599) return false;
  field = static_cast<int>(*number);
  return true;
}

template <auto field>
bool number(Script& script, std::string_view value) {
  return assign(script.*field, read_number(value));
}
template <auto field>
bool place(Script& script, std::string_view value) {
  return assign(script.*field, read_place(value));
}
template <auto field>
bool text(Script& script, std::string_view value) {
  script.*field = std::string(value);
  return !value.empty();
}
template <auto field>
bool flag(Script& script, std::string_view value) {
  return assign(script.*field, choose<bool>(value, {{"1", true}, {"0", false}}));
}
template <auto field>
bool mid(Script& script, std::string_view value) {
  return script.*field = value == "mid";
}

struct Word {
  std::string_view name, form, meaning;
  bool (*read)(Script& script, std::string_view value);  ///< false: not a value of this word
};

/// A word without `=value` has the value "1".
const Word words_known[] = {
    {"only", "only=KIND", "the words are for this kind of provider only", text<&Script::only>},
    {"times", "times=N", "only the first N attempts that match these same words", number<&Script::times>},
    {"status", "status=N", "refuse with this status, in the provider's error shape; 300 to 599",
     [](Script& s, std::string_view v) { return assign_status(s.status, v); }},
    {"code", "code=TEXT", "the error's code; alone it means status 429, or the status that belongs to it", text<&Script::code>},
    {"body", "body=html|empty", "what a proxy in front of the provider would put in place of the error's JSON",
     [](Script& s, std::string_view v) { return text<&Script::body>(s, v) && (v == "html" || v == "empty"); }},
    {"retry_after", "retry_after=TEXT", "the header Retry-After of a refusal", text<&Script::retry_after>},
    {"retry_after_ms", "retry_after_ms=TEXT", "the header retry-after-ms of a refusal", text<&Script::retry_after_ms>},
    {"redirect", "redirect=307", "redirect to another path of the simulator, with this status",
     [](Script& s, std::string_view v) { return assign_status(s.redirect, v) && s.redirect < 400; }},
    {"reset", "reset=PLACE", "end the connection with RST there", place<&Script::reset>},
    {"close", "close=PLACE", "end the connection with FIN there", place<&Script::close>},
    {"stall", "stall=PLACE", "send nothing more from there until the client leaves, or for stall_ms", place<&Script::stall>},
    {"stall_ms", "stall_ms=N", "how long a stall lasts; the answer then goes on", number<&Script::stall_ms>},
    {"delay_ms", "delay_ms=N", "time before the answer begins", number<&Script::delay_ms>},
    {"chunk_ms", "chunk_ms=N", "time before each chunk; a buffered answer takes as long in all", number<&Script::chunk_ms>},
    {"bytes", "bytes=N", "size of the answer's text", number<&Script::bytes>},
    {"chunks", "chunks=N", "number of chunks that the answer's text comes in", number<&Script::chunks>},
    {"line_mb", "line_mb=N", "one chunk of this many MiB", number<&Script::line_mb>},
    {"endless", "endless", "the text goes on until the client leaves", flag<&Script::endless>},
    {"unicode", "unicode", "the text has CJK, accents and emoji", flag<&Script::unicode>},
    {"keepalive", "keepalive=N", "N comments (streamed) or blank lines (buffered) before the answer, spread over delay_ms",
     number<&Script::keepalive>},
    {"split", "split", "the body goes out one byte per write", flag<&Script::split>},
    {"crlf", "crlf", "lines of the stream end in CR LF", flag<&Script::crlf>},
    {"gzip", "gzip", "Content-Encoding: gzip, though nobody asked", flag<&Script::gzip>},
    {"nodone", "nodone", "the stream ends without [DONE]", flag<&Script::nodone>},
    {"error", "error=mid", "an error object in the middle of a stream, or with status 200 in place of a buffered answer",
     mid<&Script::error_mid>},
    {"garbage", "garbage=mid", "what is not JSON in the middle of the answer", mid<&Script::garbage_mid>},
    {"usage", "usage=none|invalid|zero|every|same|delta|before_last|choices",
     "how usage is told: not, absurdly, all zero, running on every chunk, with finish_reason, on a last empty delta, on the "
     "chunk before the last, inside choices[0]",
     [](Script& s, std::string_view v) { return assign(s.usage, read_usage(v)); }},
    {"bills", "bills=delivered|whole|nothing", "what is on the bill of an answer whose client leaves before its end",
     [](Script& s, std::string_view v) { return assign(s.bills, read_bills(v)); }},
    {"cached", "cached=N", "so many prompt tokens came from the cache", number<&Script::cached>},
    {"cache_write", "cache_write=N", "so many prompt tokens were written to the cache", number<&Script::cache_write>},
    {"model", "model=NAME", "the answer names another model; the bill does not", text<&Script::model>},
    {"finish", "finish=TEXT", "another finish_reason", text<&Script::finish>},
    {"tools", "tools=N", "call N of the request's tools in parallel, round robin", number<&Script::tools>},
    {"thinking", "thinking", "think before answering; thinking=0 does not", number<&Script::thinking>},
};

}  // namespace

const std::vector<WordHelp>& script_words() {
  static const std::vector<WordHelp> help = [] {
    std::vector<WordHelp> all;
    for (const Word& word : words_known) all.push_back({word.form, word.meaning});
    return all;
  }();
  return help;
}

Outcome read_words(std::string_view words, Script& script) {
  while (true) {
    words.remove_prefix(std::min(words.find_first_not_of(" \t\r\n"), words.size()));
    if (words.empty()) return {};
    const std::string_view token = words.substr(0, words.find_first_of(" \t\r\n"));
    words.remove_prefix(token.size());
    const std::size_t equals = token.find('=');
    const std::string_view name = token.substr(0, equals);
    const std::string_view value = equals == std::string_view::npos ? "1" : token.substr(equals + 1);
    const Word* known = std::find_if(std::begin(words_known), std::end(words_known), [&](const Word& w) { return w.name == name; });
    if (known == std::end(words_known)) return Complaint{"simulator: no word '" + std::string(name) + "'"};
    if (!known->read(script, value)) return Complaint{"simulator: '" + std::string(token) + "' is not " + std::string(known->form)};
  }
}

Marked take_markers(std::string_view text) {
  Marked marked;
  while (true) {
    const std::size_t begin = text.find(marker_begin);
    const std::size_t end = begin == std::string_view::npos ? begin : text.find(marker_end, begin);
    if (end == std::string_view::npos) break;
    marked.text += text.substr(0, begin);
    marked.markers.emplace_back(text.substr(begin + marker_begin.size(), end - begin - marker_begin.size()));
    text.remove_prefix(end + marker_end.size());
  }
  marked.text += text;
  const auto is_space = [](char c) { return c == ' ' || c == '\n'; };
  marked.text.erase(marked.text.begin(), std::find_if_not(marked.text.begin(), marked.text.end(), is_space));
  while (!marked.text.empty() && is_space(marked.text.back())) marked.text.pop_back();
  return marked;
}

boost::system::result<Odds, Complaint> read_odds(std::string_view text) {
  const std::size_t space = text.find(' ');
  Odds odds;
  const std::string_view share = text.substr(0, space);
  const auto [end, error] = std::from_chars(share.data(), share.data() + share.size(), odds.probability);
  if (space == std::string_view::npos || error != std::errc{} || end != share.data() + share.size() || !(odds.probability >= 0) ||
      odds.probability > 1)
    return Complaint{"'" + std::string(text) +
                     "' is not a fault: a probability from 0 to 1, then words, such as \"0.02 status=429\""};
  odds.words = text.substr(space + 1);
  Script script;
  if (Outcome read = read_words(odds.words, script); read.has_error()) return read.error();
  return odds;
}

boost::system::result<Script, Complaint> Director::direct(std::string_view kind, const std::vector<std::string>& markers) {
  Script script;
  std::uniform_real_distribution<double> draw(0, 1);
  for (const Odds& odds : odds_) {
    if (draw(random_) >= odds.probability) continue;
    if (Outcome followed = follow(kind, odds.words, script); followed.has_error()) return followed.error();
  }
  for (const std::string& words : markers)
    if (Outcome followed = follow(kind, words, script); followed.has_error()) return followed.error();
  return script;
}

Outcome Director::follow(std::string_view kind, const std::string& words, Script& script) {
  Script alone;
  if (Outcome read = read_words(words, alone); read.has_error()) return read;
  if (!alone.only.empty() && alone.only != kind) return {};
  if (alone.times > 0) {
    if (times_seen_.size() >= markers_remembered_max) times_seen_.clear();
    if (++times_seen_[words] > alone.times) return {};
  }
  return read_words(words, script);
}

}  // namespace fairlead::simulator
