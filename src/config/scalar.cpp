#include "config/scalar.h"

#include <arpa/inet.h>

#include <algorithm>
#include <cctype>
#include <chrono>

namespace fairlead::config {
namespace {

constexpr std::int64_t integer_max = 1'000'000'000'000'000;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_alnum(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0; }

/// Takes a suffix away; false if it is not there.
bool drop_suffix(std::string_view& text, std::string_view suffix) {
  if (!text.ends_with(suffix)) return false;
  text.remove_suffix(suffix.size());
  return true;
}

std::optional<std::int64_t> scaled(std::string_view digits, std::int64_t factor) {
  auto count = parse_integer(digits);
  if (!count || *count > integer_max / factor) return std::nullopt;
  return *count * factor;
}

std::optional<int> two_digits(std::string_view text, std::size_t at) {
  if (at + 2 > text.size() || !is_digit(text[at]) || !is_digit(text[at + 1])) return std::nullopt;
  return (text[at] - '0') * 10 + (text[at + 1] - '0');
}

int hex_digit(char c) {
  if (is_digit(c)) return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool is_ip(int family, std::string_view text) {
  std::array<unsigned char, sizeof(in6_addr)> bytes{};
  return inet_pton(family, std::string(text).c_str(), bytes.data()) == 1;
}

std::optional<std::uint16_t> parse_port(std::string_view text) {
  auto port = parse_integer(text);
  if (text.size() > 5 || !port || *port > 65'535) return std::nullopt;
  return static_cast<std::uint16_t>(*port);
}

bool is_host_name(std::string_view host) {
  if (host.empty() || host.size() > 253 || !is_alnum(host.front())) return false;
  return std::all_of(host.begin(), host.end(), [](char c) { return is_alnum(c) || c == '-' || c == '.' || c == '_'; });
}

/// "host:port" of a URL without the userinfo.
bool parse_authority(std::string_view authority, Url& url, UrlFault& fault) {
  std::string_view host = authority, port;
  if (!authority.empty() && authority.front() == '[') {
    const std::size_t close = authority.find(']');
    host = authority.substr(1, close == std::string_view::npos ? close : close - 1);
    port = close == std::string_view::npos ? std::string_view{} : authority.substr(close + 1);
    if (close == std::string_view::npos || !is_ip(AF_INET6, host))
      return fault = {"its host is no IPv6 address", "write https://[::1]:8000"}, false;
  } else if (std::size_t colon = authority.find(':'); colon != std::string_view::npos) {
    host = authority.substr(0, colon);
    port = authority.substr(colon);
  }
  if (host.empty()) return fault = {"it names no host", "write https://host or http://host:port"}, false;
  if (authority.front() != '[' && !is_host_name(host))
    return fault = {"its host holds a character that no host name has", ""}, false;
  if (!port.empty()) {
    auto number = port.front() == ':' ? parse_port(port.substr(1)) : std::nullopt;
    if (!number || *number == 0) return fault = {"its port is not a number from 1 to 65535", ""}, false;
    url.port = *number;
  }
  url.host = std::string(host);
  std::transform(url.host.begin(), url.host.end(), url.host.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return true;
}

}  // namespace

std::optional<bool> parse_boolean(std::string_view text) {
  if (text == "true") return true;
  if (text == "false") return false;
  return std::nullopt;
}

std::optional<std::int64_t> parse_integer(std::string_view text) {
  if (text.empty() || text.size() > 16 || !std::all_of(text.begin(), text.end(), is_digit)) return std::nullopt;
  std::int64_t value = 0;
  for (char c : text) value = value * 10 + (c - '0');
  if (value > integer_max) return std::nullopt;
  return value;
}

std::optional<std::int64_t> parse_bytes(std::string_view text) {
  if (drop_suffix(text, "KiB")) return scaled(text, 1 << 10);
  if (drop_suffix(text, "MiB")) return scaled(text, 1 << 20);
  if (drop_suffix(text, "GiB")) return scaled(text, 1 << 30);
  return parse_integer(text);
}

std::optional<Milliseconds> parse_duration(std::string_view text) {
  std::int64_t factor = 1;
  if (!drop_suffix(text, "ms")) {
    if (drop_suffix(text, "s"))
      factor = 1'000;
    else if (drop_suffix(text, "m"))
      factor = 60'000;
    else if (drop_suffix(text, "h"))
      factor = 3'600'000;
  }
  auto ms = scaled(text, factor);
  if (!ms) return std::nullopt;
  return Milliseconds(*ms);
}

std::optional<TimePoint> parse_instant(std::string_view text) {
  using namespace std::chrono;
  const auto century = two_digits(text, 0), year_rest = two_digits(text, 2), month_ = two_digits(text, 5),
             day_ = two_digits(text, 8);
  if (!century || !year_rest || !month_ || !day_ || text[4] != '-' || text[7] != '-') return std::nullopt;
  const year_month_day date{year(*century * 100 + *year_rest), month(static_cast<unsigned>(*month_)),
                            day(static_cast<unsigned>(*day_))};
  if (!date.ok() || *century < 19) return std::nullopt;
  TimePoint at = sys_days(date);
  if (text.size() == 10) return at;
  const auto hour = two_digits(text, 11), minute = two_digits(text, 14);
  if (text[10] != 'T' || !hour || !minute || text[13] != ':' || *hour > 23 || *minute > 59 || text.back() != 'Z')
    return std::nullopt;
  at += hours(*hour) + minutes(*minute);
  if (text.size() == 17) return at;
  const auto second = two_digits(text, 17);
  if (text.size() != 20 || text[16] != ':' || !second || *second > 59) return std::nullopt;
  return at + seconds(*second);
}

std::optional<int> parse_time_of_day(std::string_view text) {
  const auto hour = two_digits(text, 0), minute = two_digits(text, 3);
  if (text.size() != 5 || text[2] != ':' || !hour || !minute || *minute > 59) return std::nullopt;
  const int minutes = *hour * 60 + *minute;
  if (minutes > 24 * 60) return std::nullopt;
  return minutes;
}

std::optional<int> parse_weekday(std::string_view text) {
  constexpr std::array<std::string_view, 7> names{"mon", "tue", "wed", "thu", "fri", "sat", "sun"};
  auto at = std::find(names.begin(), names.end(), text);
  if (at == names.end()) return std::nullopt;
  return static_cast<int>(at - names.begin());
}

std::optional<std::array<std::uint8_t, 32>> parse_sha256(std::string_view text) {
  constexpr std::string_view prefix = "sha256:";
  std::array<std::uint8_t, 32> digest{};
  if (text.size() != prefix.size() + 2 * digest.size() || !text.starts_with(prefix)) return std::nullopt;
  for (std::size_t i = 0; i < digest.size(); ++i) {
    const int high = hex_digit(text[prefix.size() + 2 * i]), low = hex_digit(text[prefix.size() + 2 * i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    digest[i] = static_cast<std::uint8_t>(high * 16 + low);
  }
  return digest;
}

bool is_address(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos || !parse_port(text.substr(colon + 1))) return false;
  const std::string_view host = text.substr(0, colon);
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') return is_ip(AF_INET6, host.substr(1, host.size() - 2));
  return is_ip(AF_INET, host);
}

bool is_loopback_address(std::string_view text) {
  return is_address(text) && (text.starts_with("127.") || text.starts_with("[::1]:"));
}

bool is_name(std::string_view text, bool slashes) {
  if (text.empty() || text.size() > 200 || !is_alnum(text.front())) return false;
  return std::all_of(text.begin(), text.end(), [&](char c) {
    return is_alnum(c) || std::string_view("._-@:+").find(c) != std::string_view::npos || (slashes && c == '/');
  });
}

std::optional<ParsedUrl> parse_url(std::string_view text, UrlFault& fault) {
  const auto refuse = [&](std::string why, std::string hint) {
    fault = {std::move(why), std::move(hint)};
    return std::nullopt;
  };
  ParsedUrl parsed;
  if (text.starts_with("https://"))
    parsed.url.tls = true;
  else if (!text.starts_with("http://"))
    return refuse("it begins with neither https:// nor http://", "write https://host or http://host:port");
  parsed.url.port = parsed.url.tls ? 443 : 80;
  text.remove_prefix(parsed.url.tls ? 8 : 7);
  if (std::any_of(text.begin(), text.end(), [](char c) { return c <= ' ' || c > '~' || c == '\\' || c == '"'; }))
    return refuse("it holds a blank or a character that URLs have not", "");
  if (text.find_first_of("?#") != std::string_view::npos) return refuse("it has a query or a fragment", "end it with the path");
  const std::size_t slash = text.find('/');
  std::string_view authority = text.substr(0, slash);
  std::string_view path = slash == std::string_view::npos ? std::string_view{} : text.substr(slash);
  while (!path.empty() && path.back() == '/') path.remove_suffix(1);
  if (std::size_t at = authority.rfind('@'); at != std::string_view::npos) {
    parsed.userinfo = std::string(authority.substr(0, at));
    authority.remove_prefix(at + 1);
  }
  if (!parse_authority(authority, parsed.url, fault)) return std::nullopt;
  parsed.url.path = std::string(path);
  return parsed;
}

}  // namespace fairlead::config
