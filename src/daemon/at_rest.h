#pragma once
// The memory of a daemon that has started and waits.

namespace fairlead::daemon {

/// Gives back what only the start needed: the heap's free pages, and the pages of code and constants, which come back from their
/// files one by one as they are used.
void shrink_to_rest();

}  // namespace fairlead::daemon
