#pragma once
// Texts that recur from request to request: plans, and prices in force. Each is made once per snapshot. One worker's thread.
#include <fairlead/plan.h>
#include <fairlead/snapshot.h>

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>

namespace fairlead::exchange {

class Texts {
 public:
  /// Before the texts of a request: those of another snapshot are forgotten.
  void use(const std::shared_ptr<const Snapshot>& snapshot);
  /// plan_text() of it. Valid until the next call.
  const std::string& plan(const Plan& plan);
  /// JSON of what a target charges: {"model","from_us","currency", what of the entry held, factors, rates..., the date of the rate
  /// to USD}. Valid until the next call.
  const std::string& price(const Target& target, const PriceInForce& price, const UsdRate& to_usd);
  /// facts_text() of it. Valid until the next call.
  const std::string& facts(const RequestFacts& facts);

 private:
  using Made = std::unordered_map<std::string, std::string>;
  template <class Kept>
  static void make_room(Kept& kept);

  std::shared_ptr<const Snapshot> snapshot_;  ///< kept, so that no address in a key is used again
  std::string key_;
  Made plans_, prices_;
  std::unordered_map<std::uint64_t, std::string> facts_;  ///< by facts_number()
  std::string own_facts_;                                 ///< of a request that worded them itself
};

}  // namespace fairlead::exchange
