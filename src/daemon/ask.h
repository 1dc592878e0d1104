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

struct Asked {
  std::string_view path;
  std::string_view method = "POST";
  std::string_view json = {};  ///< the body
};

/// At an address such as "127.0.0.1:9090". Errors: config (no such address), io (nobody answers, or not in time).
Result<Told> ask(const std::string& admin, const Asked& asked);

}  // namespace fairlead::daemon
