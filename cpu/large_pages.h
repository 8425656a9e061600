// Memory in large pages of the host.
#pragma once

#include <cstddef>
#include <new>

namespace ia64::cpu {

/// Tables that are looked into all the time and are larger than a page: in large pages they cost few of the host's translations, of which a guest
/// that wakes now and then finds none. What is asked for is a wish: without such pages it is ordinary memory. Any thread.
/// @returns memory for `bytes`, at the beginning of a large page; throws std::bad_alloc
void* allocate_large(std::size_t bytes);
void free_large(void* memory) noexcept;

/// The same as an allocator of containers.
template <class T>
struct LargePages {
  using value_type = T;
  LargePages() = default;
  template <class U>
  LargePages(const LargePages<U>&) noexcept {}
  T* allocate(std::size_t n) { return static_cast<T*>(allocate_large(n * sizeof(T))); }
  void deallocate(T* p, std::size_t) noexcept { free_large(p); }
  bool operator==(const LargePages&) const = default;
};

}  // namespace ia64::cpu
