// Arguments to a command, exit code.
#include <fcntl.h>
#include <unistd.h>

#include <initializer_list>

#include "cli/commands.h"

namespace {

/// A standard descriptor that is closed would be given to the next file or socket, into which output then goes. /dev/null the wrong
/// way round takes its place: it refuses output, or input, as a closed one does.
void hold_closed_descriptors() {
  for (const int standard : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
    if (::fcntl(standard, F_GETFD) == -1) ::open("/dev/null", standard == STDIN_FILENO ? O_WRONLY : O_RDONLY);
}

}  // namespace

int main(int argc, char** argv) {
  hold_closed_descriptors();
  return fairlead::cli::run(argc, argv);
}
