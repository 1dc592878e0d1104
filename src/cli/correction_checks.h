#pragma once
// What a correction must be before it is booked, as it can never be changed. Used by `correct`.
#include <fairlead/bookkeeper.h>
#include <fairlead/snapshot.h>
#include <fairlead/store.h>

#include <optional>
#include <string>
#include <string_view>

namespace fairlead::cli {

inline constexpr int reason_characters_max = 200;

/// What is wrong with a reason; empty: nothing. Pure.
std::string wrong_reason(std::string_view reason);

/// Amounts as they were given, in 10^-12.
struct CorrectionAmounts {
  Money amount;
  std::optional<Int128> usd, charge;  ///< empty: not given
};
/// What is wrong with them together; empty: nothing. Pure.
std::string wrong_amounts(const CorrectionAmounts& given);

/// Gives a correction the request's id, and the provider and model of that attempt of it which is meant. What is wrong, or nothing.
std::string take_request(Correction& correction, const RequestRecord& request);

/// Tells the first name that nobody knows: neither the configuration (null: there is none) nor the ledger. Empty: all are known.
/// `stored_keys`: null if there are none. Errors: as Store::report.
Result<std::string> unknown_name(const Correction& correction, const Snapshot* snapshot, Store& store, KeyStore* stored_keys);

}  // namespace fairlead::cli
