#include "wire/pem.h"

#include <openssl/err.h>
#include <openssl/pem.h>

#include <utility>

namespace fairlead::wire {
namespace {

struct BioFree {
  void operator()(BIO* bio) const { BIO_free(bio); }
};

}  // namespace

void CertificateFree::operator()(x509_st* certificate) const { X509_free(certificate); }

std::vector<Certificate> read_certificates(std::string_view pem) {
  const std::unique_ptr<BIO, BioFree> bytes(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  std::vector<Certificate> certificates;
  ERR_clear_error();
  while (Certificate next{PEM_read_bio_X509_AUX(bytes.get(), nullptr, no_passphrase, nullptr)})
    certificates.push_back(std::move(next));
  const bool at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  ERR_clear_error();
  if (!at_end) certificates.clear();
  return certificates;
}

int no_passphrase(char*, int, int, void*) { return -1; }

}  // namespace fairlead::wire
