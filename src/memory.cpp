// The program's operator new: blocks of up to 4 KiB that a thread frees are kept for what it allocates next, in a list for each
// size, in front of malloc. A request makes and frees the same blocks as the one before it, which then costs a few instructions
// each. Not in sanitizer builds, which watch malloc.
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
#define FAIRLEAD_PLAIN_NEW
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define FAIRLEAD_PLAIN_NEW
#endif

#ifndef FAIRLEAD_PLAIN_NEW

#include <malloc.h>

#include <array>
#include <cstddef>
#include <cstdlib>
#include <new>
#include <utility>

namespace {

constexpr std::size_t sizes = 256;               // of 24, 40, 56, ... bytes, from 1: what malloc gives without waste
constexpr std::size_t kept_bytes_max = 4 << 20;  // by one thread: 32 requests under way take more than 2 MiB

struct Block {
  Block* next;
};

struct Lists {
  std::array<Block*, sizes> free{};
  std::size_t bytes_left = 0;  ///< that may still be kept; 0 before the first block and after the thread's end
};

constinit thread_local Lists lists;

/// Gives back what is kept when the thread ends. Made with the first block, since a look at it costs more than one at `lists`.
struct Cleaner {
  Cleaner() { lists.bytes_left = kept_bytes_max; }
  Cleaner(const Cleaner&) = delete;
  Cleaner& operator=(const Cleaner&) = delete;
  ~Cleaner() {
    lists.bytes_left = 0;
    for (Block*& first : lists.free)
      while (first != nullptr) std::free(std::exchange(first, first->next));
  }
};

constexpr std::size_t size_of(std::size_t index) { return 16 * index + 8; }
constexpr std::size_t index_for(std::size_t bytes) { return bytes <= 24 ? 1 : (bytes + 7) / 16; }  // malloc's smallest has 24

/// From malloc, as large as its list says, so that any block of a list fits whoever takes it.
[[gnu::noinline]] void* allocate(std::size_t bytes) {
  const std::size_t index = index_for(bytes);
  const std::size_t rounded = index < sizes ? size_of(index) : bytes;
  for (;;) {
    if (void* memory = std::malloc(rounded)) return memory;
    const std::new_handler handler = std::get_new_handler();
    if (!handler) throw std::bad_alloc();
    handler();
  }
}

/// There is no list for it, or no more may be kept, or none was kept yet.
[[gnu::noinline]] void release(void* memory) {
  thread_local Cleaner cleaner;
  std::free(memory);
}

void free_into(std::size_t index, void* memory) {
  if (index >= sizes || size_of(index) > lists.bytes_left) return release(memory);
  lists.bytes_left -= size_of(index);
  Block*& first = lists.free[index];
  first = new (memory) Block{first};
}

}  // namespace

void* operator new(std::size_t bytes) {
  const std::size_t index = index_for(bytes);
  if (index >= sizes || lists.free[index] == nullptr) return allocate(bytes);
  Block* const block = lists.free[index];
  lists.free[index] = block->next;
  lists.bytes_left += size_of(index);
  return block;
}

void operator delete(void* memory, std::size_t bytes) noexcept {
  if (memory != nullptr) free_into(index_for(bytes), memory);
}

void operator delete(void* memory) noexcept {
  if (memory != nullptr) free_into((malloc_usable_size(memory) - 8) / 16, memory);
}

#endif
