// Decodes bundles into blocks.
#include <algorithm>
#include <cstring>

#include "cpu/core.h"
#include "cpu/decode/decoder.h"
#include "cpu/exec/handlers.h"
#include "cpu/interp/block.h"

namespace ia64::cpu {

namespace {

/// Handler of the pseudo instruction at the end of a block.
Next end_of_block(Core&, const Insn&) noexcept {
  return Next::Sync;
}

bool is_nop(const Insn& i) {
  return i.handler == &nop_m48 || i.handler == &nop_i18 || i.handler == &nop_f16 || i.handler == &nop_b9 ||
         i.handler == &nop_x5;
}

/// Branches that, when they do not branch, leave nothing changed that a block depends on.
bool is_passable_branch(const Insn& i) {
  const auto& h = i.handler;
  return h == &br_cond_b1 || h == &br_cond_b4 || h == &br_ret_b4 || h == &br_call_b3 || h == &br_call_b5 ||
         h == &br_cloop_b2 || h == &brl_cond_x3 || h == &brl_call_x4;
}

class Builder {
 public:
  Builder(GuestPhys phys, unsigned slot, const u8* page, const std::vector<u16>& stops)
      : phys_(phys), slot_(slot), page_(page), stops_(stops) {}

  Block* build(BlockCache& cache);

 private:
  bool add_bundle(const Insn* insns, unsigned count, unsigned offset);
  bool add(const Insn& decoded);
  bool must_stop_before(unsigned offset) const {
    return std::binary_search(stops_.begin(), stops_.end(), static_cast<u16>(offset));
  }

  GuestPhys phys_;
  unsigned slot_;
  const u8* page_;
  const std::vector<u16>& stops_;
  Insn insns_[Block::kMaxBundles * 3 + 1];
  unsigned count_ = 0;       // entries of insns_
  unsigned slots_ = 0;       // instructions
  unsigned needed_sof_ = 0;  // before the first alloc
  int known_sof_ = -1;       // after an alloc
  bool may_leave_ = false;   // behind a conditional branch: what follows may never run
  Insn last_;                // the last instruction, nop or not
};

/// @returns false when the block ends with the instruction or, the instruction not added, before it
bool Builder::add(const Insn& decoded) {
  Insn i = decoded;
  const unsigned target = highest_gr_target(i);
  const unsigned needed = target >= 32 ? target - 31 : 0;
  if (known_sof_ >= 0) {
    if (needed > static_cast<unsigned>(known_sof_)) i.handler = &illegal_operation;
  } else if (needed > needed_sof_) {
    if (may_leave_) return false;  // must not burden the code before the branch
    needed_sof_ = needed;
  }
  if (i.handler == &alloc_m34) known_sof_ = static_cast<int>(i.imm & 0x7f);
  i.spare = static_cast<u8>(slots_++);
  if (i.qp == 0) i.flags |= kReadsOwnPredicate;
  last_ = i;
  if (!is_nop(i)) insns_[count_++] = i;
  if (!(i.flags & kEndsBlock)) return true;
  const bool conditional = i.qp != 0 || i.handler == &br_cloop_b2;
  if (!conditional || !is_passable_branch(i)) return false;
  may_leave_ = true;
  return true;
}

bool Builder::add_bundle(const Insn* insns, unsigned count, unsigned offset) {
  for (unsigned n = 0; n < count; n++)
    if ((slots_ && must_stop_before(offset + insns[n].slot)) || !add(insns[n])) return false;
  return true;
}

Block* Builder::build(BlockCache& cache) {
  const unsigned first = static_cast<unsigned>(phys_ % AddressSpace::kPageSize);
  unsigned offset = first;
  for (unsigned bundle = 0; bundle < Block::kMaxBundles && offset < AddressSpace::kPageSize;
       bundle++, offset += 16) {
    Insn insns[3];
    const unsigned count = decode_bundle(page_ + offset, insns);
    for (unsigned n = 0; n < count; n++) insns[n].bundle = static_cast<u8>(bundle);
    const unsigned skipped = bundle == 0 ? std::min(slot_, count - 1) : 0;
    if (!add_bundle(insns + skipped, count - skipped, offset)) break;
  }
  Insn end = last_;
  end.handler = &end_of_block;
  end.qp = 0;
  end.flags |= kReadsOwnPredicate;
  insns_[count_++] = end;

  Block* block = cache.allocate(count_);
  block->key = phys_ + slot_;
  block->slots = static_cast<u8>(slots_);
  block->needed_sof = static_cast<u8>(needed_sof_);
  std::memcpy(static_cast<void*>(block->insns()), insns_, count_ * sizeof(Insn));
  cache.insert(block);
  return block;
}

}  // namespace

bool is_end_of_block(const Insn& i) {
  return i.handler == &end_of_block;
}

Block* build_block(BlockCache& cache, GuestPhys phys, unsigned slot, const u8* page_bytes,
                   const std::vector<u16>& stop_offsets) {
  Builder builder(phys, slot, page_bytes, stop_offsets);
  return builder.build(cache);
}

}  // namespace ia64::cpu
