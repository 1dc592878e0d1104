#pragma once
// The memory of a daemon: what it keeps between requests, and once it has started and waits.

namespace fairlead::daemon {

/// Call it before the first thread. Without it glibc gives the end of the heap back, or not, by how large bodies happened to lie:
/// where it does, each request of 1 MB takes its pages from the kernel again, which doubles what it costs.
void keep_room_for_bodies();

/// Gives back what only the start needed: the heap's free pages, and the pages of code and constants, which come back from their
/// files one by one as they are used.
void shrink_to_rest();

}  // namespace fairlead::daemon
