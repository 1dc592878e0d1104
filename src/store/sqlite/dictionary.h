#pragma once
// A table of what recurs together: stored once, and referred to by its number.
#include "store/sqlite/database.h"
#include "store/sqlite/digest.h"

#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace fairlead::sqlite {

/// Knows the numbers and digests of what it stored. It forgets them all at a limit, and at a restart: the same row is then stored
/// once more.
class Dictionary {
 public:
  static constexpr std::size_t entries_max = 16'384;
  static constexpr std::size_t bytes_max = 8 << 20;  ///< of all keys

  /// `insert`: one parameter per value of a row.
  Dictionary(sqlite3* connection, std::string_view insert) : connection_(connection), insert_(connection, insert) {}

  /// The row with these values, which is stored if it is not known. Inside the caller's transaction.
  template <class... Values>
  Result<Ref> row_of(const Values&... values) {
    key_.clear();
    (append(values), ...);
    if (last_ != nullptr && last_->first == key_) return last_->second;  // as often: without a hash of it
    if (const auto known = rows_.find(std::string_view(key_)); known != rows_.end()) return (last_ = &*known)->second;
    if (auto done = insert_.run(values...); !done) return done.error();
    canon_.clear();
    canon_.add(values...);
    return remember();
  }
  /// After a transaction that was rolled back.
  void forget();

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const;
  };

  void append(std::string_view text);
  template <std::integral Integer>
  void append(Integer value) {
    const auto wide = static_cast<std::int64_t>(value);
    key_.append(reinterpret_cast<const char*>(&wide), sizeof wide);
  }
  void append(const Ref& row) { append(row.number); }
  void append(Int128 value) { key_.append(reinterpret_cast<const char*>(&value), sizeof value); }
  template <class Value>
  void append(const std::optional<Value>& value) {
    key_.push_back(value ? 1 : 0);
    if (value) append(*value);
  }
  Ref remember();

  sqlite3* connection_;
  Statement insert_;
  std::string key_;
  Canon canon_;
  Sha256 sha_;
  using Rows = std::unordered_map<std::string, Ref, Hash, std::equal_to<>>;
  Rows rows_;
  const Rows::value_type* last_ = nullptr;  ///< the one that was asked for
  std::size_t bytes_ = 0;
};

}  // namespace fairlead::sqlite
