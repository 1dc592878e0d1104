// Where a watch looks, and what it tells.
#include "daemon/watch.h"

#include "unit/net/certificates.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace fairlead::daemon {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::Pair;

class WatchTest : public testing::Test {
 protected:
  std::string path(const std::string& name) const { return name.empty() ? folder().string() : (folder() / name).string(); }
  fs::path folder() const { return fs::canonical(fs::path(folder_.file("f")).parent_path()); }
  void write(const std::string& name, const std::string& text = "x") { std::ofstream(path(name)) << text; }
  Places places(const std::string& name) const { return places_of({path(name)}); }

  static constexpr Watch::Pace pace{std::chrono::milliseconds{100}, std::chrono::milliseconds{500}};
  net::test::Folder folder_;
};

TEST_F(WatchTest, looks_for_a_plain_file_in_its_folder) {
  write("f");
  EXPECT_THAT(places("f"), ElementsAre(Pair(path(""), ElementsAre("f"))));
}

TEST_F(WatchTest, looks_at_every_link_on_the_way) {
  fs::create_directory(path("v1"));
  write("v1/f");
  fs::create_symlink("v1", path("data"));
  fs::create_symlink("data/f", path("f"));
  EXPECT_THAT(places("f"), ElementsAre(Pair(path(""), ElementsAre("data", "f")), Pair(path("v1"), ElementsAre("f"))));
  fs::create_symlink(path("v1"), path("absolute"));
  EXPECT_THAT(places("absolute/../v1/f"), ElementsAre(Pair(path(""), ElementsAre("absolute")), Pair(path("v1"), ElementsAre("f"))));
}

TEST_F(WatchTest, looks_for_the_first_part_that_is_not_there_yet) {
  EXPECT_THAT(places("a/b/f"), ElementsAre(Pair(path(""), ElementsAre("a"))));
  fs::create_symlink("nowhere", path("f"));
  EXPECT_THAT(places("f"), ElementsAre(Pair(path(""), ElementsAre("f", "nowhere"))));
}

TEST_F(WatchTest, ends_where_links_lead_in_a_circle) {
  fs::create_symlink("b", path("a"));
  fs::create_symlink("a", path("b"));
  EXPECT_THAT(places("a"), ElementsAre(Pair(path(""), ElementsAre("a", "b"))));
}

TEST_F(WatchTest, tells_changes_that_come_together_once) {
  asio::io_context io;
  int told = 0;
  Watch watch(
      io.get_executor(), [&] { ++told; }, pace);
  write("f");
  ASSERT_TRUE(watch.look_at({path("f")}));
  while (told == 0) io.run_one();  // the place is new
  for (int i = 0; i < 50; ++i) write("f", std::to_string(i));
  ASSERT_TRUE(watch.look_at({path("f")})) << "the same place again tells nothing";
  while (told == 1) io.run_one();
  write("beside");
  io.run_for(2 * pace.quiet);
  EXPECT_EQ(told, 2);
  watch.stop();
  io.restart();
  EXPECT_EQ(io.run(), 1u) << "the wait that was cancelled, and nothing else";
  EXPECT_EQ(told, 2);
}

TEST_F(WatchTest, waits_until_a_file_that_is_open_was_not_written_for_a_while) {
  asio::io_context io;
  int told = 0;
  write("f");
  Watch watch(io.get_executor(), [&] { ++told; }, {pace.quiet, std::chrono::minutes{1}});
  ASSERT_TRUE(watch.look_at({path("f")}));
  while (told == 0) io.run_one();  // the place is new
  write("f", "one half, ");
  std::ofstream other(path("f"), std::ios::app);  // tells nothing before it is closed
  auto written = std::chrono::steady_clock::now();
  for (int i = 0; i < 30; ++i) {
    other << "a bit" << std::flush;
    written = std::chrono::steady_clock::now();
    io.run_for(pace.quiet / 10);
    ASSERT_TRUE(told == 1 || std::chrono::steady_clock::now() - written > pace.quiet / 2) << i;
    if (told > 1) return;  // a very slow machine
  }
  while (told == 1) io.run_one();
  EXPECT_GE(std::chrono::steady_clock::now() - written, pace.quiet / 2);
}

TEST_F(WatchTest, tells_in_time_though_changes_never_pause) {
  asio::io_context io;
  int told = 0;
  Watch watch(
      io.get_executor(), [&] { ++told; }, pace);
  ASSERT_TRUE(watch.look_at({path("f")}));
  Timer often(io.get_executor());
  std::function<void()> change = [&] {
    write("f");
    often.expires_after(pace.quiet / 10);
    often.async_wait([&](boost::system::error_code error) {
      if (!error && told == 0) change();
    });
  };
  change();
  while (told == 0) io.run_one();  // and not only after a pause, which never comes
}

}  // namespace
}  // namespace fairlead::daemon
