// The program's operator new, of which this program has the same one.
#include <gtest/gtest.h>
#include <malloc.h>

#include <cstdint>
#include <cstring>
#include <memory>
#include <mutex>
#include <new>
#include <string>
#include <thread>
#include <vector>

namespace {

constexpr std::size_t asked[] = {0, 1, 8, 9, 24, 25, 40, 1032, 1033, 4087, 4088, 4089, 5000, 100'000};

[[maybe_unused]] void fill(void* memory, std::size_t bytes) { std::memset(memory, 0xA5, bytes); }

TEST(Memory, blocks_are_as_large_as_was_asked_aligned_and_apart) {
  for (int round = 0; round < 3; ++round) {
    std::vector<std::pair<unsigned char*, std::size_t>> blocks;
    for (const std::size_t bytes : asked)
      for (int i = 0; i < 5; ++i) {
        void* const block = ::operator new(bytes);
        EXPECT_EQ(reinterpret_cast<std::uintptr_t>(block) % __STDCPP_DEFAULT_NEW_ALIGNMENT__, 0U);
        EXPECT_GE(malloc_usable_size(block), bytes);
        std::memset(block, static_cast<int>(blocks.size()), bytes);
        blocks.emplace_back(static_cast<unsigned char*>(block), bytes);
      }
    for (std::size_t i = 0; i < blocks.size(); ++i) {
      const auto [block, bytes] = blocks[i];
      for (std::size_t at = 0; at < bytes; ++at) ASSERT_EQ(block[at], static_cast<unsigned char>(i));
      i % 2 == 0 ? ::operator delete(block) : ::operator delete(block, bytes);
    }
  }
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)  // which have an operator new of their own

TEST(Memory, what_was_freed_is_used_again) {
  for (const std::size_t bytes : {1, 24, 300, 4000}) {
    void* const first = ::operator new(bytes);
    ::operator delete(first, bytes);
    void* const second = ::operator new(bytes);
    EXPECT_EQ(first, second);
    ::operator delete(second);  // without its size: in the same list
    void* const third = ::operator new(bytes);
    EXPECT_EQ(first, third);
    ::operator delete(third, bytes);
  }
}

TEST(Memory, a_thread_keeps_little_and_gives_it_back_at_its_end) {
  constexpr std::size_t count = 20'000, bytes = 1000;
  const auto in_use = [] { return mallinfo2().uordblks; };
  const std::size_t before = in_use();
  std::size_t kept = 0;
  std::thread([&] {
    std::vector<void*> blocks(count);
    for (void*& block : blocks) fill(block = ::operator new(bytes), bytes);
    for (void* block : blocks) ::operator delete(block, bytes);
    kept = in_use();
  }).join();
  EXPECT_LT(kept, before + (5 << 20));
  EXPECT_LT(in_use(), before + (1 << 16));
}

TEST(Memory, what_no_memory_can_hold_is_refused) {
  volatile std::size_t bytes = SIZE_MAX / 2;
  EXPECT_THROW(::operator delete(::operator new(bytes)), std::bad_alloc);
  EXPECT_EQ(::operator new(bytes, std::nothrow), nullptr);
}

#endif

TEST(Memory, another_thread_may_free) {
  std::mutex mutex;
  std::vector<std::unique_ptr<std::string>> shared;
  const auto give_and_take = [&](char mark) {
    for (int i = 0; i < 20'000; ++i) {
      auto mine = std::make_unique<std::string>(static_cast<std::size_t>(i % 700), mark);
      const std::lock_guard lock(mutex);
      shared.push_back(std::move(mine));
      if (shared.size() < 50) continue;
      const auto taken = std::move(shared[static_cast<std::size_t>(i) % shared.size()]);
      std::swap(shared[static_cast<std::size_t>(i) % shared.size()], shared.back());
      shared.pop_back();
      ASSERT_TRUE(taken->empty() || taken->front() == taken->back());
    }
  };
  std::thread a(give_and_take, 'a'), b(give_and_take, 'b'), c(give_and_take, 'c');
  a.join(), b.join(), c.join();
}

}  // namespace
