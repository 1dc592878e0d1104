#include "plan/prove/space.h"

#include <algorithm>
#include <optional>
#include <set>

namespace fairlead::prove {
namespace {

/// Every condition of `when` is decided by the key, by the route, or on one of the dimensions. One more that is not added here
/// would make proofs of less than all requests, so it breaks the build.
[[maybe_unused]] void conditions_known(const When& when) {
  [[maybe_unused]] const auto& [keys, routes, tags, content, endpoints, modalities, input_tokens, networks, times] = when;
}

bool has(const std::vector<std::string>& words, const std::string& word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

/// None ("") of the words of a condition that only ever asks for one to be there, and each that an assertion asks for.
std::vector<std::string> none_or_one(const Question& question, std::vector<std::string> When::*condition) {
  std::set<std::string> words{""};
  for (const Goal& goal : question.goals)
    for (const std::string& word : goal.assertion->when.*condition) words.insert(word);
  return {words.begin(), words.end()};
}

template <class Each>
void for_each_when(const Question& question, const Each& each) {
  for (const Rule& rule : question.rules) each(rule.policy->when);
  for (const Goal& goal : question.goals) each(goal.assertion->when);
}

/// One of each piece between two cuts: its first, or `usual` if that is in it, which people rather read. That piece comes first.
template <class Point>
std::vector<Point> pieces(const std::set<Point>& cuts, const Point& usual) {
  std::vector<Point> points;
  for (auto cut = cuts.begin(); cut != cuts.end(); ++cut) {
    const auto next = std::next(cut);
    const bool in_it = *cut <= usual && (next == cuts.end() || usual < *next);
    points.insert(in_it ? points.begin() : points.end(), in_it ? usual : *cut);
  }
  return points;
}

std::vector<std::int64_t> pieces_of_tokens(const Question& question) {
  constexpr std::int64_t usual = 1'000;
  std::set<std::int64_t> cuts{0};
  for_each_when(question, [&](const When& when) {
    for (const TokenRange& range : when.input_tokens) {
      cuts.insert(range.above + 1);
      if (range.up_to != TokenRange{}.up_to) cuts.insert(range.up_to + 1);
    }
  });
  return pieces(cuts, usual);
}

/// The address behind the last one of the network; empty: there is none.
std::optional<Address> behind(const Network& network) {
  Address address = network.first;
  for (int bit = network.bits - 1; bit >= 0; --bit) {
    const auto mask = static_cast<std::uint8_t>(0x80 >> (bit % 8));
    std::uint8_t& byte = address[static_cast<std::size_t>(bit / 8)];
    byte = static_cast<std::uint8_t>(byte ^ mask);
    if ((byte & mask) != 0) return address;
  }
  return std::nullopt;
}

std::vector<Network> networks_of(const Question& question) {
  std::vector<Network> networks;
  for_each_when(question, [&](const When& when) { networks.insert(networks.end(), when.networks.begin(), when.networks.end()); });
  return networks;
}

template <class Points, class HoldsAt>
std::vector<Value> values_at(const Question& question, const Points& points, const HoldsAt& holds_at) {
  std::vector<Value> values;
  for (const auto& point : points)
    values.push_back(value_where(question, [&](const When& when, TimePoint) { return holds_at(when, point); }));
  return values;
}

std::vector<Value> not_kept_or_kept(const Question& question) {
  std::vector<Value> values(2, {Bits(question.rules.size()), Bits(question.goals.size())});
  for (const std::size_t kept : {0, 1}) {
    for (std::size_t i = 0; i < question.rules.size(); ++i)
      if (kept == 1 || !question.rules[i].if_kept) values[kept].rules.add(i);
    for (std::size_t i = 0; i < question.goals.size(); ++i)
      if (kept == 1 || !question.goals[i].if_kept) values[kept].goals.add(i);
  }
  return values;
}

std::vector<int> up_to(int count) {
  std::vector<int> numbers;
  for (int i = 0; i < count; ++i) numbers.push_back(i);
  return numbers;
}

bool has_bit(std::uint8_t bits, int bit) { return bits == 0 || (bits >> bit & 1) != 0; }

}  // namespace

std::vector<Address> pieces_of_addresses(const std::vector<Network>& networks) {
  const Network ipv4 = *parse_network("0.0.0.0/0");
  std::set<Address> cuts{Address{}};
  const auto cut = [&](const Network& network) {
    cuts.insert(network.first);
    if (const auto next = behind(network)) cuts.insert(*next);
  };
  cut(ipv4);
  std::for_each(networks.begin(), networks.end(), cut);
  auto points = pieces(cuts, *parse_ip("192.0.2.1"));
  std::stable_partition(points.begin(), points.end(), [&](const Address& address) { return ipv4.holds(address); });
  return points;
}

Space space_of(const Question& question) {
  Space space;
  space.content = none_or_one(question, &When::content);
  space.values[by_content] = values_at(question, space.content, [](const When& when, const std::string& one) {
    return when.content.empty() || has(when.content, one) || has(when.content, std::string(wider_content(one)));
  });
  constexpr int text = static_cast<int>(Modality::text);
  space.values[by_modality] = values_at(question, up_to(modality_count), [](const When& when, int modality) {
    return has_bit(when.modalities, text) || has_bit(when.modalities, modality);
  });
  space.values[by_endpoint] =
      values_at(question, up_to(endpoint_count), [](const When& when, int endpoint) { return has_bit(when.endpoints, endpoint); });
  space.tokens = pieces_of_tokens(question);
  space.values[by_tokens] = values_at(question, space.tokens, [](const When& when, std::int64_t tokens) {
    const auto& ranges = when.input_tokens;
    return ranges.empty() || std::any_of(ranges.begin(), ranges.end(),
                                         [&](const TokenRange& range) { return tokens > range.above && tokens <= range.up_to; });
  });
  space.addresses = pieces_of_addresses(networks_of(question));
  space.values[by_network] = values_at(question, space.addresses, [](const When& when, const Address& address) {
    const auto& networks = when.networks;
    return networks.empty() ||
           std::any_of(networks.begin(), networks.end(), [&](const Network& network) { return network.holds(address); });
  });
  space.values[by_keeping] = not_kept_or_kept(question);
  return space;
}

TagSpace tags_of(const Question& question, const Key& key) {
  TagSpace space{none_or_one(question, &When::tags), {}};
  std::erase_if(space.tags, [&](const std::string& tag) { return !tag.empty() && !has(key.request_tags, tag); });
  space.values = values_at(question, space.tags, [&](const When& when, const std::string& tag) {
    return when.tags.empty() || has(when.tags, tag) ||
           std::any_of(key.tags.begin(), key.tags.end(), [&](const std::string& own) { return has(when.tags, own); });
  });
  return space;
}

}  // namespace fairlead::prove
