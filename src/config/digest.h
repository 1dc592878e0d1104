#pragma once
// SHA-256 over parts, each with its length, so that two different sequences of parts never give the same digest. One thread.
#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

struct evp_md_ctx_st;

namespace fairlead::config {

using Sha256 = std::array<std::uint8_t, 32>;

Sha256 sha256(std::string_view bytes);
std::string hex(const Sha256& digest);

class Digest {
 public:
  Digest();
  ~Digest();
  Digest(const Digest&) = delete;
  Digest& operator=(const Digest&) = delete;
  void add(std::string_view part);
  /// Adds the SHA-256 of a secret, not the secret.
  void add_secret(std::string_view secret);
  /// Hex; ends the digest.
  std::string finish();

 private:
  evp_md_ctx_st* state_;
};

}  // namespace fairlead::config
