#pragma once
// The words of a configuration: texts -> typed values. Pure; any thread. Each is empty for what it does not understand.
#include <fairlead/snapshot.h>

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace fairlead::config {

std::optional<bool> parse_boolean(std::string_view text);           ///< true, false
std::optional<std::int64_t> parse_integer(std::string_view text);   ///< digits, up to 10^15
std::optional<std::int64_t> parse_bytes(std::string_view text);     ///< 1024, 32KiB, 32MiB
std::optional<Milliseconds> parse_duration(std::string_view text);  ///< 250 (ms), 500ms, 15s, 2m, 1h
std::optional<TimePoint> parse_instant(std::string_view text);      ///< 2026-09-10, 2026-09-10T04:00Z, 2026-09-10T04:00:00Z
std::optional<int> parse_time_of_day(std::string_view text);        ///< "00:00" to "24:00", in minutes
std::optional<int> parse_weekday(std::string_view text);            ///< mon: 0
std::optional<std::array<std::uint8_t, 32>> parse_sha256(std::string_view text);  ///< sha256:<64 hex digits>

/// "127.0.0.1:8080", "[::1]:8080": an IP address and a port from 0.
bool is_address(std::string_view text);
/// An address that only this machine reaches: 127.x.x.x or [::1].
bool is_loopback_address(std::string_view text);
/// A name to point at: letters, digits, '.', '_', '-', '@', ':', '+'; with '/' too if `slashes`. The first is a letter or digit.
bool is_name(std::string_view text, bool slashes);

/// A URL as the configuration takes it, and its userinfo ("user:password"; a secret).
struct ParsedUrl {
  Url url;
  std::string userinfo;
};
/// What is wrong with a text that is no URL. `why` is a sentence without the text.
struct UrlFault {
  std::string why, hint;
};
/// http:// or https://, a host, perhaps a port and a path; no query, no fragment. IPv6 hosts come without their brackets, in lower
/// case.
std::optional<ParsedUrl> parse_url(std::string_view text, UrlFault& fault);

}  // namespace fairlead::config
