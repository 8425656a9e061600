// Registers of the stack at their backing store addresses.
#include "machine/debugger/backing_store.h"

#include "cpu/rse/rse.h"

namespace ia64::machine::debugger {

u64 BackingStore::end_of_frame(cpu::Core& core) { return cpu::Rse::skip(core.rse().bsp(), core.regs().cfm.sof); }

BackingStore::BackingStore(cpu::Core& core) : core_(core), begin_(core.regs().bspstore) {
  const cpu::Registers& r = core.regs();
  const unsigned first_slot = slot_of(begin_);
  collection_ = first_slot == kCollectionSlot ? r.rnat : r.rnat & low_mask(first_slot);  // AR.RNAT says nothing of later registers
  u32 index = static_cast<u32>(static_cast<i32>(r.bof) - r.rse_dirty);
  const u64 end = end_of_frame(core);
  for (u64 address = begin_; address < end; address += 8) {
    index_.push_back(index);
    if (slot_of(address) == kCollectionSlot) {
      words_.push_back(collection_);
      collection_ = 0;
      continue;
    }
    collection_ |= u64{r.stack_nat[index]} << slot_of(address);
    words_.push_back(r.stack_gr[index++]);
  }
}

void BackingStore::set_word(u64 address, u64 value) {
  cpu::Registers& r = core_.regs();
  const size_t n = (address - begin_) / 8;
  words_[n] = value;
  if (slot_of(address) != kCollectionSlot) {
    r.stack_gr[index_[n]] = value;
    return;
  }
  for (unsigned slot = 0; slot < kCollectionSlot; slot++) {
    const u64 back = kCollectionSlot - slot;  // words below this one
    if (back <= n) {
      r.stack_nat[index_[n - back]] = static_cast<u8>(field(value, slot, 1));
    } else {
      r.rnat = with_field(r.rnat, slot, 1, field(value, slot, 1));
    }
  }
}

}  // namespace ia64::machine::debugger
