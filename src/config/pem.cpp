#include "config/pem.h"

#include "wire/pem.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <ctime>
#include <memory>

namespace fairlead::config {
namespace {

struct Free {
  void operator()(BIO* bio) const { BIO_free(bio); }
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};

}  // namespace

std::string wrong_with_certificates(std::string_view pem) {
  if (!wire::read_certificates(pem).empty()) return {};
  const bool marked = pem.find("-----BEGIN") != std::string_view::npos && pem.find("CERTIFICATE-----") != std::string_view::npos;
  return marked ? "holds a broken certificate" : "holds no PEM certificate";
}

std::string wrong_with_key(std::string_view pem, std::string_view certificate_pem) {
  const std::unique_ptr<BIO, Free> bytes(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  const std::unique_ptr<EVP_PKEY, Free> key(PEM_read_bio_PrivateKey(bytes.get(), nullptr, wire::no_passphrase, nullptr));
  const auto certificates = wire::read_certificates(certificate_pem);
  ERR_clear_error();
  if (!key) return "holds no PEM private key that opens without a passphrase";
  if (!certificates.empty() && X509_check_private_key(certificates.front().get(), key.get()) != 1) {
    ERR_clear_error();
    return "is not the key of the certificate";
  }
  return {};
}

std::optional<TimePoint> certificate_end(std::string_view pem) {
  const auto certificates = wire::read_certificates(pem);
  std::tm end{};
  if (certificates.empty() || ASN1_TIME_to_tm(X509_get0_notAfter(certificates.front().get()), &end) != 1) return std::nullopt;
  return TimePoint(std::chrono::seconds(::timegm(&end)));
}

}  // namespace fairlead::config
