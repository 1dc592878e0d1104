#pragma once
// A price in force for people and for programs. Pure; used by `fairlead prices` in its forms.
#include <fairlead/price_doubt.h>

#include <nlohmann/json.hpp>
#include <string>

namespace fairlead::cli {

/// Which entry holds, and what of it: "from 2026-09-10, peak hours, less 15 %".
std::string why(const PriceInForce& price);

/// The rates, and what made them; without the entry.
nlohmann::ordered_json rates_json(const PriceInForce& price);
/// The same with the entry.
nlohmann::ordered_json price_json(const PriceInForce& price);

/// {"rate", "from"} of what one unit of a currency is in USD; null: there is no rate.
nlohmann::ordered_json usd_json(const UsdRate* usd);

}  // namespace fairlead::cli
