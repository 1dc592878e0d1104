#pragma once
// SHA-256 of a row's values, in one way of writing them: what the chain of `fairlead audit` is made of. One thread at a time.
#include <fairlead/money.h>
#include <fairlead/time.h>

#include <array>
#include <concepts>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

struct evp_md_ctx_st;

namespace fairlead::sqlite {

using Digest = std::array<unsigned char, 32>;
std::string_view bytes_of(const Digest& digest);

/// A row of a dictionary: its number, which lines store, and the digest of what it says.
struct Ref {
  std::int64_t number = 0;
  Digest digest{};
};

class Sha256 {
 public:
  Sha256();
  Digest of(std::string_view bytes);

 private:
  struct Free {
    void operator()(evp_md_ctx_st* state) const;
  };
  std::unique_ptr<evp_md_ctx_st, Free> state_;
};

/// Values one after another, so that different values are different bytes: NULL is 0; an integer is its length plus 1 and the
/// bytes, lowest first (0 has none); a text is 16, its length as an integer, and the text; the digest of another row is 17 and it.
class Canon {
 public:
  void clear() { bytes_.clear(); }
  std::string_view bytes() const { return bytes_; }
  template <class... Values>
  Canon& add(const Values&... values) {
    (put(values), ...);
    return *this;
  }

 private:
  void put(std::nullopt_t) { bytes_.push_back('\0'); }
  void put(std::int64_t value);
  void put(std::string_view text);
  void put(const Ref& row);
  void put(Int128 amount) { put(static_cast<std::int64_t>(amount)); }
  void put(TimePoint time) { put(static_cast<std::int64_t>(time.time_since_epoch().count())); }
  template <std::integral Integer>
  void put(Integer value) {
    put(static_cast<std::int64_t>(value));
  }
  template <class Value>
  void put(const std::optional<Value>& value) {
    value ? put(*value) : put(std::nullopt);
  }

  std::string bytes_;
};

/// The first 48 bits of a line's digest, kept in the line itself: they name the line that was changed.
std::int64_t seal_of(const Digest& digest);

}  // namespace fairlead::sqlite
