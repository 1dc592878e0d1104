// What each type of option is called, how it is written, and what it accepts.
#include "config/options.h"
#include "config/scalar.h"

#include <fairlead/money.h>

#include <algorithm>
#include <cctype>
#include <string>

namespace fairlead::config {
namespace {

bool any(std::string_view) { return true; }
bool is_text(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](unsigned char c) { return std::isspace(c) == 0; });
}
bool is_word(std::string_view text) {
  return !text.empty() && std::none_of(text.begin(), text.end(), [](unsigned char c) { return c <= ' ' || c == 0x7f; });
}
bool is_plain_name(std::string_view text) { return is_name(text, false); }
bool is_path_name(std::string_view text) { return is_name(text, true); }
bool is_target(std::string_view text) {
  const std::size_t slash = text.find('/');
  return slash != std::string_view::npos && is_name(text.substr(0, slash), false) && is_name(text.substr(slash + 1), true);
}
bool is_url(std::string_view text) {
  UrlFault fault;
  return parse_url(text, fault).has_value();
}
bool is_ledger(std::string_view text) { return text.starts_with("sqlite:") && text.size() > 7; }

constexpr std::string_view duration_pattern = "^[0-9]{1,16}(ms|s|m|h)?$", bytes_pattern = "^[0-9]{1,16}(KiB|MiB|GiB)?$",
                           url_pattern = "^https?://[^/ ?#]+(/[^ ?#]*)?$",
                           day_pattern = "^[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9]{2}:[0-9]{2}(:[0-9]{2})?Z)?$";

const TypeFacts table[] = {
    {Type::object, "object", "a map of options", "", any},
    {Type::map, "map", "a map of names", "", any},
    {Type::list, "list", "a list", "", any},
    {Type::text, "text", "a text that is not empty", "\\S", is_text},
    {Type::word, "word", "a word without blanks", "^\\S+$", is_word},
    {Type::name, "name", "a name of letters, digits and . _ - @ : +, beginning with a letter or digit",
     "^[A-Za-z0-9][A-Za-z0-9._@:+-]{0,199}$", is_plain_name},
    {Type::path_name, "name", "a name of letters, digits and . _ - @ : + /, beginning with a letter or digit",
     "^[A-Za-z0-9][A-Za-z0-9._@:+/-]{0,199}$", is_path_name},
    {Type::target, "target", "a target, written provider/model", "^[A-Za-z0-9][A-Za-z0-9._@:+-]*/[A-Za-z0-9][A-Za-z0-9._@:+/-]*$",
     is_target},
    {Type::boolean, "boolean", "true or false", "^(true|false)$", [](std::string_view t) { return parse_boolean(t).has_value(); }},
    {Type::integer, "integer", "a whole number", "^[0-9]{1,16}$", [](std::string_view t) { return parse_integer(t).has_value(); }},
    {Type::bytes, "size", "a size such as 65536, 32KiB, 32MiB or 2GiB", bytes_pattern,
     [](std::string_view t) { return parse_bytes(t).has_value(); }},
    {Type::duration, "duration", "a duration such as 500ms, 15s, 2m or 1h (a plain number is milliseconds)", duration_pattern,
     [](std::string_view t) { return parse_duration(t).has_value(); }},
    {Type::decimal, "decimal", "a plain decimal such as \"0.15\", with at most 12 digits after the point",
     "^[0-9]{1,12}([.][0-9]{1,12})?$", [](std::string_view t) { return parse_decimal(t).has_value(); }},
    {Type::currency, "currency", "a currency of three capital letters such as USD", "^[A-Z]{3}$",
     [](std::string_view t) { return parse_currency(t).has_value(); }},
    {Type::instant, "instant", "a date such as 2026-09-10, or an instant in UTC such as 2026-09-10T04:00Z", day_pattern,
     [](std::string_view t) { return parse_instant(t).has_value(); }},
    {Type::time_of_day, "time of day", "a time of day from \"00:00\" to \"24:00\"", "^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$",
     [](std::string_view t) { return parse_time_of_day(t).has_value(); }},
    {Type::url, "URL", "a URL such as https://api.example.com/v1", url_pattern, is_url},
    {Type::secret_url, "URL", "a URL such as http://10.0.0.1:3128", url_pattern, is_url},
    {Type::secret, "secret", "a secret by reference: ${env:NAME} or ${file:PATH}", "^\\$\\{(env|file):[^}]+\\}$", is_word},
    {Type::key_hash, "key hash", "sha256: and 64 hex digits, as `fairlead key new NAME` prints them", "^sha256:[0-9A-Fa-f]{64}$",
     [](std::string_view t) { return parse_sha256(t).has_value(); }},
    {Type::address, "address", "an IP address and a port such as 127.0.0.1:8080, 0.0.0.0:8080 or [::1]:8080",
     "^(\\[[0-9A-Fa-f:.]+\\]|[0-9]{1,3}([.][0-9]{1,3}){3}):[0-9]{1,5}$", is_address},
    {Type::network, "network", "a network such as 10.0.0.0/8 or 2001:db8::/32 (without bits beyond the prefix), or an address",
     "^([0-9]{1,3}([.][0-9]{1,3}){3}(/[0-9]{1,2})?|[0-9A-Fa-f]*:[0-9A-Fa-f:]*:[0-9A-Fa-f:.]*(/[0-9]{1,3})?)$",
     [](std::string_view t) { return parse_network(t).has_value(); }},
    {Type::ledger, "ledger", "sqlite: and a path, such as sqlite:fairlead.db", "^sqlite:.+$", is_ledger},
    {Type::file, "file", "the path of a file", "\\S", is_text},
    {Type::path, "file", "the path of a file", "\\S", is_text},
    {Type::choice, "choice", "one of its words", "", any},
};

}  // namespace

const TypeFacts& facts_of(Type type) {
  return *std::find_if(std::begin(table), std::end(table), [&](const TypeFacts& facts) { return facts.type == type; });
}

std::span<const TypeFacts> all_types() { return table; }

bool is_counted(Type type) { return type == Type::integer || type == Type::bytes || type == Type::duration; }

std::string in_unit(Type type, std::int64_t value) {
  const auto counted = [&](std::int64_t factor, std::string_view unit) {
    return std::to_string(value / factor) + std::string(unit);
  };
  if (type == Type::bytes) {
    if (value > 0 && value % (1 << 30) == 0) return counted(1 << 30, "GiB");
    if (value > 0 && value % (1 << 20) == 0) return counted(1 << 20, "MiB");
    if (value > 0 && value % (1 << 10) == 0) return counted(1 << 10, "KiB");
    return counted(1, " bytes");
  }
  if (type == Type::duration) {
    if (value > 0 && value % 3'600'000 == 0) return counted(3'600'000, "h");
    if (value > 0 && value % 60'000 == 0) return counted(60'000, "m");
    if (value > 0 && value % 1'000 == 0) return counted(1'000, "s");
    return counted(1, "ms");
  }
  return std::to_string(value);
}

std::string limits_text(const Option& option) {
  if (option.max == 0 && option.min == 0) return "";
  const std::string least = in_unit(option.type, option.min);
  if (option.max == 0) return "at least " + least;
  return least + " to " + in_unit(option.type, option.max);
}

}  // namespace fairlead::config
