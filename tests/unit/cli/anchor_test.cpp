#include "cli/audit/anchor.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/file.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <future>
#include <string>

#include "unit/store/full_disk.h"
#include "unit/store/rows.h"

namespace fairlead::cli {
namespace {

using testing::HasSubstr;

struct AnchorTest : testing::Test {
  std::string text() const {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  std::string links() const {
    const auto anchors = read_anchors(path);
    if (!anchors) return anchors.error().message();
    std::string numbers;
    for (const ChainLink& anchor : *anchors) numbers += std::to_string(anchor.number) + anchor.hash + " ";
    return numbers;
  }
  test::Folder folder;
  std::string path = folder.file("anchors");
};

TEST_F(AnchorTest, IsALineOfItsOwn) {
  ASSERT_TRUE(add_anchor(path, {7, "ab"}, test::noon));
  EXPECT_EQ(text(), "{\"at\":\"2026-11-01T12:00:00.000000Z\",\"link\":7,\"hash\":\"ab\"}\n");
  std::filesystem::resize_file(path, text().size() - 1);  // as one that was copied by hand may end
  ASSERT_TRUE(add_anchor(path, {8, "cd"}, test::noon));
  EXPECT_EQ(links(), "7ab 8cd ");
}

TEST_F(AnchorTest, IsThereWholeOrNotAtAll) {
  for (const std::string& before :
       {std::string(), std::string("{\"link\":7,\"hash\":\"ab\"}\n"), std::string("{\"link\":7,\"hash\":\"ab\"}")}) {
    std::ofstream(path, std::ios::trunc) << before;
    for (const std::size_t room : {0, 1, 20}) {
      const test::FullDisk full(before.size() + room);
      const auto added = add_anchor(path, {8, "cd"}, test::noon);
      ASSERT_FALSE(added);
      EXPECT_THAT(added.error().message(), HasSubstr("'" + path + "' cannot be written"));
      EXPECT_EQ(text(), before) << room;
    }
    ASSERT_TRUE(add_anchor(path, {8, "cd"}, test::noon));
    EXPECT_EQ(links(), before.empty() ? "8cd " : "7ab 8cd ");
  }
}

TEST_F(AnchorTest, IsReadOnceItIsWhole) {
  std::ofstream file(path);
  file << "{\"link\":7," << std::flush;
  const int writer = ::open(path.c_str(), O_RDWR | O_CLOEXEC);
  ASSERT_EQ(::flock(writer, LOCK_EX), 0);
  auto reader = std::async(std::launch::async, [this] { return links(); });
  EXPECT_EQ(reader.wait_for(std::chrono::milliseconds(100)), std::future_status::timeout);
  file << "\"hash\":\"ab\"}\n" << std::flush;
  ::close(writer);
  EXPECT_EQ(reader.get(), "7ab ");
}

TEST_F(AnchorTest, AFileThatCannotBeReadIsNotTakenForOneWithoutAnchors) {
  EXPECT_THAT(links(), "") << "there is none";
  EXPECT_FALSE(read_anchors(folder.file("")));
  EXPECT_FALSE(read_anchors("/proc/self/mem")) << "it opens, and cannot be read";
}

}  // namespace
}  // namespace fairlead::cli
