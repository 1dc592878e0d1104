#include "config/findings.h"

#include <fairlead/near.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <tuple>

namespace fairlead::config {
namespace {

constexpr std::size_t quoted_bytes_max = 60;
constexpr std::size_t listed_max = 12;

bool is_alnum(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// What issuers begin their keys with.
constexpr std::array<std::string_view, 16> key_starts{"sk-",  "sk_",    "pk-",    "rk-",  "gsk_", "xai-", "hf_",   "ghp_",
                                                      "gho_", "nvapi-", "glpat-", "AKIA", "ASIA", "AIza", "ya29.", "eyJ"};
constexpr std::size_t started_key_bytes_min = 12;  // with its start
constexpr std::size_t random_run_min = 20;         // letters and digits on end, as no name has them

/// 8-4-4-4-12 hexadecimal digits: some providers' keys are such.
bool is_uuid(std::string_view word) {
  if (word.size() != 36) return false;
  for (std::size_t i = 0; i < word.size(); ++i) {
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    if (dash ? word[i] != '-' : std::isxdigit(static_cast<unsigned char>(word[i])) == 0) return false;
  }
  return true;
}

bool is_secret_word(std::string_view word) {
  for (const std::string_view start : key_starts)
    if (word.size() >= started_key_bytes_min && word.starts_with(start)) return true;
  if (is_uuid(word)) return true;
  for (std::size_t at = 0; at < word.size(); ++at) {
    const std::size_t begin = at;
    while (at < word.size() && is_alnum(word[at])) ++at;
    const std::string_view run = word.substr(begin, at - begin);
    const auto digits = std::count_if(run.begin(), run.end(), is_digit);
    if (run.size() >= random_run_min && digits > 0 && digits < static_cast<std::ptrdiff_t>(run.size())) return true;
  }
  return false;
}

}  // namespace

bool looks_secret(std::string_view text) {
  if (text.find("-----BEGIN") != std::string_view::npos) return true;
  const auto in_word = [](char c) { return is_alnum(c) || std::string_view("-_.").find(c) != std::string_view::npos; };
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (!in_word(text[at])) continue;
    const std::size_t begin = at;
    while (at < text.size() && in_word(text[at])) ++at;
    if (is_secret_word(text.substr(begin, at - begin))) return true;
  }
  return false;
}

int Findings::add_file(std::string name) {
  files_.push_back(std::move(name));
  return static_cast<int>(files_.size()) - 1;
}

void Findings::error(const Value& at, std::string message, std::string hint) {
  add(Severity::error, at.place, at.path, std::move(message), std::move(hint));
}

void Findings::warning(const Value& at, std::string message, std::string hint) {
  add(Severity::warning, at.place, at.path, std::move(message), std::move(hint));
}

void Findings::add(Severity severity, Place place, std::string path, std::string message, std::string hint) {
  if (const auto one = forgiven_.find(place.file); one != forgiven_.end() && severity == Severity::error) {
    one->second = true;
    severity = Severity::warning;
  }
  failed_ = failed_ || severity == Severity::error;
  located_.push_back(
      {place.file, {severity, file(place.file), place.line, place.column, std::move(path), std::move(message), std::move(hint)}});
}

void Findings::add_errors_of(const Findings& other) {
  for (const Located& one : other.located_) {
    const Finding& finding = one.finding;
    if (finding.severity == Severity::error)
      add(finding.severity, {add_file(finding.file), finding.line, finding.column}, finding.path, finding.message, finding.hint);
  }
}

std::string Findings::where(Place place) const {
  return file(place.file) + ":" + std::to_string(place.line) + ":" + std::to_string(place.column);
}

std::vector<Finding> Findings::take(const std::string& main_file) {
  std::stable_sort(located_.begin(), located_.end(), [](const Located& a, const Located& b) {
    return std::tie(a.file, a.finding.line, a.finding.column) < std::tie(b.file, b.finding.line, b.finding.column);
  });
  const std::size_t left_out = located_.size() - std::min(located_.size(), findings_max);
  if (left_out > 0)  // no warning may take an error's place
    std::stable_partition(located_.begin(), located_.end(),
                          [](const Located& one) { return one.finding.severity == Severity::error; });
  std::vector<Finding> all;
  for (std::size_t i = 0; i < located_.size() - left_out; ++i) all.push_back(std::move(located_[i].finding));
  if (left_out > 0)
    all.push_back({failed_ ? Severity::error : Severity::warning, main_file, 0, 0, "",
                   "and " + std::to_string(left_out) + " more findings", "mend these first"});
  located_.clear();
  return all;
}

std::string format(const Finding& finding) {
  std::string text = finding.file;
  if (finding.line > 0) text += ":" + std::to_string(finding.line) + ":" + std::to_string(finding.column);
  text += ": ";
  if (finding.severity == Severity::warning) text += "warning: ";
  if (!finding.path.empty()) text += finding.path + ": ";
  text += finding.message;
  if (!finding.hint.empty()) text += "; " + finding.hint;
  return text;
}

std::string in_quotes(std::string_view text) {
  if (looks_secret(text)) return "what is not repeated, as it looks like a secret";
  std::string out = "'";
  for (char c : text.substr(0, quoted_bytes_max)) out += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? ' ' : c;
  if (text.size() > quoted_bytes_max) {
    // A character that was cut in two is dropped whole.
    while (!out.empty() && (static_cast<unsigned char>(out.back()) & 0xC0) == 0x80) out.pop_back();
    if (static_cast<unsigned char>(out.back()) >= 0xC0) out.pop_back();
    out += "...";
  }
  return out + "'";
}

std::string alternatives(const std::vector<std::string_view>& words) {
  std::string out;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (i > 0) out += i + 1 == words.size() ? " or " : ", ";
    out += words[i];
  }
  return out;
}

std::string did_you_mean(std::string_view word, const std::vector<std::string_view>& known, std::string_view otherwise) {
  if (std::string near = fairlead::did_you_mean(word, known, ""); !near.empty()) return near;
  if (otherwise.empty() || known.empty()) return {};
  std::string out(otherwise);
  for (std::size_t i = 0; i < known.size() && i < listed_max; ++i) out += (i == 0 ? ": " : ", ") + std::string(known[i]);
  if (known.size() > listed_max) out += ", ... (" + std::to_string(known.size()) + " in all)";
  return out;
}

std::string path_of_key(const std::string& parent, const std::string& key) {
  if (looks_secret(key)) return parent + "[not repeated]";
  const bool plain = !key.empty() && key.size() <= quoted_bytes_max && std::all_of(key.begin(), key.end(), [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '-' || c == '/';
  });
  if (plain) return parent.empty() ? key : parent + "." + key;
  std::string inner = in_quotes(key);
  inner.front() = inner.back() = '"';
  return parent + "[" + inner + "]";
}

std::string path_of_item(const std::string& parent, std::size_t index) { return parent + "[" + std::to_string(index) + "]"; }

}  // namespace fairlead::config
