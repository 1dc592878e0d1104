#include "config/pem.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <ctime>
#include <memory>

namespace fairlead::config {
namespace {

struct Free {
  void operator()(BIO* bio) const { BIO_free(bio); }
  void operator()(X509* certificate) const { X509_free(certificate); }
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};

int no_passphrase(char*, int, int, void*) { return -1; }

std::unique_ptr<BIO, Free> bytes_of(std::string_view text) {
  return std::unique_ptr<BIO, Free>(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

std::unique_ptr<X509, Free> next_certificate(BIO* bytes) {
  return std::unique_ptr<X509, Free>(PEM_read_bio_X509_AUX(bytes, nullptr, no_passphrase, nullptr));
}

std::unique_ptr<X509, Free> first_certificate(std::string_view pem) {
  auto certificate = next_certificate(bytes_of(pem).get());
  ERR_clear_error();
  return certificate;
}

/// There is one, and none is broken.
bool all_are_certificates(std::string_view pem) {
  const auto bytes = bytes_of(pem);
  ERR_clear_error();
  bool any = false;
  while (next_certificate(bytes.get())) any = true;
  const bool at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  ERR_clear_error();
  return any && at_end;
}

}  // namespace

std::string wrong_with_certificates(std::string_view pem) {
  if (all_are_certificates(pem)) return {};
  const bool marked = pem.find("-----BEGIN") != std::string_view::npos && pem.find("CERTIFICATE-----") != std::string_view::npos;
  return marked ? "holds a broken certificate" : "holds no PEM certificate";
}

std::string wrong_with_key(std::string_view pem, std::string_view certificate_pem) {
  const auto bytes = bytes_of(pem);
  const std::unique_ptr<EVP_PKEY, Free> key(PEM_read_bio_PrivateKey(bytes.get(), nullptr, no_passphrase, nullptr));
  const auto certificate = first_certificate(certificate_pem);
  ERR_clear_error();
  if (!key) return "holds no PEM private key that opens without a passphrase";
  if (certificate && X509_check_private_key(certificate.get(), key.get()) != 1) {
    ERR_clear_error();
    return "is not the key of the certificate";
  }
  return {};
}

std::optional<TimePoint> certificate_end(std::string_view pem) {
  const auto certificate = first_certificate(pem);
  std::tm end{};
  if (!certificate || ASN1_TIME_to_tm(X509_get0_notAfter(certificate.get()), &end) != 1) return std::nullopt;
  return TimePoint(std::chrono::seconds(::timegm(&end)));
}

}  // namespace fairlead::config
