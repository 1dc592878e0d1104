#include "daemon/log.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>
#include <nlohmann/json.hpp>

#include <array>
#include <cstddef>
#include <sstream>
#include <string>
#include <vector>

namespace fairlead::daemon {
namespace {

using testing::ElementsAre;

/// Stderr is a pipe that nobody reads until the test does.
class Log : public testing::Test {
 protected:
  void SetUp() override {
    log(Level::info, "before");  // what is done once is done to the real stderr
    ASSERT_EQ(::pipe(ends_.data()), 0);
    ASSERT_GT(::fcntl(ends_[1], F_SETPIPE_SZ, static_cast<int>(pages_ * page_)), 0);
    ASSERT_EQ(::fcntl(ends_[0], F_SETFL, O_NONBLOCK), 0);  // of this end alone
    real_ = ::dup(STDERR_FILENO);
    ASSERT_EQ(::dup2(ends_[1], STDERR_FILENO), STDERR_FILENO);
  }
  void TearDown() override {
    ::dup2(real_, STDERR_FILENO);
    for (const int fd : {real_, ends_[0], ends_[1]}) ::close(fd);
  }

  void fill(std::size_t pages) {
    const std::string line_breaks(pages * page_, '\n');
    ASSERT_EQ(::write(ends_[1], line_breaks.data(), line_breaks.size()), static_cast<ssize_t>(line_breaks.size()));
  }
  /// The events in the pipe, with the number of lines where they have one; of what is no JSON, that it is none.
  std::vector<std::string> read() {
    std::string text(2 * pages_ * page_, ' ');
    const ssize_t length = ::read(ends_[0], text.data(), text.size());
    std::istringstream stream(text.substr(0, static_cast<std::size_t>(length < 0 ? 0 : length)));
    std::vector<std::string> events;
    for (std::string line; std::getline(stream, line);) {
      if (line.empty()) continue;
      const auto json = nlohmann::json::parse(line, nullptr, false);
      events.push_back(json.is_discarded() ? "cut" : json["event"].get<std::string>());
      if (json.contains("lines")) events.back() += " " + json["lines"].dump();
    }
    return events;
  }

  const std::size_t page_ = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE)), pages_ = 2;
  std::array<int, 2> ends_{};
  int real_ = -1;
};

TEST_F(Log, a_full_pipe_is_not_waited_for_and_what_it_did_not_take_is_counted) {
  fill(pages_);
  for (int i = 0; i < 3; ++i) log(Level::info, "lost");
  EXPECT_THAT(read(), ElementsAre());
  log(Level::info, "kept");
  log(Level::info, "kept_too");
  EXPECT_THAT(read(), ElementsAre("log_lines_dropped 3", "kept", "kept_too"));
}

TEST_F(Log, a_line_that_was_cut_is_ended_before_the_next) {
  fill(pages_ - 1);
  log(Level::info, "long", {{"text", std::string(page_, 'x')}});
  log(Level::info, "lost");
  EXPECT_THAT(read(), ElementsAre("cut"));
  log(Level::info, "kept");
  EXPECT_THAT(read(), ElementsAre("log_lines_dropped 2", "kept"));
}

TEST_F(Log, lines_longer_than_a_pipe_takes_at_once_are_whole) {
  log(Level::info, "long", {{"text", std::string(page_, 'x')}});
  EXPECT_THAT(read(), ElementsAre("long"));
}

}  // namespace
}  // namespace fairlead::daemon
