#pragma once
// Sets of small numbers, all of one size: what the prover computes with. Plain values.
#include <algorithm>
#include <bit>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace fairlead::prove {

class Bits {
 public:
  Bits() = default;
  explicit Bits(std::size_t size) : words_((size + 63) / 64) {}

  void add(std::size_t i) { words_[i / 64] |= std::uint64_t{1} << (i % 64); }
  bool has(std::size_t i) const { return (words_[i / 64] >> (i % 64) & 1) != 0; }
  void flip(std::size_t i) { words_[i / 64] ^= std::uint64_t{1} << (i % 64); }
  void keep(const Bits& other) {
    for (std::size_t i = 0; i < words_.size(); ++i) words_[i] &= other.words_[i];
  }
  bool none() const {
    return std::all_of(words_.begin(), words_.end(), [](std::uint64_t word) { return word == 0; });
  }
  std::size_t count() const {
    std::size_t count = 0;
    for (const std::uint64_t word : words_) count += static_cast<std::size_t>(std::popcount(word));
    return count;
  }
  bool within(const Bits& other) const {
    for (std::size_t i = 0; i < words_.size(); ++i)
      if ((words_[i] & ~other.words_[i]) != 0) return false;
    return true;
  }
  /// Have all three a number in common?
  static bool meet(const Bits& a, const Bits& b, const Bits& c) {
    for (std::size_t i = 0; i < a.words_.size(); ++i)
      if ((a.words_[i] & b.words_[i] & c.words_[i]) != 0) return true;
    return false;
  }
  auto operator<=>(const Bits&) const = default;

  struct Hash {
    std::size_t operator()(const Bits& bits) const {
      std::uint64_t hash = 0;
      for (const std::uint64_t word : bits.words_) {
        hash = (hash ^ word) * 0x9e3779b97f4a7c15;
        hash ^= hash >> 29;
      }
      return hash;
    }
  };

 private:
  std::vector<std::uint64_t> words_;
};

/// Both together.
inline Bits common(Bits a, const Bits& b) {
  a.keep(b);
  return a;
}

}  // namespace fairlead::prove
