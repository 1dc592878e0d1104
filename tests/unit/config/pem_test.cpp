// Certificates and keys that a configuration names are looked at before a daemon must use them.
#include "config/pem.h"

#include "config/config.h"
#include "pem_texts.h"
#include "world.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>

namespace fairlead::config {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

const std::string listener = "listen: {address: '127.0.0.1:1', tls: {certificate: c.pem, key: k.pem}}\n";
const std::string certificate_at = "f.yaml:1:53: listen[0].tls.certificate: ", key_at = "f.yaml:1:65: listen[0].tls.key: ";

World with_files(const std::string& certificate, const std::string& key) {
  World world;
  world.files = {{"f.yaml", listener + small_config}, {"c.pem", certificate}, {"k.pem", key}};
  return world;
}

TEST(Pem, a_pair_that_belongs_together_is_good) {
  const PemTexts pair = pem_texts();
  EXPECT_THAT(errors(with_files(pair.certificate, pair.key).load()), IsEmpty());
  EXPECT_THAT(errors(with_files(pair.key + pair.certificate, pair.certificate + pair.key).load()), IsEmpty()) << "in one file";
  EXPECT_THAT(errors(with_files("a remark\n" + pair.certificate, pair.key).load()), IsEmpty());
}

TEST(Pem, what_is_wrong_with_a_listeners_files_is_told_with_its_place) {
  const PemTexts pair = pem_texts(), other = pem_texts(), locked = pem_texts({}, "a passphrase");
  std::string broken = pair.certificate;
  broken.replace(broken.size() / 2, 8, "!!!!!!!!");
  const std::string chain = "; write the path of the chain, leaf first";
  struct Case {
    std::string certificate, key;
    std::vector<std::string> told;
  };
  const Case table[] = {
      {"text", pair.key, {certificate_at + "the file 'c.pem' holds no PEM certificate" + chain}},
      {pair.key, pair.key, {certificate_at + "the file 'c.pem' holds no PEM certificate" + chain}},
      {broken, pair.key, {certificate_at + "the file 'c.pem' holds a broken certificate" + chain}},
      {pair.certificate, other.key, {key_at + "the file 'k.pem' is not the key of the certificate"}},
      {pair.certificate, locked.key, {key_at + "the file 'k.pem' holds no PEM private key that opens without a passphrase"}},
      {pair.certificate, pair.certificate, {key_at + "the file 'k.pem' holds no PEM private key that opens without a passphrase"}},
      {"", pair.key, {certificate_at + "the file 'c.pem' is empty; relative paths are taken from the file that names them"}},
  };
  for (const Case& one : table) EXPECT_EQ(errors(with_files(one.certificate, one.key).load()), one.told);
}

TEST(Pem, a_file_of_authorities_without_any_is_told_with_its_place) {
  World world;
  world.files["f.yaml"] = small_config;
  world.files["f.yaml"].replace(small_config.find("operator: ZA"), 12, "ca_file: ca.pem");
  for (const std::string& content : {std::string("text"), pem_texts().key}) {
    world.files["ca.pem"] = content;
    EXPECT_THAT(
        errors(world.load()),
        ElementsAre("f.yaml:5:14: providers.here.ca_file: the file 'ca.pem' holds no PEM certificate; write the path of the "
                    "authorities' PEM file"));
  }
  world.files["ca.pem"] = pem_texts().certificate + "-----BEGIN CERTIFICATE-----\nAA\n";
  EXPECT_THAT(errors(world.load()), ElementsAre(testing::HasSubstr("the file 'ca.pem' holds a broken certificate")));
  world.files["ca.pem"] = pem_texts().certificate + pem_texts().certificate;
  EXPECT_THAT(errors(world.load()), IsEmpty());
}

TEST(Pem, a_certificate_that_has_ended_or_will_soon_is_warned_of) {
  const PemTexts pair = pem_texts({"test", "", -1, 30});
  World world = with_files(pair.certificate, pair.key);
  const auto today = std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now());
  const std::string warned_at = "f.yaml:1:53: warning: listen[0].tls.certificate: ";
  const auto warned_in = [&](int days) {
    world.now = [=] { return today + std::chrono::days(days); };
    return warnings(world.load());
  };
  EXPECT_THAT(warned_in(0), IsEmpty());
  EXPECT_THAT(warned_in(20), ElementsAre(warned_at + "the certificate ends within two weeks; apps refuse what has expired"));
  EXPECT_THAT(warned_in(31), ElementsAre(warned_at + "the certificate has expired; apps refuse what has expired"));
}

}  // namespace
}  // namespace fairlead::config
