#include "store/sqlite/digest.h"

#include <openssl/evp.h>

#include <cstdlib>

namespace fairlead::sqlite {
namespace {

constexpr char text_mark = 16, row_mark = 17;
constexpr int seal_bytes = 6;

/// Asked for once: each look-up by name costs more than a line's digest.
const EVP_MD* algorithm() {
  static const EVP_MD* const found = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  return found;
}

}  // namespace

std::string_view bytes_of(const Digest& digest) { return {reinterpret_cast<const char*>(digest.data()), digest.size()}; }

void Sha256::Free::operator()(evp_md_ctx_st* state) const { EVP_MD_CTX_free(state); }

Sha256::Sha256() : state_(EVP_MD_CTX_new()) {}

Digest Sha256::of(std::string_view bytes) {
  Digest digest;
  if (EVP_DigestInit_ex2(state_.get(), algorithm(), nullptr) != 1 ||
      EVP_DigestUpdate(state_.get(), bytes.data(), bytes.size()) != 1 ||
      EVP_DigestFinal_ex(state_.get(), digest.data(), nullptr) != 1)
    std::abort();  // a library without SHA-256
  return digest;
}

void Canon::put(std::int64_t value) {
  auto rest = static_cast<std::uint64_t>(value);
  char out[1 + sizeof rest];
  int size = 0;
  for (; rest != 0; rest >>= 8) out[++size] = static_cast<char>(rest);
  out[0] = static_cast<char>(size + 1);
  bytes_.append(out, static_cast<std::size_t>(size) + 1);
}

void Canon::put(std::string_view text) {
  bytes_.push_back(text_mark);
  put(static_cast<std::int64_t>(text.size()));
  bytes_.append(text);
}

void Canon::put(const Ref& row) {
  bytes_.push_back(row_mark);
  bytes_.append(bytes_of(row.digest));
}

std::int64_t seal_of(const Digest& digest) {
  std::uint64_t bits = 0;
  for (int i = 0; i < seal_bytes; ++i) bits = bits << 8 | digest[static_cast<std::size_t>(i)];
  constexpr int unused = 64 - 8 * seal_bytes;
  return static_cast<std::int64_t>(bits << unused) >> unused;  // with a sign: SQLite then needs no byte more
}

}  // namespace fairlead::sqlite
