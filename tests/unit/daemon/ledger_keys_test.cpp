#include "daemon/ledger_keys.h"

#include <fairlead/store.h>
#include <gtest/gtest.h>

#include <unistd.h>
#include <boost/asio/io_context.hpp>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>

namespace fairlead::daemon {
namespace {

TEST(LedgerKeys, WhatCouldNotBeTakenInIsTriedAgain) {
  const std::string folder = testing::TempDir() + "ledger_keys_test_" + std::to_string(::getpid()),
                    ledger = "sqlite:" + folder + "/ledger.db";
  const std::string config_file = folder + "/fairlead.yaml";
  std::filesystem::remove_all(folder);
  std::filesystem::create_directories(folder);
  std::ofstream(config_file) << "listen: [\"127.0.0.1:0\"]\nledger: \"" << ledger
                             << "\"\nproviders: {one: {dialect: openai, base_url: \"http://127.0.0.1:1/v1\"}}\n"
                                "routes: {chat: {targets: [one/m]}}\n";
  ASSERT_TRUE(open_store(ledger, StoreMode::write));
  StoredKey key;
  key.name = "shop";
  key.hash = "sha256:" + std::string(64, 'a');
  key.options = R"({"routes":["chat"]})";
  ASSERT_TRUE((*open_key_store(ledger, 1'000))->add(key));

  asio::io_context io;
  ConfigFiles files;
  std::shared_ptr<const Snapshot> held;
  LedgerKeys keys(io.get_executor(), config_file, files,
                  {[&] { return held; }, [&](const std::shared_ptr<const Snapshot>& next) { held = next; }},
                  std::chrono::milliseconds(0));
  config::Loaded loaded = keys.load(files.fresh());
  ASSERT_TRUE(loaded.snapshot);
  ASSERT_TRUE(keys.open(loaded));
  held = loaded.snapshot;
  ASSERT_EQ(held->keys.size(), 1U);
  // The files are not taken: nothing can be built of them.
  EXPECT_EQ(keys.answer("POST", "/admin/v1/keys/shop/revoke", "{}").status, 422);
  EXPECT_EQ(held->keys.size(), 1U);
  files.take();
  keys.start();
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (!held->keys.empty() && std::chrono::steady_clock::now() < until) io.run_one();
  EXPECT_TRUE(held->keys.empty());
  std::filesystem::remove_all(folder);
}

/// What keeps an assertion is one key; that the files break it by themselves is no matter any more once they hold.
TEST(LedgerKeys, BreakNoAssertionAndAreRevokedWhateverTheFilesBreak) {
  const std::string folder = testing::TempDir() + "ledger_keys_assertions_" + std::to_string(::getpid()),
                    ledger = "sqlite:" + folder + "/ledger.db";
  const std::string config_file = folder + "/fairlead.yaml";
  std::filesystem::remove_all(folder);
  std::filesystem::create_directories(folder);
  const std::string files = "listen: [\"127.0.0.1:0\"]\nledger: \"" + ledger +
                            "\"\nproviders: {one: {dialect: openai, base_url: \"http://127.0.0.1:1/v1\", operator: US}}\n"
                            "routes: {chat: {targets: [one/m]}}\n"
                            "keys: [{name: app, hash: \"sha256:" +
                            std::string(64, 'b') + "\", team: blue, routes: [chat]}]\n";
  std::ofstream(config_file) << files << "assertions: [{name: a, never: {when: {team: red}, target: {operator: US}}}]\n";
  ASSERT_TRUE(open_store(ledger, StoreMode::write));
  const auto options = [](const std::string& team) { return R"({"name":"shop","routes":["chat"],"team":")" + team + "\"}"; };

  asio::io_context io;
  ConfigFiles config_files;
  std::shared_ptr<const Snapshot> held;
  LedgerKeys keys(io.get_executor(), config_file, config_files,
                  {[&] { return held; }, [&](const std::shared_ptr<const Snapshot>& next) { held = next; }});
  const auto take = [&] {
    config::Loaded loaded = keys.load(config_files.fresh());
    if (!loaded.snapshot || !keys.open(loaded)) return false;
    config_files.take();
    held = loaded.snapshot;
    return true;
  };
  ASSERT_TRUE(take());
  const AdminAnswer refused = keys.answer("POST", "/admin/v1/keys", options("red"));
  EXPECT_EQ(refused.status, 400);
  EXPECT_NE(
      refused.body.find("with this key the assertion 'a' does not hold: one/m may be reached, as by `--key shop --route chat"),
      std::string::npos)
      << refused.body;
  EXPECT_EQ(held->keys.size(), 1U);
  EXPECT_EQ(keys.answer("POST", "/admin/v1/keys", options("green")).status, 201);
  EXPECT_EQ(held->keys.size(), 2U);

  std::ofstream(config_file) << files << "assertions: [{name: a, never: {when: {team: blue}, target: {operator: US}}}]\n";
  EXPECT_FALSE(take()) << "the files break it";
  std::ofstream(config_file) << files << "assertions: [{name: a, never: {when: {team: green}, target: {operator: US}}}]\n";
  EXPECT_TRUE(take());
  EXPECT_EQ(held->keys.size(), 1U) << "the key does, and is left out";

  // As if time had shown what the files break.
  std::ofstream(config_file) << files;
  ASSERT_TRUE(take());
  EXPECT_EQ(held->keys.size(), 2U);
  std::ofstream(config_file) << files << "assertions: [{name: a, never: {when: {team: blue}, target: {operator: US}}}]\n";
  (void)keys.load(config_files.fresh());
  config_files.take();
  EXPECT_EQ(keys.answer("POST", "/admin/v1/keys/shop/revoke", "{}").status, 200);
  EXPECT_EQ(held->keys.size(), 1U);
  EXPECT_EQ(held->assertions.size(), 1U);
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace fairlead::daemon
