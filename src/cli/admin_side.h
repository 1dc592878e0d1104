#pragma once
// Which running daemon a command asks: that of a configuration, or at an address. Used by `reload` and `credit`.
#include <string>

namespace CLI {
class App;
}

namespace fairlead::cli {

struct AdminChoice {
  std::string config = "/etc/fairlead/fairlead.yaml";
  std::string admin;  ///< an address; empty: the configuration's
};

/// --config and --admin.
void add_admin_options(CLI::App& command, AdminChoice& choice);

/// The address; of a file that need not be right in all else. Empty after saying why on stderr.
std::string admin_of(const AdminChoice& choice);

}  // namespace fairlead::cli
