#pragma once
// Texts that recur from request to request: plans, and prices in force. Each is made once per snapshot. One worker's thread.
#include <fairlead/plan.h>
#include <fairlead/snapshot.h>

#include <cstddef>
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
  /// Of the plans and prices that are kept, with their keys.
  std::size_t bytes() const { return plans_.bytes() + prices_.bytes(); }

 private:
  /// Bounded in number and bytes: when it is full, it begins anew.
  class Made {
   public:
    /// Null: it is not there.
    const std::string* find(const std::string& key) const;
    const std::string& keep(const std::string& key, std::string text);
    void clear();
    std::size_t bytes() const { return bytes_; }

   private:
    std::unordered_map<std::string, std::string> texts_;
    std::size_t bytes_ = 0;
  };

  std::shared_ptr<const Snapshot> snapshot_;  ///< kept, so that no address in a key is used again
  std::string key_;
  Made plans_, prices_;
  std::unordered_map<std::uint64_t, std::string> facts_;  ///< by facts_number()
  std::string own_facts_;                                 ///< of a request that worded them itself
};

}  // namespace fairlead::exchange
