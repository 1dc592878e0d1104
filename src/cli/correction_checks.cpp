#include "cli/correction_checks.h"

#include "cli/table.h"
#include "wire/json.h"

#include <fairlead/near.h>

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <set>
#include <vector>

namespace fairlead::cli {
namespace {

struct PointRange {
  std::uint32_t first, last;
};

/// C0, DEL and C1, separators of lines and paragraphs, and what turns the direction of a line.
constexpr PointRange control_points[] = {{0, 0x1f}, {0x7f, 0x9f}, {0x2028, 0x202e}, {0x2066, 0x2069}};
constexpr PointRange blank_points[] = {{0x20, 0x20},     {0xa0, 0xa0},     {0xad, 0xad},     {0x115f, 0x1160}, {0x1680, 0x1680},
                                       {0x2000, 0x200f}, {0x202f, 0x202f}, {0x205f, 0x2064}, {0x2800, 0x2800}, {0x3000, 0x3000},
                                       {0x3164, 0x3164}, {0xfe00, 0xfe0f}, {0xfeff, 0xfeff}};

template <std::size_t size>
bool any_range_has(const PointRange (&ranges)[size], std::uint32_t point) {
  return std::any_of(std::begin(ranges), std::end(ranges),
                     [point](const PointRange& range) { return point >= range.first && point <= range.last; });
}

/// Of a valid sequence of UTF-8.
std::uint32_t point_of(std::string_view sequence) {
  const auto first = static_cast<unsigned char>(sequence.front());
  std::uint32_t point = sequence.size() == 1 ? first : first & (0x7fU >> sequence.size());
  for (char c : sequence.substr(1)) point = point << 6 | (static_cast<unsigned char>(c) & 0x3f);
  return point;
}

int sign_of(Int128 amount) { return amount < 0 ? -1 : amount > 0 ? 1 : 0; }
bool are_opposite(Int128 one, Int128 other) { return sign_of(one) * sign_of(other) < 0; }

using NameSet = std::set<std::string>;

NameSet known_keys(const Snapshot* snapshot, KeyStore* stored_keys) {
  NameSet names;
  if (snapshot != nullptr)
    for (const Key& key : snapshot->keys) names.insert(key.name);
  const auto rows = stored_keys != nullptr ? stored_keys->all() : Result<std::vector<StoredKey>>(std::vector<StoredKey>());
  if (rows)
    for (const StoredKey& row : *rows) names.insert(row.name);
  return names;
}

/// Keys may name a team or project of which nothing is stated.
template <class Stated>
NameSet configured_or_of_keys(const Snapshot* snapshot, const Stated& stated, std::string Key::*of_key) {
  NameSet names;
  if (snapshot == nullptr) return names;
  for (const auto& [name, terms] : (*snapshot).*stated) names.insert(name);
  for (const Key& key : snapshot->keys)
    if (!(key.*of_key).empty()) names.insert(key.*of_key);
  return names;
}

NameSet configured_routes(const Snapshot* snapshot) {
  NameSet names;
  if (snapshot != nullptr)
    for (const auto& route : snapshot->routes) names.insert(route->name);
  return names;
}

NameSet configured_providers(const Snapshot* snapshot) {
  NameSet names;
  if (snapshot != nullptr)
    for (const auto& provider : snapshot->providers) names.insert(provider->name);
  return names;
}

/// Of a provider; of all if it is empty.
NameSet configured_models(const Snapshot* snapshot, const std::string& provider) {
  NameSet names;
  if (snapshot != nullptr)
    for (const auto& target : snapshot->targets)
      if (provider.empty() || target->provider->name == provider) names.insert(target->model->name);
  return names;
}

/// A name of a correction, beside those that are known.
struct Named {
  const char* dimension;
  const std::string& name;
  std::string provider;  ///< whose it must be; empty: anybody's
  NameSet names;         ///< that are known
};

/// Adds those that the ledger has rows of, or a correction.
Result<void> add_recorded(Named& named, Store& store) {
  ReportQuery query{{named.dimension}, {}, {}};
  if (!named.provider.empty()) query.by.emplace_back("provider");
  const auto rows = store.report(query);
  if (!rows) return rows.error();
  for (const ReportRow& row : *rows)
    if (!row.group[0].empty() && (named.provider.empty() || row.group[1] == named.provider)) named.names.insert(row.group[0]);
  return {};
}

}  // namespace

std::string wrong_reason(std::string_view reason) {
  int characters = 0;
  bool readable = false;
  while (!reason.empty()) {
    const std::size_t length = wire::utf8_sequence(reason);
    if (length == 0) return "the reason has bytes that are not UTF-8";
    const std::uint32_t point = point_of(reason.substr(0, length));
    if (any_range_has(control_points, point)) return "the reason has control characters: it is one line of text";
    readable = readable || !any_range_has(blank_points, point);
    ++characters;
    reason.remove_prefix(length);
  }
  if (!readable) return "the reason is empty: say why, as a report shows it for ever";
  if (characters > reason_characters_max)
    return "the reason has " + std::to_string(characters) + " characters: " + std::to_string(reason_characters_max) +
           " are the most";
  return "";
}

std::string wrong_amounts(const CorrectionAmounts& given) {
  const Int128 amount = given.amount.pico;
  if (given.usd && given.amount.currency == Currency{} && *given.usd != amount)
    return "--amount is in USD already, and --usd says another amount: leave --usd out";
  if (given.usd && are_opposite(amount, *given.usd))
    return "--amount and --usd are the same amount: both are more, or both are less";
  if (given.charge && are_opposite(amount, *given.charge))
    return "--amount and --charge go opposite ways: if that is meant, book them as two corrections, one with --amount 0";
  if (amount == 0 && given.usd.value_or(0) == 0 && given.charge.value_or(0) == 0)
    return "nothing is corrected: --amount is 0, and no --charge is given";
  return "";
}

std::string take_request(Correction& correction, const RequestRecord& request) {
  correction.request_id = request.open.id;
  if (correction.provider.empty() && correction.model.empty()) return "";
  std::set<std::string> sent_to;
  for (const RequestRecord::Attempt& attempt : request.attempts) sent_to.insert(attempt.open.target);
  for (auto attempt = request.attempts.rbegin(); attempt != request.attempts.rend(); ++attempt) {
    const AttemptOpen& open = attempt->open;
    if (!correction.provider.empty() && correction.provider != open.provider) continue;
    if (!correction.model.empty() && correction.model != open.model) continue;
    correction.provider = open.provider;
    correction.model = open.model;
    return "";
  }
  std::string where;
  for (const std::string& target : sent_to) where += (where.empty() ? "" : ", ") + printable(target);
  return "the request " + correction.request_id + " was not sent there: its attempts went to " +
         (where.empty() ? "nobody" : where) + ". Without --provider and --model, its last one is meant";
}

Result<std::string> unknown_name(const Correction& correction, const Snapshot* snapshot, Store& store, KeyStore* stored_keys) {
  std::vector<Named> all;
  if (correction.request_id.empty()) {  // else both are of an attempt
    all.push_back({"provider", correction.provider, "", configured_providers(snapshot)});
    all.push_back({"model", correction.model, correction.provider, configured_models(snapshot, correction.provider)});
  }
  all.push_back({"key", correction.key, "", known_keys(snapshot, stored_keys)});
  all.push_back({"team", correction.team, "", configured_or_of_keys(snapshot, &Snapshot::teams, &Key::team)});
  all.push_back({"project", correction.project, "", configured_or_of_keys(snapshot, &Snapshot::projects, &Key::project)});
  all.push_back({"route", correction.route, "", configured_routes(snapshot)});
  for (Named& named : all) {
    if (named.name.empty() || named.names.count(named.name) > 0) continue;
    if (auto added = add_recorded(named, store); !added) return added.error();
    if (named.names.count(named.name) > 0) continue;
    const std::vector<std::string_view> known(named.names.begin(), named.names.end());
    const std::string who = snapshot != nullptr ? "neither the configuration nor the ledger knows a " : "the ledger knows no ";
    const std::string of = named.provider.empty() ? "" : " of " + named.provider;
    return printable(who + named.dimension + " '" + named.name + "'" + of + did_you_mean(named.name, known));
  }
  return std::string();
}

}  // namespace fairlead::cli
