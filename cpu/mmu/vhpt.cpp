// VHPT hash functions and walker.
#include "cpu/mmu/vhpt.h"

#include "cpu/core.h"
#include "cpu/mmu/tlb.h"
#include "cpu/mmu/translate.h"

namespace ia64::cpu::mmu {

namespace {
constexpr u64 kOffsetMask = low_mask(61);
constexpr u64 kPtaVe = bit(0), kPtaVf = bit(8);
constexpr unsigned kTagDropBits =
    10;  // HPN bits that only the index of the smallest table (2^15 bytes) tells apart

u64 rid_of(u64 rr) {
  return field(rr, 8, 24);
}
unsigned page_bits(u64 rr) {
  return static_cast<unsigned>(field(rr, 2, 6));
}

u64 insert_index(u64 base, u64 table_bits, u64 index_bytes) {
  const u64 mask = low_mask(static_cast<unsigned>(table_bits)) | low_mask(15);
  return (base & ~mask) | (index_bytes & mask);
}

template <class T>
T read_word(const u8* host, bool big_endian) {
  const T v = __atomic_load_n(reinterpret_cast<const T*>(host), __ATOMIC_ACQUIRE);
  return big_endian ? byte_swap(v) : v;
}

/// Host address of the table entry, when the walker may read it.
const u8* entry_host(const Core& core, const Reference& ref, const TlbEntry& mapping) {
  const Problems problems = check_entry(core, ref, mapping);
  if (problems != 0 || mapping.attribute() != MemoryAttribute::WriteBack) return nullptr;
  return core.wires().bus->host_ptr(mapping.physical(ref.va), false);
}

bool read_short(const u8* host, bool big_endian, u64 rr, VhptEntry& out) {
  out.pte = read_word<u64>(host, big_endian);
  out.itir = u64{page_bits(rr)} << 2 | rid_of(rr) << 8;
  return true;
}

bool read_long(const u8* host, bool big_endian, u64 wanted_tag, VhptEntry& out) {
  if (read_word<u64>(host + 16, big_endian) != wanted_tag) return false;
  out.pte = read_word<u64>(host, big_endian);
  out.itir = read_word<u64>(host + 8, big_endian);
  // Another processor may be replacing the entry; it sets the invalid bit of the tag while it does.
  return read_word<u64>(host + 16, big_endian) == wanted_tag;
}
}  // namespace

u64 vhpt_address(const Core& core, u64 va) noexcept {
  const Registers& r = core.regs();
  const u64 rr = r.rr[va >> 61], hpn = (va & kOffsetMask) >> page_bits(rr);
  const u64 table_bits = field(r.pta, 2, 6);
  if (r.pta & kPtaVf) {
    const u64 index = hpn ^ hpn >> kTagDropBits ^ rid_of(rr) ^ rid_of(rr) << 7;
    return insert_index(r.pta & ~low_mask(15), table_bits, index << 5);
  }
  return (va & ~kOffsetMask) | (insert_index(r.pta & ~low_mask(15), table_bits, hpn << 3) & kOffsetMask);
}

u64 vhpt_tag(const Core& core, u64 va) noexcept {
  const u64 rr = core.regs().rr[va >> 61];
  return rid_of(rr) << 39 | ((va & kOffsetMask) >> page_bits(rr)) >> kTagDropBits;
}

bool walker_enabled(const Core& core, u64 va, Asker asker) noexcept {
  const Registers& r = core.regs();
  if (!(r.pta & kPtaVe) || !(r.rr[va >> 61] & 1)) return false;
  u64 needed = psr::kDt;
  if (asker == Asker::Rse) needed |= psr::kRt;
  if (asker == Asker::Instruction) needed |= psr::kIt | psr::kIc;
  return (r.psr & needed) == needed;
}

WalkResult walk_vhpt(const Core& core, u64 va, VhptEntry& out) noexcept {
  const Registers& r = core.regs();
  out.address = vhpt_address(core, va);
  const TlbEntry* mapping = core.tlb().find_data(out.address);
  if (!mapping) return WalkResult::TableNotMapped;
  const bool long_format = r.pta & kPtaVf, big_endian = r.dcr & bit(1);
  const Reference ref{.va = out.address, .size = static_cast<u8>(long_format ? 32 : 8), .read = true};
  const u8* host = entry_host(core, ref, *mapping);
  if (!host) return WalkResult::NotFound;
  const bool read = long_format ? read_long(host, big_endian, vhpt_tag(core, va), out)
                                : read_short(host, big_endian, r.rr[va >> 61], out);
  if (!read || is_reserved_translation(out.pte, out.itir, core.wires().model->insertable_page_sizes))
    return WalkResult::NotFound;
  return WalkResult::Found;
}

}  // namespace ia64::cpu::mmu
