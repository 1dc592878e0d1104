#include "daemon/keys_admin.h"

#include <fairlead/store.h>
#include <gtest/gtest.h>

#include <unistd.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

namespace fairlead::daemon {
namespace {

class KeysAdminTest : public testing::Test {
 protected:
  void SetUp() override {
    std::filesystem::remove_all(folder);
    std::filesystem::create_directories(folder);
    const std::string ledger = "sqlite:" + folder + "/ledger.db";
    ASSERT_TRUE(open_store(ledger, StoreMode::write));
    ASSERT_TRUE(keyring.open(ledger));
    for (const char* name : {"shop", "till"}) {
      StoredKey key;
      key.name = name;
      key.hash = hash_of(name);
      key.options = "{}";
      ASSERT_TRUE(keyring.store().add(key));
    }
  }
  void TearDown() override { std::filesystem::remove_all(folder); }

  AdminAnswer ask(const std::string& path, const Result<void>& outcome) {
    const KeyDesk desk{keyring, nullptr, [] { return std::make_shared<const Snapshot>(); }, [&] { return outcome; }};
    return answer_about_keys(desk, "POST", std::string(keys_path) + path, "{}");
  }

  std::string folder = testing::TempDir() + "keys_admin_test_" + std::to_string(::getpid());
  Keyring keyring;
};

const Error not_built(ErrorKind::config, ErrorOrigin::fairlead, "the configuration could not be built anew");

TEST_F(KeysAdminTest, ARevocationThatDoesNotHoldIsNoSuccess) {
  EXPECT_EQ(ask("/shop/revoke", {}).status, 200);
  const AdminAnswer answer = ask("/till/revoke", not_built);
  EXPECT_EQ(answer.status, 422);
  EXPECT_NE(answer.body.find("it is revoked in the ledger, and still holds here: the configuration could not"), std::string::npos)
      << answer.body;
  ASSERT_TRUE(keyring.look());
  for (const StoredKey& row : keyring.rows()) EXPECT_TRUE(row.revoked_at) << row.name;
}

TEST_F(KeysAdminTest, ASecretThatDoesNotHoldYetIsToldAllTheSame) {
  const auto made = nlohmann::json::parse(ask("/shop/rotate", not_built).body);
  EXPECT_EQ(made.at("key").get<std::string>().rfind("sk-fl-", 0), 0U);
  EXPECT_EQ(made.at("not_yet"), "the configuration could not be built anew");
  EXPECT_FALSE(nlohmann::json::parse(ask("/till/rotate", {}).body).contains("not_yet"));
}

TEST_F(KeysAdminTest, AKeyThatIsLeftOutIsNotMadeThoughNoFindingSaysWhy) {
  const LoadWith load_with = [](const std::vector<StoredKey>&) {  // more findings than are told are about others
    config::Loaded loaded;
    loaded.snapshot = std::make_shared<const Snapshot>();
    return loaded;
  };
  const KeyDesk desk{keyring, load_with, [] { return std::make_shared<const Snapshot>(); }, [] { return Result<void>(); }};
  const AdminAnswer answer = answer_about_keys(desk, "POST", keys_path, R"({"name":"fresh"})");
  EXPECT_EQ(answer.status, 400);
  EXPECT_NE(answer.body.find("no key was made: the configuration does not take it"), std::string::npos) << answer.body;
  ASSERT_TRUE(keyring.look());
  EXPECT_EQ(keyring.rows().size(), 2U);
}

}  // namespace
}  // namespace fairlead::daemon
