// Memory in large pages of the host.
#include "cpu/large_pages.h"

#include <sys/mman.h>

#include <cstdlib>

namespace ia64::cpu {

void* allocate_large(std::size_t bytes) {
  constexpr std::size_t kLargePage = std::size_t{2} << 20;
  const std::size_t rounded = (bytes + kLargePage - 1) / kLargePage * kLargePage;
  void* const place = std::aligned_alloc(kLargePage, rounded);
  if (!place) throw std::bad_alloc();
  madvise(place, rounded, MADV_HUGEPAGE);
  return place;
}

void free_large(void* memory) noexcept {
  std::free(memory);
}

}  // namespace ia64::cpu
