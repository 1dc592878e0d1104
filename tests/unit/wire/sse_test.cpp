#include "wire/sse.h"

#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <vector>

namespace fairlead::wire {
namespace {

/// Everything that a reader says of a stream, one line an event.
std::string read(const std::vector<std::string_view>& parts, std::size_t event_bytes_max = 1 << 20) {
  SseReader reader(event_bytes_max);
  std::string out;
  const auto take = [&] {
    SseEvent event;
    while (reader.next(event)) {
      out += '<' + std::string(event.raw) + "> data=" + std::string(event.data) + " event=" + std::string(event.event);
      out += std::string(event.has_data ? " D" : "") + (event.has_comment ? " C" : "") + (event.has_other ? " O" : "") +
             (event.one_line ? " 1" : "") + '\n';
    }
    if (reader.too_large()) out += "too large\n";
  };
  for (const std::string_view part : parts) {
    const std::string copy(part);
    reader.feed(copy);
    take();
  }
  reader.feed({});
  reader.finish();
  take();
  return out;
}

TEST(Sse, ReadsFieldsCommentsAndLineEnds) {
  EXPECT_EQ(read({"data: a\n\n"}), "<data: a\n\n> data=a event= D 1\n");
  EXPECT_EQ(read({"data:a\r\n\r\n"}), "<data:a\r\n\r\n> data=a event= D 1\n");
  EXPECT_EQ(read({"data:  a\r\r"}), "<data:  a\r\r> data= a event= D 1\n");
  EXPECT_EQ(read({": hi\n\n"}), "<: hi\n\n> data= event= C\n");
  EXPECT_EQ(read({"event: error\nid: 7\nretry: 5\ndata: a\ndata\ndata: b\n\n"}),
            "<event: error\nid: 7\nretry: 5\ndata: a\ndata\ndata: b\n\n> data=a\n\nb event=error D O\n");
  EXPECT_EQ(read({"\xEF\xBB\xBF"
                  "data: a\n\n"}),
            "<data: a\n\n> data=a event= D 1\n");
  EXPECT_EQ(read({"\n\ndata: a\n\n\n"}),
            "<\n> data= event=\n<\n> data= event=\n<data: a\n\n> data=a event= D 1\n<\n> data= event=\n");
}

TEST(Sse, CountsWhatIsLeftAtTheEndAsAnEvent) {
  EXPECT_EQ(read({"data: a\n\ndata: [DONE]"}), "<data: a\n\n> data=a event= D 1\n<data: [DONE]> data=[DONE] event= D 1\n");
  EXPECT_EQ(read({""}), "");
}

TEST(Sse, IsTheSameHoweverItWasCut) {  // M26, M27
  const std::string stream =
      ": c\r\n\r\ndata: {\"é中😀\"}\n\ndata: x\r\rid: 1\r\ndata: y\r\ndata: z\r\n\r\n\n\revent: e\r\n\r\ndata: \r\n\ndata: last\r";
  const std::string whole = read({stream});
  const std::string_view all = stream;
  for (std::size_t a = 0; a <= all.size(); ++a)
    for (std::size_t b = a; b <= all.size(); ++b)
      ASSERT_EQ(read({all.substr(0, a), all.substr(a, b - a), all.substr(b)}), whole) << a << ' ' << b;
}

TEST(Sse, GivesViewsOfTheBytesFed) {
  const std::string bytes = "data: a\n\ndata: b\n\ndata: c";
  SseReader reader(100);
  reader.feed(bytes);
  SseEvent event;
  ASSERT_TRUE(reader.next(event));
  EXPECT_EQ(event.raw.data(), bytes.data());
  ASSERT_TRUE(reader.next(event));
  EXPECT_EQ(event.data.data(), bytes.data() + 15);
  EXPECT_FALSE(reader.next(event));
}

TEST(Sse, EndsAtTheLimit) {  // M29
  EXPECT_EQ(read({"data: 12345678\n\n"}, 16), "<data: 12345678\n\n> data=12345678 event= D 1\n");
  EXPECT_EQ(read({"data: 123456789\n\n"}, 16), "too large\ntoo large\n");
  SseReader reader(1 << 20);
  const std::string endless(64 << 10, 'x');
  SseEvent event;
  int feeds = 0;
  while (!reader.too_large() && feeds < 100) {
    reader.feed(endless);
    EXPECT_FALSE(reader.next(event));
    ++feeds;
  }
  EXPECT_EQ(feeds, 17);
}

TEST(Sse, PassesALargeLineInLinearTime) {  // M28
  const std::string line = "data: " + std::string(8 << 20, 'x') + "\n\n";
  SseReader reader(16 << 20);
  SseEvent event;
  std::size_t events = 0;
  const auto begun = std::chrono::steady_clock::now();
  for (std::size_t at = 0; at < line.size(); at += 100) {
    reader.feed(std::string_view(line).substr(at, 100));
    if (reader.next(event)) ++events;
  }
  EXPECT_EQ(events, 1U);
  EXPECT_EQ(event.data.size(), std::size_t{8} << 20);
  // Reading it anew at each of 84,000 cuts would be 350 GB of work.
  EXPECT_LT(std::chrono::steady_clock::now() - begun, std::chrono::seconds(20));
}

}  // namespace
}  // namespace fairlead::wire
