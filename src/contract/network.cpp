#include <arpa/inet.h>
#include <fairlead/network.h>

#include <algorithm>
#include <charconv>
#include <string>

namespace fairlead {
namespace {

constexpr int mapped_bits = 96;  // of ::ffff:0:0, before an IPv4 address
constexpr std::size_t text_bytes_max = 64;

/// An address before its prefix length, and how many bits it is long.
struct Parsed {
  Address address{};
  int bits = 0;
};

std::optional<Parsed> parse(std::string_view text) {
  if (text.size() > text_bytes_max) return std::nullopt;
  const std::string terminated(text);
  Parsed parsed;
  if (inet_pton(AF_INET, terminated.c_str(), parsed.address.data() + 12) == 1) {
    parsed.address[10] = parsed.address[11] = 0xff;
    parsed.bits = 32;
    return parsed;
  }
  if (inet_pton(AF_INET6, terminated.c_str(), parsed.address.data()) != 1) return std::nullopt;
  parsed.bits = 128;
  return parsed;
}

/// The bits of the byte at `index` that belong to a prefix.
std::uint8_t mask(int bits, int index) {
  const int within = std::clamp(bits - 8 * index, 0, 8);
  return static_cast<std::uint8_t>(0xff00 >> within);
}

}  // namespace

std::optional<Address> parse_ip(std::string_view text) {
  const auto parsed = parse(text.substr(0, text.find('%')));
  return parsed ? std::optional(parsed->address) : std::nullopt;
}

std::optional<Address> parse_peer(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  std::string_view host = text.substr(0, colon);
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
  return parse_ip(host);
}

std::string to_string(const Address& address) {
  const bool is_ipv4 = parse_network("0.0.0.0/0")->holds(address);
  std::array<char, INET6_ADDRSTRLEN> text{};
  inet_ntop(is_ipv4 ? AF_INET : AF_INET6, address.data() + (is_ipv4 ? 12 : 0), text.data(), text.size());
  return text.data();
}

bool Network::holds(const Address& address) const {
  for (int i = 0; 8 * i < bits; ++i)
    if ((address[static_cast<std::size_t>(i)] & mask(bits, i)) != first[static_cast<std::size_t>(i)]) return false;
  return true;
}

std::optional<Network> parse_network(std::string_view text) {
  const std::size_t slash = text.find('/');
  const auto parsed = parse(text.substr(0, slash));
  if (!parsed) return std::nullopt;
  int bits = parsed->bits;
  if (slash != std::string_view::npos) {
    const std::string_view length = text.substr(slash + 1);
    const auto [end, error] = std::from_chars(length.data(), length.data() + length.size(), bits);
    if (error != std::errc{} || end != length.data() + length.size() || bits < 0 || bits > parsed->bits) return std::nullopt;
  }
  Network network{parsed->address, bits + (parsed->bits == 32 ? mapped_bits : 0)};
  for (int i = 0; i < 16; ++i) {
    const auto at = static_cast<std::size_t>(i);
    if ((network.first[at] & ~mask(network.bits, i)) != 0) return std::nullopt;
  }
  return network;
}

std::string to_string(const Network& network) {
  const bool is_ipv4 = network.bits >= mapped_bits && parse_network("0.0.0.0/0")->holds(network.first);
  return to_string(network.first) + "/" + std::to_string(network.bits - (is_ipv4 ? mapped_bits : 0));
}

}  // namespace fairlead
