#pragma once
// The rows of one request, from when they are made until the books have them. One worker's thread.
#include <fairlead/row.h>

#include "ledger/ledger.h"

#include <cassert>
#include <cstddef>
#include <memory>
#include <utility>
#include <variant>
#include <vector>

namespace fairlead::exchange {

class Notes {
 public:
  Notes() : open_(&add(RequestOpen())) {}
  Notes(const Notes&) = delete;
  Notes& operator=(const Notes&) = delete;

  /// The request's own opening; is changed until it is given.
  RequestOpen& open() { return *open_; }
  bool is_opened() const { return open_ == nullptr; }

  /// A row for the books. It stays where it is until the books have it, and a settlement to the end of the exchange.
  template <class Row>
  Row& add(Row&& row) {
    next_.reserve(rows_at_once_max);
    assert(next_.size() < rows_at_once_max);  // else it would move
    next_.emplace_back(std::forward<Row>(row));
    return std::get<Row>(next_.back());
  }
  /// Unless the books have it; again, if they could not take it.
  void add_open() {
    if (open_ != nullptr && next_.empty()) open_ = &add(RequestOpen(*open_));
  }
  /// What was added since, for the ledger, which from then on keeps settlements whatever happens.
  Rows give() { return given_.emplace_back(std::make_shared<const std::vector<Write>>(std::exchange(next_, {}))); }
  /// The books have the opening, which was given last: nothing here needs it any more.
  Rows let_opening_go() {
    open_ = nullptr;
    Rows opening = std::move(given_.back());
    given_.pop_back();
    return opening;
  }

 private:
  static constexpr std::size_t rows_at_once_max = 2;  ///< two openings, a settlement and an opening, or two settlements

  std::vector<Write> next_;  ///< added, and not given yet
  std::vector<Rows> given_;
  RequestOpen* open_;  ///< null once the books have it
};

}  // namespace fairlead::exchange
