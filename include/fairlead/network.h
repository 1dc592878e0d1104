#pragma once
// Addresses of apps, and networks of them. Plain values.
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace fairlead {

/// An IP address; an IPv4 one stands in the last four bytes, behind ::ffff.
using Address = std::array<std::uint8_t, 16>;

/// "192.0.2.7", "2001:db8::1", "fe80::1%eth0"; empty for anything else.
std::optional<Address> parse_ip(std::string_view text);
/// The address of "192.0.2.7:443" or "[2001:db8::1]:443"; empty for anything else.
std::optional<Address> parse_peer(std::string_view text);

/// As parse_ip() reads it.
std::string to_string(const Address& address);

/// All addresses whose first `bits` are those of `first`, whose other bits are 0.
struct Network {
  Address first{};
  int bits = 128;
  bool holds(const Address& address) const;
  bool operator==(const Network&) const = default;
};

/// "10.0.0.0/8", "2001:db8::/32", or one address. Empty for anything else, and for bits set beyond the prefix: such a network was
/// mistyped.
std::optional<Network> parse_network(std::string_view text);

/// As parse_network() reads it.
std::string to_string(const Network& network);

}  // namespace fairlead
