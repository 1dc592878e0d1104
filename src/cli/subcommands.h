#pragma once
// Commands that have commands of their own, such as `key new`. Used by `key` and `credit`.
namespace CLI {
class App;
}

namespace fairlead::cli {

/// One of its commands must follow, and what is wrong says which there are. Called once they are there.
void require_one_of_its_commands(CLI::App& command);

}  // namespace fairlead::cli
