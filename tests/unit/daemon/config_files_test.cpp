#include "daemon/config_files.h"

#include <gtest/gtest.h>

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

namespace fairlead::daemon {
namespace {

TEST(ConfigFiles, OneLoadMixesNoTwoContentsOfAFile) {
  const std::string path = testing::TempDir() + "config_files_test_" + std::to_string(::getpid()) + ".yaml";
  const auto write = [&](const std::string& text) { std::ofstream(path) << text; };
  ConfigFiles files;
  write("first");
  const auto sources = files.fresh();
  EXPECT_EQ(sources.read_file(path), "first");
  write("second");
  EXPECT_EQ(sources.read_file(path), "first");
  files.take();
  EXPECT_EQ(files.taken().read_file(path), "first");
  EXPECT_EQ(files.fresh().read_file(path), "second");
  std::filesystem::remove(path);
}

}  // namespace
}  // namespace fairlead::daemon
