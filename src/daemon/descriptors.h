#pragma once
// A connection is a descriptor: how many the system lets the program have, and for how many connections of apps they leave room.
#include <cstddef>

namespace fairlead::daemon {

/// Takes as many as the system lets us, and tells how many these are.
std::size_t raise_descriptor_limit();

/// For each worker, which has all listeners, as each connection of an app may need one to a provider: at least one.
std::size_t connections_cap(std::size_t descriptors, std::size_t workers, std::size_t listeners);

/// With so many, connections_cap() is `connections`.
std::size_t descriptors_for(std::size_t connections, std::size_t workers, std::size_t listeners);

}  // namespace fairlead::daemon
