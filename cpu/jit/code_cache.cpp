// The memory of generated code.
#include "cpu/jit/code_cache.h"

#include <sys/mman.h>

#include <algorithm>

namespace ia64::cpu::jit {

namespace {
constexpr size_t kLargePage = size_t{2} << 20, kAlignment = 64, kColdAlignment = 16;
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

CodeCache::Place CodeCache::add(asmjit::CodeHolder& code) {
  using namespace asmjit;
  Place place;
  if (!base_) return place;
  // The table of far addresses has its full size before the relocation, and maybe less behind it.
  size_t cold_bytes = 0;
  const auto& sections = code.sections();
  for (size_t n = 1; n < sections.size(); n++) cold_bytes += sections[n]->realSize() + sizeof(u64);
  place.code_bytes = sections[0]->realSize(), place.cold_bytes = round_up(cold_bytes, kColdAlignment);
  if (place.code_bytes + place.cold_bytes > size_ - used_ - used_cold_) return {};
  u8* const at = base_ + used_;
  place.cold = base_ + size_ - used_cold_ - place.cold_bytes;
  u64 offset = static_cast<u64>(place.cold - at);
  sections[0]->setOffset(0);
  Section* const table = code.addressTableSection();  // may have come before cold code
  const auto put = [&offset](Section& s) {
    s.setOffset(round_up(offset, sizeof(u64)));
    offset = s.offset() + s.realSize();
  };
  for (Section* s : sections)
    if (s != sections[0] && s != table) put(*s);
  if (table) put(*table);
  if (code.resolveUnresolvedLinks() != kErrorOk || code.relocateToBase(reinterpret_cast<u64>(at)) != kErrorOk) return {};
  for (const Section* s : sections)
    if (code.copySectionData(at + s->offset(), s->realSize(), s->id(), CopySectionFlags::kPadSectionBuffer) != kErrorOk) return {};
  place.code = at;
  used_ = std::min(used_ + round_up(place.code_bytes, kAlignment), size_ - used_cold_ - place.cold_bytes);
  used_cold_ += place.cold_bytes;
  return place;
}

}  // namespace ia64::cpu::jit
