// libFuzzer target: what an app sends, up to the body. The gate never passes what Beast understands otherwise, and where the bytes
// are cut makes no difference.
#include "net/chunks.h"
#include "net/framing.h"
#include "unit/net/second_opinion.h"

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

namespace {

using namespace fairlead::net;

void must(bool condition) {
  if (!condition) std::abort();
}

void check_head(std::string_view bytes) {
  const auto at_once = find_head_end(bytes, 0);
  if (!at_once || *at_once == 0) return;
  for (std::size_t size = 0; size < *at_once; ++size) {
    const auto cut = find_head_end(bytes.substr(0, size), size == 0 ? 0 : size - 1);
    must(cut && *cut == 0);
  }
  const auto head = parse_head(bytes.substr(0, *at_once));
  if (!head) return;
  must(beast_agrees(*head, bytes.substr(0, *at_once)));
  must(head->path.starts_with('/') && !(head->chunked && head->content_length) && head->fields.size() <= fields_max);
  for (const Field& field : head->fields) must(is_token(field.name) && is_field_value(field.value));
}

/// The content, or "refused" with a byte that no content has alone.
std::string unchunk(std::string_view bytes, std::size_t step_bytes_max) {
  ChunkReader reader;
  std::string content;
  while (!bytes.empty() && !reader.finished()) {
    const auto step = reader.next(bytes.substr(0, step_bytes_max));
    if (!step) return content + "|refused";
    content += step->content;
    bytes.remove_prefix(step->taken);
  }
  return content + (reader.finished() ? "|finished " + std::to_string(bytes.size()) : "|open");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  check_head(bytes);
  must(unchunk(bytes, bytes.size()) == unchunk(bytes, 1));
  return 0;
}
