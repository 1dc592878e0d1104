// Any bytes, cut anywhere: the same events. The first byte says where the cuts are.
#include "wire/sse.h"

#include <cstdint>
#include <cstdlib>
#include <string>

namespace {

std::string read(std::string_view stream, std::size_t part) {
  fairlead::wire::SseReader reader(256);
  std::string out;
  const auto take = [&] {
    fairlead::wire::SseEvent event;
    while (reader.next(event)) {
      for (const std::string_view text : {event.raw, event.data, event.event, event.error}) out.append(text).append("|");
      out += static_cast<char>('0' + event.has_data + 2 * event.has_comment + 4 * event.has_other + 8 * event.one_line);
    }
  };
  for (std::size_t at = 0; at < stream.size(); at += part) {
    const std::string copy(stream.substr(at, part));
    reader.feed(copy);
    take();
  }
  reader.feed({});
  reader.finish();
  take();
  return out + (reader.too_large() ? "too large" : "");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view stream(reinterpret_cast<const char*>(data) + 1, size - 1);
  const std::string whole = read(stream, stream.size() + 1);
  if (read(stream, 1) != whole || read(stream, 1U + data[0]) != whole) std::abort();
  return 0;
}
