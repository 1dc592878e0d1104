#pragma once
// Certificates made for one test, and their PEM files.
#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <stdexcept>
#include <string>

namespace fairlead::net::test {

struct OpenSslFree {
  void operator()(X509* x) const { X509_free(x); }
  void operator()(EVP_PKEY* k) const { EVP_PKEY_free(k); }
};
using CertificatePtr = std::unique_ptr<X509, OpenSslFree>;
using PrivateKeyPtr = std::unique_ptr<EVP_PKEY, OpenSslFree>;

/// A certificate and its key.
struct Identity {
  CertificatePtr certificate;
  PrivateKeyPtr key;
};

struct Wanted {
  std::string common_name = "test";
  std::string san;  ///< as OpenSSL writes it: "DNS:localhost,IP:127.0.0.1"; empty: none
  int from_days = -1, until_days = 30;
  bool is_ca = false;
};

inline void add_extension(X509* certificate, X509* issuer, int nid, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str());
  if (extension == nullptr) throw std::runtime_error("extension: " + value);
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

/// Signed by `issuer`, or by itself if that is null.
inline Identity make_identity(const Wanted& wanted, const Identity* issuer = nullptr) {
  static long serial = 0;
  Identity made{CertificatePtr(X509_new()), PrivateKeyPtr(EVP_EC_gen("P-256"))};
  X509* certificate = made.certificate.get();
  X509* issued_by = issuer != nullptr ? issuer->certificate.get() : certificate;
  X509_set_version(certificate, X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), ++serial);
  X509_gmtime_adj(X509_getm_notBefore(certificate), wanted.from_days * 86'400L);
  X509_gmtime_adj(X509_getm_notAfter(certificate), wanted.until_days * 86'400L);
  X509_set_pubkey(certificate, made.key.get());
  X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>(wanted.common_name.c_str()), -1, -1, 0);
  X509_set_issuer_name(certificate, X509_get_subject_name(issued_by));
  if (wanted.is_ca) add_extension(certificate, issued_by, NID_basic_constraints, "critical,CA:TRUE");
  if (!wanted.san.empty()) add_extension(certificate, issued_by, NID_subject_alt_name, wanted.san);
  X509_sign(certificate, issuer != nullptr ? issuer->key.get() : made.key.get(), EVP_sha256());
  return made;
}

/// A folder of its own, gone at the end.
class Folder {
 public:
  Folder() {
    std::string name = (std::filesystem::temp_directory_path() / "fairlead-net-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp");
    path_ = name;
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  std::string file(const std::string& name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

inline void write_certificate(const std::string& path, const Identity& identity) {
  std::FILE* file = std::fopen(path.c_str(), "w");
  PEM_write_X509(file, identity.certificate.get());
  std::fclose(file);
}

inline void write_key(const std::string& path, const Identity& identity) {
  std::FILE* file = std::fopen(path.c_str(), "w");
  PEM_write_PrivateKey(file, identity.key.get(), nullptr, nullptr, 0, nullptr, nullptr);
  std::fclose(file);
}

inline std::string text_of_file(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

/// A CA, and a server's identity from it, as files.
struct Pki {
  explicit Pki(const Wanted& server = {"server", "DNS:localhost,IP:127.0.0.1"})
      : ca(make_identity({"test CA", "", -1, 30, true})), leaf(make_identity(server, &ca)) {
    write_certificate(ca_file, ca);
    write_certificate(certificate_file, leaf);
    write_key(key_file, leaf);
    ca_pem = text_of_file(ca_file);
  }

  std::string ca_pem;
  Folder folder;
  std::string ca_file = folder.file("ca.pem"), certificate_file = folder.file("server.pem"), key_file = folder.file("server.key");
  Identity ca, leaf;
};

}  // namespace fairlead::net::test
