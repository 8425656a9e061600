// The memory of generated code.
#include "cpu/jit/code_cache.h"

#include <sys/mman.h>

#include <algorithm>

namespace ia64::cpu::jit {

namespace {
constexpr size_t kLargePage = size_t{2} << 20, kAlignment = 64;
constexpr size_t kBelow = size_t{64} << 20;  ///< room for the program itself
constexpr size_t round_up(size_t n, size_t to) { return (n + to - 1) / to * to; }
}  // namespace

CodeCache::CodeCache(size_t size_bytes) : size_(round_up(size_bytes, kLargePage)) {
  mapped_ = size_ + kLargePage;
  // Below the program, if there is room: calls of its functions reach then without a table of addresses.
  const size_t program = reinterpret_cast<size_t>(&round_up) / kLargePage * kLargePage;
  void* const wish = program > kBelow + mapped_ ? reinterpret_cast<void*>(program - kBelow - mapped_) : nullptr;
  void* const p = mmap(wish, mapped_, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (p == MAP_FAILED) return;
  mapping_ = p;
  base_ = reinterpret_cast<u8*>(round_up(reinterpret_cast<size_t>(p), kLargePage));
  madvise(base_, size_, MADV_HUGEPAGE);
}

CodeCache::~CodeCache() {
  if (mapping_) munmap(mapping_, mapped_);
}

u8* CodeCache::add(asmjit::CodeHolder& code) {
  u8* const at = base_ + used_;
  if (!base_ || code.flatten() != asmjit::kErrorOk || code.resolveUnresolvedLinks() != asmjit::kErrorOk) return nullptr;
  // What far calls need besides is known only behind the relocation: this is the most.
  if (code.codeSize() > size_ - used_ || code.relocateToBase(reinterpret_cast<u64>(at)) != asmjit::kErrorOk) return nullptr;
  const size_t bytes = code.codeSize();
  if (code.copyFlattenedData(at, bytes, asmjit::CopySectionFlags::kPadSectionBuffer) != asmjit::kErrorOk) return nullptr;
  used_ = std::min(used_ + round_up(bytes, kAlignment), size_);
  return at;
}

}  // namespace ia64::cpu::jit
