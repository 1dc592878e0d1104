#pragma once
// The provider's own meter: what it would invoice, one JSON line per attempt, written when the attempt ends. One thread.
#include <fairlead/price.h>

#include <boost/system/result.hpp>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "simulator/tokens.h"

namespace fairlead::simulator {

/// A model on sale: "deepseek/deepseek-flash", with its dated prices.
struct PricedModel {
  std::string name;
  std::vector<Price> prices;
};

struct BillLine {
  std::string client_request_id;  ///< of the request header X-Client-Request-Id
  std::string id;                 ///< of the answer
  std::string kind, model;
  TimePoint at;  ///< when the request was read
  bool stream = false;
  int status = 0;  ///< 0: nothing was answered
  Tokens tokens;
  bool thinking = false;                             ///< it thought, which some models are dearer for
  ServiceTier service_tier = ServiceTier::standard;  ///< that served it
  bool reported = false;                             ///< the client was told these tokens
  bool delivered = false;                            ///< the whole answer was written
  std::size_t request_bytes = 0;
  std::string end = "done";  ///< done, client_closed, or fault:<name>
};

/// The price of a target's tokens in the provider's own arithmetic: sums of tokens times rate, divided once, rounded half up.
/// Units:  10^-12 USD. Models without a price in force cost nothing: they are one's own machines.
Int128 invoice(const std::vector<PricedModel>& models, const BillLine& line);

class Bill {
 public:
  Bill() = default;
  Bill(Bill&& other) noexcept;
  Bill& operator=(Bill&& other) noexcept;
  ~Bill();

  /// Opens the file to append to. Errors: a sentence for the operator. An empty path keeps no bill.
  static boost::system::result<Bill, Complaint> open(const std::string& path, std::vector<PricedModel> models);

  /// Writes the line whole. Errors: none; a full disk is told on stderr once.
  void add(const BillLine& line);

 private:
  int file_ = -1;
  bool complained_ = false;
  std::string run_;  ///< makes bill_id unique in a file of several runs
  std::uint64_t lines_ = 0;
  std::vector<PricedModel> models_;
};

}  // namespace fairlead::simulator
