#include "plan/authenticate.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <algorithm>
#include <array>

namespace fairlead {
namespace {

constexpr std::size_t presented_bytes_max = 512;
constexpr std::string_view scheme = "bearer ";

using Digest = decltype(Key::sha256);

/// What follows the scheme; empty if there is no key to speak of.
std::string_view presented_key(std::string_view authorization) {
  const auto same = [](char given, char lower) { return (given >= 'A' && given <= 'Z' ? given - 'A' + 'a' : given) == lower; };
  if (authorization.size() < scheme.size() ||
      !std::equal(scheme.begin(), scheme.end(), authorization.begin(), [&](char lower, char given) { return same(given, lower); }))
    return {};
  const std::string_view key = authorization.substr(scheme.size());
  return key.size() <= presented_bytes_max ? key : std::string_view{};
}

bool digest_of(std::string_view text, Digest& digest) {
  unsigned int length = 0;
  return EVP_Digest(text.data(), text.size(), digest.data(), &length, EVP_sha256(), nullptr) == 1 && length == digest.size();
}

}  // namespace

Result<const Key*> authenticate(std::string_view authorization, const Snapshot& snapshot) {
  const Key* found = nullptr;
  Digest digest{};
  const std::string_view presented = presented_key(authorization);
  if (!presented.empty() && digest_of(presented, digest)) {
    // Every key is compared, the right one included, so that time tells nothing of where or whether it stands.
    for (const Key& key : snapshot.keys)
      if (CRYPTO_memcmp(key.sha256.data(), digest.data(), digest.size()) == 0) found = &key;
  }
  if (!found) return Error(ErrorKind::unauthorized, ErrorOrigin::app, "The API key is missing or not valid.");
  return found;
}

}  // namespace fairlead
