#pragma once
// Which column of an export says what. Read from JSON: those of the product, and an operator's own.
#include "cli/reconcile/bill.h"

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fairlead::cli {

/// Titles that a column may have; none: there is no such column.
using Titles = std::vector<std::string>;

struct Mapping {
  std::string name;
  int zone_minutes = 0;
  Titles day, model;
  std::string split;                                    ///< parts of the model's cell stand between these; empty: it is the model
  std::size_t model_part = 0, kind_part = 0;            ///< from 1; 0: not in that cell
  Titles kind, amount, unit;                            ///< one figure to a row: of what, how much, in what
  std::map<std::string, std::optional<Measure>> kinds;  ///< words of `kind`; empty: the row is not compared
  std::map<std::string, std::int64_t> units;
  std::vector<std::pair<Measure, Titles>> figures;  ///< or each in a column of its own
  std::vector<Measure> within_input;                ///< what the column of input counts too
  Titles cost, currency;
  std::string currency_always;
};

/// `name`: with which its errors begin, as "map.json:3:7: ...". Errors: config, naming the member, or line and column where it is
/// no JSON object.
Result<Mapping> parse_mapping(const std::string& name, std::string_view json);

/// Those of the product.
const std::vector<Mapping>& built_in_mappings();

}  // namespace fairlead::cli
