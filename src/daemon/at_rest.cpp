#include "daemon/at_rest.h"

#include <link.h>
#include <malloc.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>

namespace fairlead::daemon {
namespace {

constexpr int kept_bytes_max = 16 << 20;   // free at the end of a worker's heap
constexpr int mapped_bytes_min = 4 << 20;  // such a block is mapped for itself, and goes back at once when it is freed

/// Of the program or one library: the parts that nobody writes to, so that nothing is lost.
int drop_pages(dl_phdr_info* object, std::size_t, void*) {
  const auto page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
  for (int i = 0; i < object->dlpi_phnum; ++i) {
    const ElfW(Phdr)& part = object->dlpi_phdr[i];
    if (part.p_type != PT_LOAD || (part.p_flags & PF_W) != 0) continue;
    const std::uintptr_t begin = (object->dlpi_addr + part.p_vaddr) & ~(page - 1);
    const std::uintptr_t end = object->dlpi_addr + part.p_vaddr + part.p_memsz;
    // The loader tells addresses as numbers. Where it is refused, such as for the vDSO, pages stay.
    (void)::madvise(reinterpret_cast<void*>(begin), end - begin, MADV_DONTNEED);  // NOLINT(performance-no-int-to-ptr)
  }
  return 0;
}

}  // namespace

void keep_room_for_bodies() {
  ::mallopt(M_TRIM_THRESHOLD, kept_bytes_max);
  ::mallopt(M_MMAP_THRESHOLD, mapped_bytes_min);
}

void shrink_to_rest() {
  ::malloc_trim(0);
  ::dl_iterate_phdr(drop_pages, nullptr);
}

}  // namespace fairlead::daemon
