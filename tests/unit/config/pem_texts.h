#pragma once
// Certificates and keys as texts, made for one test.
#include "unit/net/certificates.h"

#include <string>

namespace fairlead::config {

struct PemTexts {
  std::string certificate, key;
};

inline std::string text_of(BIO* bio) {
  char* bytes = nullptr;
  const long size = BIO_get_mem_data(bio, &bytes);
  std::string text(bytes, static_cast<std::size_t>(size));
  BIO_free(bio);
  return text;
}

/// Of the usual kind, or with a passphrase for its key.
inline PemTexts pem_texts(const net::test::Wanted& wanted = {}, const char* passphrase = nullptr) {
  const net::test::Identity made = net::test::make_identity(wanted);
  BIO* certificate = BIO_new(BIO_s_mem());
  PEM_write_bio_X509(certificate, made.certificate.get());
  BIO* key = BIO_new(BIO_s_mem());
  const auto* secret = reinterpret_cast<const unsigned char*>(passphrase);
  PEM_write_bio_PrivateKey(key, made.key.get(), passphrase ? EVP_aes_128_cbc() : nullptr, secret,
                           passphrase ? static_cast<int>(std::string(passphrase).size()) : 0, nullptr, nullptr);
  return {text_of(certificate), text_of(key)};
}

}  // namespace fairlead::config
