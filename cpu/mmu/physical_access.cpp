// Copies to and from guest memory, and device accesses, by size.
#include "cpu/mmu/physical_access.h"

#include <emmintrin.h>

#include <cstring>

namespace ia64::cpu::mmu {

namespace {
template <class T>
void copy_one(void* to, const void* from) {
  T v;
  std::memcpy(&v, from, sizeof v);
  std::memcpy(to, &v, sizeof v);
}

// Both sides 16-byte loads and stores: processors with AVX do aligned ones in one piece.
void copy_sixteen(void* to, const void* from) {
  _mm_storeu_si128(static_cast<__m128i*>(to), _mm_loadu_si128(static_cast<const __m128i*>(from)));
}

void copy(void* to, const void* from, unsigned size) {
  switch (size) {
    case 1: return copy_one<u8>(to, from);
    case 2: return copy_one<u16>(to, from);
    case 4: return copy_one<u32>(to, from);
    case 8: return copy_one<u64>(to, from);
    case 16: return copy_sixteen(to, from);
    default: std::memcpy(to, from, size);
  }
}

/// The largest power of two that fits in `size`, at most 8.
unsigned piece_of(unsigned size) {
  return size >= 8 ? 8 : size >= 4 ? 4 : size >= 2 ? 2 : 1;
}
}  // namespace

void copy_from_memory(const u8* host, void* out, unsigned size) noexcept {
  copy(out, host, size);
}
void copy_to_memory(u8* host, const void* in, unsigned size) noexcept {
  copy(host, in, size);
}

void read_device(AddressSpace& bus, GuestPhys phys, void* out, unsigned size) noexcept {
  auto* to = static_cast<u8*>(out);
  while (size) {
    const unsigned n = piece_of(size);
    u64 value = ~u64{0};
    bus.read(phys, n, value);
    std::memcpy(to, &value, n);
    phys += n, to += n, size -= n;
  }
}

void write_device(AddressSpace& bus, GuestPhys phys, const void* in, unsigned size) noexcept {
  const auto* from = static_cast<const u8*>(in);
  while (size) {
    const unsigned n = piece_of(size);
    u64 value = 0;
    std::memcpy(&value, from, n);
    bus.write(phys, n, value);
    phys += n, from += n, size -= n;
  }
}

}  // namespace ia64::cpu::mmu
