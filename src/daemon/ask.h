#pragma once
// Asks a running daemon something on its admin side. Blocks; used by commands.
#include <fairlead/result.h>

#include <string>
#include <string_view>

namespace fairlead::daemon {

struct Told {
  int status = 0;
  std::string body;
};

/// POST without a body, to an address such as "127.0.0.1:9090". Errors: config (no such address), io (nobody answers, or not in
/// time).
Result<Told> ask(const std::string& admin, std::string_view path);

}  // namespace fairlead::daemon
