#include "ledger/archive.h"

#include <fairlead/store.h>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <filesystem>
#include <fstream>

#include "store/sqlite/database.h"
#include "unit/store/rows.h"

namespace fairlead {
namespace {

using test::Folder;
using test::noon;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
namespace fs = std::filesystem;

/// Requests of three days, and a new one.
class ArchiveTest : public testing::Test {
 protected:
  ArchiveTest() {
    auto store = open_store(url(), StoreMode::write);
    if (!store) throw std::runtime_error(store.error().message());
    store_ = std::move(*store);
    for (int day = 1; day <= 3; ++day)
      for (int i = 0; i < 700; ++i) save("r" + std::to_string(day) + "-" + std::to_string(i), noon - std::chrono::days(100 - day));
    save("new", noon);
    books_ = std::move(*open_bookkeeper(url()));
  }
  void save(const std::string& id, TimePoint at) {
    AttemptSettle settle = test::attempt_settle(id);
    settle.finish_reason = "=stop, \"now\"";
    settle.reported_model = "of " + day_text(at);
    ASSERT_TRUE(test::save(*store_, {test::record_of(test::request_open(id, at),
                                                     {test::settled_attempt(test::attempt_open(id, 1, "deepseek", at), settle)},
                                                     test::request_settle(id))}));
  }
  std::string url() const { return "sqlite:" + folder_.file("ledger.db"); }
  std::string archive() const { return folder_.file("archive"); }
  Result<OldRowsGone> go(const Rest& rest = [](auto) { return true; }) {
    return let_old_rows_go(*books_, archive(), std::chrono::floor<std::chrono::days>(noon), noon, rest);
  }
  std::vector<std::string> files() const {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(archive())) names.push_back(entry.path().filename());
    std::sort(names.begin(), names.end());
    return names;
  }
  std::string unzipped(const std::string& name) const {
    gzFile file = gzopen((archive() + "/" + name).c_str(), "rb");
    std::string text(1 << 22, '\0');
    text.resize(static_cast<std::size_t>(std::max(0, gzread(file, text.data(), static_cast<unsigned>(text.size())))));
    gzclose(file);
    return text;
  }
  std::int64_t outcomes() const {
    const auto database = sqlite::Database::open(folder_.file("ledger.db"), SQLITE_OPEN_READWRITE);
    sqlite::Statement counted(database->handle(), "SELECT count(*) FROM outcomes");
    return counted.step() ? counted.integer(0) : -1;
  }
  std::int64_t attempts() const { return store_->report({})->at(0).attempts; }

  Folder folder_;
  std::unique_ptr<Store> store_;
  std::unique_ptr<Bookkeeper> books_;
};

TEST_F(ArchiveTest, EachDayIsAFileAndThenItsRowsAreGone) {
  const auto gone = go();
  ASSERT_TRUE(gone) << gone.error().detail();
  EXPECT_EQ(gone->requests, 2100);
  EXPECT_THAT(files(), ElementsAre("fairlead-2026-07-25.csv.gz", "fairlead-2026-07-26.csv.gz", "fairlead-2026-07-27.csv.gz"));
  const std::string text = unzipped("fairlead-2026-07-25.csv.gz");
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 701);
  EXPECT_THAT(text, testing::StartsWith("id,state,started_at,"));
  EXPECT_THAT(text, HasSubstr("\r\nr1-0,settled,"));
  EXPECT_THAT(text, HasSubstr(",\"'=stop, \"\"now\"\"\",")) << "a cell does nothing when it is opened";
  struct stat status {};
  ASSERT_EQ(stat((archive() + "/fairlead-2026-07-25.csv.gz").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
  EXPECT_FALSE(*store_->request("r3-699"));
  EXPECT_TRUE(*store_->request("new"));
  EXPECT_EQ(attempts(), 2101) << "reports stay";
  EXPECT_EQ(outcomes(), 2) << "what only they had is gone: left are that of the new one, and that of what is open";
  EXPECT_EQ(go()->requests, 0);
}

TEST_F(ArchiveTest, NothingIsRemovedThatCannotBeArchived) {
  std::ofstream(archive()) << "a file where the folder should be";
  const auto gone = go();
  ASSERT_FALSE(gone);
  EXPECT_THAT(gone.error().detail(), HasSubstr("archive"));
  EXPECT_TRUE(*store_->request("r1-0"));
  fs::remove(archive());
  EXPECT_EQ(go()->requests, 2100);
}

TEST_F(ArchiveTest, WhatWasInterruptedGoesOn) {
  const auto first =
      go([](std::chrono::milliseconds time) { return time.count() == 0; });  // in the midst of removing the first day
  ASSERT_TRUE(first);
  EXPECT_EQ(first->requests, 500);
  EXPECT_TRUE(*store_->request("r2-0"));
  EXPECT_EQ(outcomes(), 5);
  const auto rest = go();
  EXPECT_EQ(first->requests + rest->requests, 2100);
  EXPECT_THAT(files(), testing::SizeIs(3)) << "no day is in two files";
}

TEST_F(ArchiveTest, ToldToStopItLeavesNoHalfFile) {
  const auto gone = go([](auto) { return false; });
  ASSERT_TRUE(gone) << gone.error().detail();
  EXPECT_EQ(gone->requests, 0);
  EXPECT_THAT(files(), IsEmpty());
  EXPECT_TRUE(*store_->request("r1-0"));
}

TEST_F(ArchiveTest, TwoDoNotWriteOneFile) {
  fs::create_directory(archive());
  const std::string unfinished = archive() + "/fairlead-2026-07-25.unfinished";
  const int other = ::open(unfinished.c_str(), O_RDWR | O_CREAT, 0600);
  ASSERT_EQ(::flock(other, LOCK_EX), 0);
  ASSERT_EQ(::write(other, "rows", 4), 4);
  const auto gone = go();
  ASSERT_FALSE(gone);
  EXPECT_THAT(gone.error().detail(), HasSubstr("another fairlead writes"));
  EXPECT_EQ(fs::file_size(unfinished), 4U) << "the other's is as it was";
  EXPECT_TRUE(*store_->request("r1-0"));
  ::close(other);
  EXPECT_EQ(go()->requests, 2100) << "what one that died left is written over";
  EXPECT_THAT(files(), testing::SizeIs(3));
}

TEST_F(ArchiveTest, WhatAnotherLetsGoIsInOneFile) {
  const auto rest = [](auto) { return true; };
  const auto rows = *books_->old_rows(noon);
  const auto file = archive_rows(*books_, archive(), *rows, rest);
  ASSERT_TRUE(file);
  ASSERT_TRUE(books_->let_go(*rows, *file, noon));
  const auto late = archive_rows(*books_, archive(), *rows, rest);  // who had found the same rows before
  ASSERT_FALSE(late);
  EXPECT_THAT(late.error().detail(), HasSubstr("another fairlead"));
  EXPECT_FALSE(books_->let_go(*rows, *file, noon));
  ASSERT_TRUE(books_->remove(10));
  EXPECT_FALSE(archive_rows(*books_, archive(), *rows, rest));
  EXPECT_EQ(go()->requests, 2090);
  EXPECT_THAT(files(), testing::SizeIs(3));
}

TEST_F(ArchiveTest, AFileThatIsThereIsNeverReplaced) {
  // As after a crash between the file and the ledger's note of it.
  const auto rows = *books_->old_rows(noon);
  ASSERT_TRUE(archive_rows(*books_, archive(), *rows, [](auto) { return true; }));
  std::ofstream(archive() + "/fairlead-2026-07-26.csv.gz") << "of another ledger";
  const auto gone = go();
  ASSERT_TRUE(gone) << gone.error().detail();
  EXPECT_THAT(files(), ElementsAre("fairlead-2026-07-25.csv.gz", "fairlead-2026-07-26-2.csv.gz", "fairlead-2026-07-26.csv.gz",
                                   "fairlead-2026-07-27.csv.gz"));
  std::ifstream other(archive() + "/fairlead-2026-07-26.csv.gz");
  std::string text;
  std::getline(other, text);
  EXPECT_EQ(text, "of another ledger");
}

TEST_F(ArchiveTest, AFileThatStillHasItsFirstNameTooIsNotWrittenOver) {
  ASSERT_TRUE(go());
  const std::string file = "fairlead-2026-07-25.csv.gz", before = unzipped(file);
  fs::create_hard_link(archive() + "/" + file, archive() + "/fairlead-2026-07-25.unfinished");  // as a power loss may leave it
  save("late", noon - std::chrono::days(99));
  save("newer", noon);
  const auto gone = go();
  ASSERT_TRUE(gone) << gone.error().detail();
  EXPECT_EQ(gone->requests, 1);
  EXPECT_TRUE(unzipped(file) == before);
  EXPECT_THAT(unzipped("fairlead-2026-07-25-2.csv.gz"), HasSubstr("\r\nlate,"));
  EXPECT_THAT(files(), testing::SizeIs(4)) << "the first name is gone";
}

}  // namespace
}  // namespace fairlead
