// Register stack engine: backing store arithmetic, mandatory stores and loads, frame changes.
#include "cpu/rse/rse.h"

#include <algorithm>
#include <cstring>

#include "base/endian.h"
#include "cpu/exec/alat.h"
#include "cpu/mmu/rse_access.h"

namespace ia64::cpu {

namespace {

constexpr unsigned kCollectionSlot = 63;
/// Room kept free at both ends of the register window: a frame or dirty partition never exceeds 96 registers.
constexpr u32 kMargin = 256;

unsigned slot_of(u64 address) {
  return static_cast<unsigned>(field(address, 3, 6));
}

}  // namespace

u64 Rse::skip(u64 address, i64 count) {
  const i64 slot = slot_of(address);
  if (count == 0) return slot == kCollectionSlot ? address + 8 : address;
  if (count > 0) return address + 8 * static_cast<u64>(count + (slot + count) / kCollectionSlot);
  const i64 down = -count;
  const i64 collections = down <= slot ? 0 : (down - slot + 62) / kCollectionSlot;
  return address - 8 * static_cast<u64>(down + collections);
}

u64 Rse::bsp() const {
  const Registers& r = core_.regs();
  return skip(r.bspstore, r.rse_dirty);
}

void Rse::preserve(unsigned count) {
  Registers& r = core_.regs();
  r.bof += count;
  r.rse_dirty += static_cast<i32>(count);
  if (r.bof > Registers::kStackSlots - kMargin) recentre();
}

bool Rse::restore(unsigned count, unsigned outputs) {
  Registers& r = core_.regs();
  const bool good =
      static_cast<i32>(outputs) <= static_cast<i32>(kStackedRegisters) - std::max(r.rse_dirty, 0);
  if (r.bof < kMargin) recentre();
  r.bof -= count;
  r.rse_dirty -= static_cast<i32>(count);
  if (!good && r.rse_dirty < 0) {  // the frame vanishes, so there is nothing to load
    r.bspstore = bsp();
    r.rse_dirty = 0;
  }
  return good;
}

void Rse::begin_frame_load() {
  Registers& r = core_.regs();
  if (r.rse_dirty >= 0) return;
  r.rse_cfle = true;
  core_.attend(attention::kRseFill);
}

void Rse::recentre() {
  Registers& r = core_.regs();
  const u32 below = static_cast<u32>(std::max(r.rse_dirty, 0));
  const u32 to = Registers::kStackSlots / 2;
  const u32 count = below + kStackedRegisters;
  std::memmove(&r.stack_gr[to - below], &r.stack_gr[r.bof - below], count * sizeof(u64));
  std::memmove(&r.stack_nat[to - below], &r.stack_nat[r.bof - below], count);
  r.bof = to;
  core_.alat().clear();  // its tags are window positions
}

/// Stores the collection when BSPSTORE points at one: after loadrs, or where software put it.
Next Rse::store_pending_collection() {
  Registers& r = core_.regs();
  if (slot_of(r.bspstore) != kCollectionSlot) return Next::Continue;
  const Next next = rse_store(core_, r.bspstore, r.rnat);
  if (next != Next::Fault) r.bspstore += 8, r.rnat = 0;
  return next;
}

/// Stores the oldest dirty register, and the NaT collection when the register was the last it covers. Nothing
/// is committed before both stores have succeeded, so a fault leaves BSPSTORE where it was.
Next Rse::store_one() {
  Registers& r = core_.regs();
  if (store_pending_collection() == Next::Fault) return Next::Fault;
  const u64 address = r.bspstore;
  const unsigned slot = slot_of(address);
  const u32 index = r.bof - static_cast<u32>(r.rse_dirty);
  if (const Next n = rse_store(core_, address, r.stack_gr[index]); n == Next::Fault) return n;
  const u64 collection = with_field(r.rnat, slot, 1, r.stack_nat[index]);
  if (slot + 1 == kCollectionSlot) {
    if (const Next n = rse_store(core_, address + 8, collection); n == Next::Fault) return n;
    r.rnat = 0, r.bspstore = address + 16;
  } else {
    r.rnat = collection, r.bspstore = address + 8;
  }
  r.rse_dirty--;
  return Next::Continue;
}

/// Loads the register below BSPSTORE, and first the NaT collection when one lies between. Atomic as
/// store_one() is.
Next Rse::load_one() {
  Registers& r = core_.regs();
  u64 address = r.bspstore - 8, collection = r.rnat, value = 0;
  if (slot_of(address) == kCollectionSlot) {
    if (const Next n = rse_load(core_, address, collection); n == Next::Fault) return n;
    address -= 8;
  }
  if (const Next n = rse_load(core_, address, value); n == Next::Fault) return n;
  const u32 index = static_cast<u32>(static_cast<i32>(r.bof) - r.rse_dirty - 1);
  r.stack_gr[index] = value;
  r.stack_nat[index] = static_cast<u8>(field(collection, slot_of(address), 1));
  if (r.stack_nat[index]) core_.note_nat();
  r.rnat = collection, r.bspstore = address;
  r.rse_dirty++;
  return Next::Continue;
}

/// Stores up to `most` of the oldest dirty registers at once, as far as the next collection (which is stored when it is reached): a
/// page never ends in between. @returns how many; 0 when one at a time is the way
unsigned Rse::store_run(unsigned most) {
  Registers& r = core_.regs();
  const u64 address = r.bspstore;
  const unsigned slot = slot_of(address), count = std::min(most, kCollectionSlot - slot);
  if (count < 2) return 0;
  u8* const to = rse_write_pointer(core_, address);
  if (!to) return 0;
  const bool swapped = rse_big_endian(core_);
  const auto store = [&](unsigned n, u64 v) { store_le<u64>(to + 8 * n, swapped ? byte_swap(v) : v); };
  const u32 first = r.bof - static_cast<u32>(r.rse_dirty);
  u64 nats = 0;
  for (unsigned n = 0; n < count; n++) {
    store(n, r.stack_gr[first + n]);
    nats |= u64{r.stack_nat[first + n]} << (slot + n);
  }
  r.rnat = (r.rnat & ~(low_mask(count) << slot)) | nats;
  r.bspstore += 8 * count;
  r.rse_dirty -= static_cast<i32>(count);
  if (slot + count == kCollectionSlot) {
    store(count, r.rnat);
    r.rnat = 0, r.bspstore += 8;
  }
  return count;
}

/// The counterpart of store_run(): loads up to `most` registers below BSPSTORE, down to the collection below them.
unsigned Rse::load_run(unsigned most) {
  Registers& r = core_.regs();
  const bool collects = slot_of(r.bspstore - 8) == kCollectionSlot;
  const u64 top = r.bspstore - (collects ? 8 : 0);
  const unsigned slot = collects ? kCollectionSlot : slot_of(top);  // of the place behind the first register
  const unsigned count = std::min(most, slot);
  if (count < 2) return 0;
  const u8* const from = rse_read_pointer(core_, top - 8 * count);
  if (!from) return 0;
  const bool swapped = rse_big_endian(core_);
  const auto load = [&](unsigned n) {
    const u64 v = load_le<u64>(from + 8 * n);
    return swapped ? byte_swap(v) : v;
  };
  if (collects) r.rnat = load(count);
  const u32 first = static_cast<u32>(static_cast<i32>(r.bof) - r.rse_dirty) - count;
  for (unsigned n = 0; n < count; n++) {
    r.stack_gr[first + n] = load(n);
    r.stack_nat[first + n] = static_cast<u8>(field(r.rnat, slot - count + n, 1));
  }
  if (field(r.rnat, slot - count, count)) core_.note_nat();
  r.bspstore = top - 8 * count;
  r.rse_dirty += static_cast<i32>(count);
  return count;
}

Next Rse::make_room(unsigned sof) {
  const Registers& r = core_.regs();
  for (;;) {
    const i32 excess = r.rse_dirty + static_cast<i32>(sof) - static_cast<i32>(kStackedRegisters);
    if (excess <= 0) return Next::Continue;
    if (!store_run(static_cast<unsigned>(excess)) && store_one() == Next::Fault) return Next::Fault;
  }
}

Next Rse::flush() {
  const Registers& r = core_.regs();
  while (r.rse_dirty > 0)
    if (!store_run(static_cast<unsigned>(r.rse_dirty)) && store_one() == Next::Fault) return Next::Fault;
  return store_pending_collection();  // so that BSPSTORE equals BSP
}

Next Rse::complete_frame() {
  const Registers& r = core_.regs();
  while (r.rse_dirty < 0)
    if (!load_run(static_cast<unsigned>(-r.rse_dirty)) && load_one() == Next::Fault) return Next::Fault;
  core_.regs().rse_cfle = false;
  return Next::Continue;
}

Next Rse::ensure_loaded(u64 size_bytes) {
  Registers& r = core_.regs();
  const u64 top = bsp(), tear = top - align_down(size_bytes, 8);
  const u64 collections = (top >> 9) - (tear >> 9);  // words at addresses that end in 0x1f8
  const u64 registers = ((top - tear) >> 3) - collections;
  if (registers + r.cfm.sof > kStackedRegisters) return core_.raise_illegal_operation();
  if (tear >= r.bspstore) {
    r.rse_dirty = static_cast<i32>(registers);
    r.bspstore = tear;
    return Next::Continue;
  }
  while (r.rse_dirty < static_cast<i32>(registers))
    if (!load_run(static_cast<unsigned>(static_cast<i32>(registers) - r.rse_dirty)) && load_one() == Next::Fault) return Next::Fault;
  if (r.bspstore != tear) {  // the tear point names a collection
    if (rse_load(core_, tear, r.rnat) == Next::Fault) return Next::Fault;
    r.bspstore = tear;
  }
  return Next::Continue;
}

void Rse::set_bspstore(u64 value) {
  core_.regs().bspstore = align_down(value, 8);
}

}  // namespace ia64::cpu
