#include "daemon/descriptors.h"

#include <sys/resource.h>

#include <algorithm>

namespace fairlead::daemon {
namespace {

/// What the program needs beside connections of apps and to providers: the ledger, loops, files, the admin side.
std::size_t own_descriptors(std::size_t workers, std::size_t listeners) { return 40 + (8 + listeners) * workers; }

}  // namespace

std::size_t raise_descriptor_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
  limit.rlim_cur = limit.rlim_max;
  if (setrlimit(RLIMIT_NOFILE, &limit) != 0) getrlimit(RLIMIT_NOFILE, &limit);
  return limit.rlim_cur;
}

std::size_t connections_cap(std::size_t descriptors, std::size_t workers, std::size_t listeners) {
  const std::size_t own = own_descriptors(workers, listeners);
  return descriptors > own ? std::max<std::size_t>(1, (descriptors - own) / (2 * workers)) : 1;
}

std::size_t descriptors_for(std::size_t connections, std::size_t workers, std::size_t listeners) {
  return own_descriptors(workers, listeners) + 2 * workers * connections;
}

}  // namespace fairlead::daemon
