#include "plan/authenticate.h"

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <memory>
#include <string>
#include <utility>

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

/// SHA-256, fetched once per thread: OpenSSL's look-up by name, which EVP_sha256() repeats each time, costs more than the digest
/// does.
class Sha256 {
 public:
  bool digest(std::string_view text, Digest& into) {
    unsigned int length = 0;
    return context_ && sha256_ && EVP_DigestInit_ex2(context_.get(), sha256_.get(), nullptr) == 1 &&
           EVP_DigestUpdate(context_.get(), text.data(), text.size()) == 1 &&
           EVP_DigestFinal_ex(context_.get(), into.data(), &length) == 1 && length == into.size();
  }

 private:
  struct Free {
    void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
    void operator()(EVP_MD* sha256) const { EVP_MD_free(sha256); }
  };
  std::unique_ptr<EVP_MD, Free> sha256_{EVP_MD_fetch(nullptr, "SHA256", nullptr)};
  std::unique_ptr<EVP_MD_CTX, Free> context_{EVP_MD_CTX_new()};
};

bool digest_of(std::string_view text, Digest& digest) {
  thread_local Sha256 sha256;
  return sha256.digest(text, digest);
}

/// For the log alone: whoever still uses a key that has ended can be found. The app is told nothing of it.
std::string known_of(const Digest& digest, const Key* expired, const Key* former, const Snapshot& snapshot) {
  if (expired) return "the key '" + expired->name + "' has expired";
  if (former) return "a former secret of the key '" + former->name + "', whose grace is over";
  const auto& ended = snapshot.ended_secrets;
  const auto by_digest = [](const EndedSecret& secret, const Digest& looked_for) { return secret.sha256 < looked_for; };
  const auto at = std::lower_bound(ended.begin(), ended.end(), digest, by_digest);
  if (at == ended.end() || at->sha256 != digest) return {};
  if (at->revoked) return "the key '" + at->key + "' was revoked";
  return "a former secret of the key '" + at->key + "', whose grace is over";
}

}  // namespace

Result<const Key*> authenticate(std::string_view authorization, const Snapshot& snapshot, TimePoint now) {
  const Key *found = nullptr, *former = nullptr, *expired = nullptr;
  Digest digest{};
  std::string known;
  const std::string_view presented = presented_key(authorization);
  if (!presented.empty() && digest_of(presented, digest)) {
    // Time may tell of digests that are there, and a digest tells nobody its key.
    const auto by_digest = [](const auto& secret, const Digest& looked_for) { return secret.sha256 < looked_for; };
    auto secret = std::lower_bound(snapshot.secrets.begin(), snapshot.secrets.end(), digest, by_digest);
    for (; secret != snapshot.secrets.end() && secret->sha256 == digest; ++secret)
      (now < secret->until ? found : former) = &snapshot.keys.at(static_cast<std::size_t>(secret->key));
    if (found && found->expires_at && now >= *found->expires_at) expired = std::exchange(found, nullptr);
    if (!found) known = known_of(digest, expired, former, snapshot);
  }
  if (!found) return Error(ErrorKind::unauthorized, ErrorOrigin::app, "The API key is missing or not valid.", std::move(known));
  return found;
}

}  // namespace fairlead
