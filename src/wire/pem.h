#pragma once
// Certificates out of PEM text: one reading, so that what the configuration finds good is what TLS takes. Pure; any thread. Used by
// config/pem and net/tls.
#include <memory>
#include <string_view>
#include <vector>

struct x509_st;

namespace fairlead::wire {

struct CertificateFree {
  void operator()(x509_st* certificate) const;
};
using Certificate = std::unique_ptr<x509_st, CertificateFree>;

/// All of them, in their order; what else is in the text is passed over. Empty: there is none, or one is broken.
std::vector<Certificate> read_certificates(std::string_view pem);

/// For OpenSSL, which would ask at a terminal: there is none.
int no_passphrase(char*, int, int, void*);

}  // namespace fairlead::wire
