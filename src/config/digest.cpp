#include "config/digest.h"

#include <fairlead/hex.h>

#include <openssl/evp.h>

namespace fairlead::config {

Sha256 sha256(std::string_view bytes) {
  Sha256 digest{};
  unsigned size = 0;
  EVP_Digest(bytes.data(), bytes.size(), digest.data(), &size, EVP_sha256(), nullptr);
  return digest;
}

std::string hex(const Sha256& digest) { return fairlead::hex({reinterpret_cast<const char*>(digest.data()), digest.size()}); }

Digest::Digest() : state_(EVP_MD_CTX_new()) { EVP_DigestInit_ex(state_, EVP_sha256(), nullptr); }
Digest::~Digest() { EVP_MD_CTX_free(state_); }

void Digest::add(std::string_view part) {
  const std::string length = std::to_string(part.size()) + ":";
  EVP_DigestUpdate(state_, length.data(), length.size());
  EVP_DigestUpdate(state_, part.data(), part.size());
}

void Digest::add_secret(std::string_view secret) { add(hex(sha256(secret))); }

std::string Digest::finish() {
  Sha256 digest{};
  unsigned size = 0;
  EVP_DigestFinal_ex(state_, digest.data(), &size);
  return hex(digest);
}

}  // namespace fairlead::config
