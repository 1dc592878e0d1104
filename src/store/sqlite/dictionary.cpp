#include "store/sqlite/dictionary.h"

#include <cstring>

namespace fairlead::sqlite {

/// Eight bytes at a time, in four lanes: plans are long, and this is done for each request.
std::size_t Dictionary::Hash::operator()(std::string_view text) const {
  constexpr std::uint64_t odd = 0x9e3779b97f4a7c15;
  constexpr std::size_t lanes = 4;
  std::uint64_t lane[lanes] = {text.size(), odd, ~odd, odd << 1};
  const auto mix = [](std::uint64_t& into, const char* bytes, std::size_t count) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes, count);
    into = (into ^ word) * odd;
    into ^= into >> 32;
  };
  std::size_t at = 0;
  for (; at + lanes * sizeof(std::uint64_t) <= text.size(); at += lanes * sizeof(std::uint64_t))
    for (std::size_t i = 0; i < lanes; ++i) mix(lane[i], text.data() + at + i * sizeof(std::uint64_t), sizeof(std::uint64_t));
  for (; at + sizeof(std::uint64_t) <= text.size(); at += sizeof(std::uint64_t))
    mix(lane[0], text.data() + at, sizeof(std::uint64_t));
  mix(lane[0], text.data() + at, text.size() - at);
  for (std::size_t i = 1; i < lanes; ++i) lane[0] = (lane[0] ^ lane[i]) * odd, lane[0] ^= lane[0] >> 29;
  return lane[0];
}

void Dictionary::append(std::string_view text) {
  append(text.size());
  key_.append(text);
}

Ref Dictionary::remember() {
  if (rows_.size() >= entries_max || bytes_ > bytes_max) forget();
  bytes_ += key_.size();
  last_ = &*rows_.emplace(key_, Ref{sqlite3_last_insert_rowid(connection_), sha_.of(canon_.bytes())}).first;
  return last_->second;
}

void Dictionary::forget() {
  rows_.clear();
  last_ = nullptr;
  bytes_ = 0;
}

}  // namespace fairlead::sqlite
