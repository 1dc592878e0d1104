// Arguments to a command, exit code.
#include "cli/commands.h"

int main(int argc, char** argv) { return fairlead::cli::run(argc, argv); }
