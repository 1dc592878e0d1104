#pragma once
// Scans texts for the tests of content/.
#include "content/kinds.h"
#include "content/scanner.h"

#include <string>
#include <string_view>
#include <vector>

namespace fairlead::content {

/// The text as a JSON string.
inline std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    if (c == '\n' || c == '\t')
      out += c == '\n' ? "\\n" : "\\t";
    else
      out += c;
  }
  return out + "\"";
}

inline std::string body_of(std::string_view text) {
  return R"({"model":"chat","messages":[{"role":"user","content":)" + quoted(text) + "}]}";
}

/// What was found, "iban 1, phone 2"; the classes in the order asked for, those not found left out.
inline std::string found_in_body(const ContentScanner& scanner, std::string_view body) {
  const auto found = scanner.scan(body);
  if (!found) return "error: " + found.error().message();
  std::string text;
  for (const ContentCount& one : *found)
    if (one.count > 0) text += (text.empty() ? "" : ", ") + one.name + " " + std::to_string(one.count);
  return text;
}

inline std::string found_in_body(const std::vector<std::string>& classes, std::string_view body) {
  return found_in_body(*make_scanner(classes, {}), body);
}

inline std::string found_in(const std::vector<std::string>& classes, std::string_view text) {
  return found_in_body(classes, body_of(text));
}

/// All that is built in, but for the single countries.
inline std::string found(std::string_view text) {
  static const auto scanner = make_scanner({"email", "iban", "national_id", "payment_card", "phone", "secret"}, {});
  return found_in_body(*scanner, body_of(text));
}

}  // namespace fairlead::content
