#include "daemon/ledger_keys.h"

#include <fairlead/store.h>
#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>

namespace fairlead::daemon {
namespace {

TEST(LedgerKeys, WhatCouldNotBeTakenInIsTriedAgain) {
  const std::string folder = testing::TempDir() + "ledger_keys_test", ledger = "sqlite:" + folder + "/ledger.db";
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

}  // namespace
}  // namespace fairlead::daemon
