#include "content/scanner.h"

#include "content/emails.h"
#include "content/kinds.h"
#include "content/numbers.h"
#include "content/secrets.h"
#include "content/text.h"
#include "wire/json.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <string>
#include <system_error>
#include <utility>

namespace fairlead::content {
namespace {

constexpr std::size_t number_bytes_min = 8;

/// The names that the API itself gives to things: as names, and as words where it asks for one of its own, no text of anybody. In
/// the order of names.
bool is_of_the_api(std::string_view key) {
  using namespace std::string_view_literals;
  constexpr std::array names = {"arguments"sv,
                                "assistant"sv,
                                "audio"sv,
                                "content"sv,
                                "data"sv,
                                "description"sv,
                                "detail"sv,
                                "developer"sv,
                                "enum"sv,
                                "file"sv,
                                "file_data"sv,
                                "filename"sv,
                                "format"sv,
                                "frequency_penalty"sv,
                                "function"sv,
                                "functions"sv,
                                "id"sv,
                                "image_url"sv,
                                "include_usage"sv,
                                "input"sv,
                                "input_audio"sv,
                                "instructions"sv,
                                "items"sv,
                                "json_object"sv,
                                "json_schema"sv,
                                "logit_bias"sv,
                                "logprobs"sv,
                                "max_completion_tokens"sv,
                                "max_tokens"sv,
                                "messages"sv,
                                "metadata"sv,
                                "modalities"sv,
                                "n"sv,
                                "name"sv,
                                "parallel_tool_calls"sv,
                                "parameters"sv,
                                "prediction"sv,
                                "presence_penalty"sv,
                                "prompt"sv,
                                "properties"sv,
                                "reasoning_content"sv,
                                "reasoning_effort"sv,
                                "refusal"sv,
                                "required"sv,
                                "response_format"sv,
                                "role"sv,
                                "schema"sv,
                                "seed"sv,
                                "service_tier"sv,
                                "stop"sv,
                                "store"sv,
                                "stream"sv,
                                "stream_options"sv,
                                "strict"sv,
                                "system"sv,
                                "temperature"sv,
                                "text"sv,
                                "tool"sv,
                                "tool_call_id"sv,
                                "tool_calls"sv,
                                "tool_choice"sv,
                                "tools"sv,
                                "top_logprobs"sv,
                                "top_p"sv,
                                "type"sv,
                                "url"sv,
                                "user"sv};
  static_assert(std::is_sorted(names.begin(), names.end()));
  return std::binary_search(names.begin(), names.end(), key);
}

/// Does the API ask for a word of its own under this name?
bool takes_words_of_the_api(std::string_view key) {
  using namespace std::string_view_literals;
  constexpr std::array names = {"format"sv, "modalities"sv, "role"sv, "tool_choice"sv, "type"sv};
  return std::find(names.begin(), names.end(), key) != names.end();
}

/// The digits of a number of JSON that is whole, and not written so: "4111111111111111.0", "4.111111111111111e15". Empty: it is no
/// such number, or longer than anything that is looked for.
std::string whole_number(std::string_view number) {
  constexpr int digits_max = 64;
  const std::size_t power_at = number.find_first_of("eE");
  std::string_view mantissa = number.substr(0, power_at);
  const std::size_t point = mantissa.find('.');
  if (power_at == std::string_view::npos && point == std::string_view::npos) return {};
  int power = 0;
  if (power_at != std::string_view::npos) {
    std::string_view written = number.substr(power_at + 1);
    if (written.starts_with('+')) written.remove_prefix(1);
    if (std::from_chars(written.data(), written.data() + written.size(), power).ec != std::errc{}) return {};
  }
  std::string digits(mantissa.substr(0, point));
  if (point != std::string_view::npos) {
    const std::string_view fraction = mantissa.substr(point + 1, mantissa.find_last_not_of('0') - point);
    if (power < static_cast<int>(fraction.size())) return {};
    digits += fraction;
    power -= static_cast<int>(fraction.size());
  }
  if (power < 0 || power > digits_max) return {};
  return digits.append(static_cast<std::size_t>(power), '0');
}

class Scanner final : public ContentScanner {
 public:
  Scanner(const std::vector<std::string>& asked, const std::vector<OwnClass>& own) : names_(asked) {
    for (std::size_t i = 0; i < asked.size(); ++i) {
      asked_.push_back(kinds_of(asked[i]));
      wanted_ |= asked_.back();
      for (const OwnClass& one : own)
        if (one.name == asked[i]) own_.emplace_back(i, OwnFinder(one));
    }
    if ((wanted_ & ~(email | secret)) != 0) numbers_.emplace(wanted_);
    if ((wanted_ & secret) != 0) secrets_.emplace();
  }

  const std::vector<std::string>& classes() const override { return names_; }
  Result<std::vector<ContentCount>> scan(std::string_view body) const override;

  /// Of one text, as it was written.
  void count(std::string_view text, Tally& tally) const {
    std::string folded;
    const std::string_view plain = fold(text, folded) ? std::string_view(folded) : text;
    if (numbers_) numbers_->find(plain, tally);
    if ((wanted_ & email) != 0) find_emails(plain, tally);
    if (secrets_) secrets_->find(plain, tally);
    for (const auto& [asked_class, finder] : own_)
      for (int places = finder.count(plain, content_count_max); places > 0; --places) tally.add_one(asked_class);
  }

  const std::vector<Kinds>& asked() const { return asked_; }

 private:
  std::vector<std::string> names_;
  std::vector<Kinds> asked_;  ///< of names_; 0: the operator's own
  Kinds wanted_ = 0;
  std::optional<NumberFinder> numbers_;
  std::optional<SecretFinder> secrets_;
  std::vector<std::pair<std::size_t, OwnFinder>> own_;
};

/// Walks one body, and takes every text, name and number in it for a part of the prompt: whatever is sent was looked at. But for
/// `model`, which is not sent as it stands.
class Walk {
 public:
  Walk(std::string_view body, const Scanner& scanner)
      : json_(body), scanner_(scanner), whole_(scanner.asked()), one_(scanner.asked()), deeper_(scanner.asked()) {}

  bool run() {
    if (json_.peek() != wire::JsonKind::object) return false;
    json_.object([&](wire::JsonString key) {
      if (key.is("model")) return void(json_.skip());
      name(key);
      value(takes_words_of_the_api(key.raw));
    });
    return json_.finish();
  }

  const std::vector<int>& counts() const { return whole_.counts(); }

 private:
  /// `of_the_api`: it may be a word of the API's own.
  void value(bool of_the_api) {
    switch (json_.peek()) {
      case wire::JsonKind::object:
        return json_.object([&](wire::JsonString key) {
          name(key);
          value(takes_words_of_the_api(key.raw));
        });
      case wire::JsonKind::array: return json_.array([&] { value(of_the_api); });
      case wire::JsonKind::string: return of_the_api ? name(json_.string()) : text(json_.string());
      case wire::JsonKind::number: return number(json_.skip());
      default: json_.skip();
    }
  }

  void name(wire::JsonString string) {
    if (!is_of_the_api(string.raw)) text(string);
  }

  void text(wire::JsonString string) {
    if (json_.failed()) return;
    if (!string.escaped) return look_at(string.raw);
    look_at(string.text());
  }

  /// Shorter ones hold nothing, and there may be many: token ids, embeddings. A number is what it is worth: some programs take
  /// those of cards and accounts for fractions.
  void number(std::string_view digits) {
    if (digits.size() < number_bytes_min) return;
    const std::string whole = whole_number(digits);
    look_at(whole.empty() ? digits : whole);
  }

  void look_at(std::string_view whole_text) {
    const std::string_view text = without_payload(whole_text);
    if (text.empty()) return;
    bytes_ += text.size();
    if (bytes_ > text_bytes_max) return json_.stop();
    one_.clear();
    scanner_.count(text, one_);
    look_deeper(text);
    whole_.add_all(one_);
  }

  /// Arguments of tools are JSON within a text: 4 may be written \u0034 there.
  void look_deeper(std::string_view text) {
    std::string read, before;
    for (int depth = 0; depth < nested_max && unescape(text, read); ++depth) {
      deeper_.clear();
      scanner_.count(read, deeper_);
      one_.keep_greater(deeper_);
      before = std::move(read);
      text = before;
    }
  }

  wire::JsonReader json_;
  const Scanner& scanner_;
  Tally whole_, one_, deeper_;
  std::size_t bytes_ = 0;
};

Result<std::vector<ContentCount>> Scanner::scan(std::string_view body) const {
  Walk walk(body, *this);
  if (!walk.run())
    return Error(ErrorKind::policy, ErrorOrigin::fairlead,
                 "a policy asks what this request holds, and it could not be looked through: it has too much text");
  std::vector<ContentCount> found;
  for (std::size_t i = 0; i < names_.size(); ++i) found.push_back({names_[i], walk.counts()[i]});
  return found;
}

}  // namespace

std::unique_ptr<const ContentScanner> make_scanner(const std::vector<std::string>& asked, const std::vector<OwnClass>& own) {
  return std::make_unique<Scanner>(asked, own);
}

}  // namespace fairlead::content
