// Any bytes: the reader ends within them, what it returns lies within them, and what another strict parser takes it takes too.
#include "wire/json.h"

#include <nlohmann/json.hpp>

#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using fairlead::wire::JsonReader;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  JsonReader json(text);
  const std::string_view value = json.skip();
  const bool valid = json.finish();
  if (json.offset() > size) std::abort();
  if (!value.empty() && (value.data() < text.data() || value.data() + value.size() > text.data() + size)) std::abort();
  const bool too_deep = json.reason() == "it is nested too deeply";
  const bool lenient =
      text.starts_with("\xEF\xBB\xBF") || text.find('\0') != text.npos;  // nlohmann skips one, and ends at the other
  if (!valid && !too_deep && !lenient && nlohmann::json::accept(text)) std::abort();
  std::string quoted;
  fairlead::wire::append_quoted(quoted, text);
  JsonReader again(quoted);
  again.skip();
  if (!again.finish() || !nlohmann::json::accept(quoted)) std::abort();
  return 0;
}
