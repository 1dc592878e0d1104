// Warnings about countries that are none: most likely a slip, which a `deny` of the right name would not see.
#include "config/build.h"

#include <algorithm>

namespace fairlead::config {
namespace {

/// ISO 3166-1 alpha-2, as of 2026-11.
constexpr std::string_view countries =
    "AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ CA "
    "CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR GA "
    "GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP "
    "KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS "
    "MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS "
    "RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW "
    "TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW";

void lint_home(const Build& build, const Value& value) {
  const auto& groups = build.snapshot.region_groups;
  const bool country = value.text.size() == 2 && countries.find(value.text) != std::string_view::npos;
  if (!value.good || country ||
      std::any_of(groups.begin(), groups.end(), [&](const RegionGroup& group) { return group.name == value.text; }))
    return;
  std::vector<std::string_view> names;
  for (const RegionGroup& group : groups) names.push_back(group.name);
  build.findings.warning(
      value, in_quotes(value.text) + " is no country of ISO 3166 and no region group, so no rule about those holds of it",
      did_you_mean(value.text, names, "write two capital letters such as DE, or a region group"));
}

}  // namespace

void lint_homes(const Build& build) {
  for (const auto& [owners, facts] :
       {std::pair("providers", std::vector{"operator", "region"}), std::pair("models", std::vector{"origin"})})
    for (const Section& owner : build.root.sections(owners))
      for (const char* fact : facts)
        if (const Value* home = owner.find(fact)) lint_home(build, *home);
  if (const Value* groups = build.root.find("region_groups"))
    for (const Value& group : groups->children)
      for (const Value& member : group.children) lint_home(build, member);
}

}  // namespace fairlead::config
