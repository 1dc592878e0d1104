#include "plan/head.h"

#include "plan/wish_fields.h"

#include <algorithm>
#include <string>

namespace fairlead {
namespace {

constexpr std::size_t tags_max = 32;  ///< of one request

bool is_trusted(const Address& address, const Snapshot& snapshot) {
  return std::any_of(snapshot.trusted_proxies.begin(), snapshot.trusted_proxies.end(),
                     [&](const Network& network) { return network.holds(address); });
}

/// From the last hop to the first, the first that is not trusted: what stands before it is that one's mere word.
std::optional<Address> client_of(const Head& head, const Snapshot& snapshot) {
  const auto peer = parse_peer(head.peer);
  if (!peer || !is_trusted(*peer, snapshot)) return peer;
  for (auto field = head.forwarded_for.rbegin(); field != head.forwarded_for.rend(); ++field) {
    for (std::string_view rest = *field;;) {
      const std::size_t comma = rest.rfind(',');
      const std::string_view hop = trimmed(comma == std::string_view::npos ? rest : rest.substr(comma + 1));
      auto address = parse_ip(hop);
      if (!address) address = parse_peer(hop);  // some proxies add the port
      if (!address || !is_trusted(*address, snapshot)) return address;
      if (comma == std::string_view::npos) break;
      rest = rest.substr(0, comma);
    }
  }
  return std::nullopt;  // none but proxies: whom they speak for is not known
}

Error refuse_tag(std::string message) {
  Error error(ErrorKind::bad_request, ErrorOrigin::app, std::move(message));
  error.set_param("x-fairlead-tags");
  return error;
}

Result<void> add_tags(RequestFacts& facts, std::string_view list) {
  while (true) {
    const std::size_t comma = list.find(',');
    std::string tag = lower(trimmed(list.substr(0, comma)));
    if (!tag.empty()) {
      const auto& may_set = facts.key->request_tags;
      if (std::find(may_set.begin(), may_set.end(), tag) == may_set.end())
        return refuse_tag("This key may not set the tag '" + tag.substr(0, 64) + "'.");
      if (facts.tags.size() == tags_max) return refuse_tag("The request has too many tags.");
      facts.tags.push_back(std::move(tag));
    }
    if (comma == std::string_view::npos) return {};
    list = list.substr(comma + 1);
  }
}

}  // namespace

Result<void> add_head(RequestFacts& facts, std::unique_ptr<Wishes>& wishes, const Head& head, const Snapshot& snapshot) {
  if (snapshot.policies_need.network) facts.client = client_of(head, snapshot);
  for (const auto& [name, value] : head.own) {
    const std::string wish = lower(name.substr(own_prefix.size()));
    auto taken = wish == "tags" ? add_tags(facts, value) : take_wish(wish, value, wishes);
    if (!taken) return taken;
  }
  facts.wishes = wishes.get();
  return {};
}

}  // namespace fairlead
