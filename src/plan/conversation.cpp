#include "plan/conversation.h"

#include <cstring>
#include <string_view>

namespace fairlead {
namespace {

constexpr std::size_t hashed_bytes_max = 40;  // of each end

std::uint64_t mixed(std::uint64_t a, std::uint64_t b) {
  __extension__ using Wide = unsigned __int128;
  const Wide product = static_cast<Wide>(a ^ 0x9e3779b97f4a7c15) * (b ^ 0xe7037ed1a0b428db);
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

std::uint64_t hash_bytes(std::uint64_t hash, std::string_view text) {
  hash = mixed(hash, text.size());
  std::uint64_t word = 0;
  for (; text.size() >= sizeof word; text.remove_prefix(sizeof word)) {
    std::memcpy(&word, text.data(), sizeof word);
    hash = mixed(hash, word);
  }
  word = 0;
  std::memcpy(&word, text.data(), text.size());
  return mixed(hash, word);
}

std::uint64_t hash_ends(std::uint64_t hash, std::string_view text) {
  if (text.size() <= 2 * hashed_bytes_max) return hash_bytes(hash, text);
  hash = hash_bytes(mixed(hash, text.size()), text.substr(0, hashed_bytes_max));
  return hash_bytes(hash, text.substr(text.size() - hashed_bytes_max));
}

}  // namespace

Conversation conversation_of(const ChatRequest& request, const Key& key) {
  Conversation found;
  const std::size_t begin = request.messages_begin;
  if (request.conversation_end < begin + cached_bytes_min) return found;
  const std::string_view body = request.body;
  const std::uint64_t opening = hash_ends(hash_bytes(0, key.name), body.substr(begin, request.opening_end - begin));
  found.whole = hash_ends(opening, body.substr(request.opening_end, request.conversation_end - request.opening_end));
  if (request.opening_end < begin + cached_bytes_min) return found;
  found.opening = opening;
  found.opening_share = static_cast<double>(request.opening_end - begin) / static_cast<double>(request.prompt_bytes);
  return found;
}

}  // namespace fairlead
