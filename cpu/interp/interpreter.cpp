// The engine's main loop: events between blocks, block look-up, execution of blocks.
#include "cpu/interp/interpreter.h"

#include <algorithm>

#include "cpu/core_group.h"
#include "cpu/jit/native_engine.h"
#include "cpu/rse/rse.h"
#include "cpu/sapic.h"

namespace ia64::cpu {

namespace {

bool instruction_breakpoints(const Registers& r) {
  constexpr u64 kExecute = bit(63);
  return (r.psr & psr::kDb) && ((r.ibr[1] | r.ibr[3] | r.ibr[5] | r.ibr[7]) & kExecute);
}

}  // namespace

/// Whether the next instruction must be stepped.
inline bool Interpreter::must_step(const Registers& r) {
  return (r.psr & (kStepBits | psr::kDb)) && ((r.psr & kStepBits) || instruction_breakpoints(r));
}

Interpreter::Interpreter(Core& core) : core_(core), lookup_(kLookup), inbox_(std::make_shared<CodeInbox>()) {
  inbox_->core = &core;
  if (!core.wires_.bus) return;
  core.wires_.bus->add_code_listener([inbox = inbox_](GuestPhys page) {
    std::lock_guard lock(inbox->mutex);
    if (!inbox->core) return;
    inbox->pages.push_back(page);
    inbox->core->attend(attention::kCode);
  });
}

Interpreter::~Interpreter() {
  std::lock_guard lock(inbox_->mutex);
  inbox_->core = nullptr;
}

void Interpreter::use_translator(const TranslatorOptions& options) {
  native_ = std::make_unique<jit::NativeEngine>(*this, options);
  core_.instruction_mappings_changed();
}

const TranslatorCounters* Interpreter::translator_counters() const {
  return native_ ? &native_->counters() : nullptr;
}

void Interpreter::inspect_translator(InspectWriter& out) const {
  if (native_) native_->inspect(out);
}

void Interpreter::drop_all_code() {
  if (native_) native_->drop_all(DropReason::Asked);
  cache_.clear();
  last_ = nullptr;
  core_.instruction_mappings_changed();
}

void Interpreter::stop(StopReason reason) {
  stop_ = reason;
  core_.attend(attention::kOwnStop);
}

namespace {

std::vector<u16> page_offsets(const std::vector<u64>& ips) {
  std::vector<u16> out;
  for (u64 ip : ips) out.push_back(static_cast<u16>(ip % AddressSpace::kPageSize));
  std::sort(out.begin(), out.end());
  return out;
}

}  // namespace

/// Blocks must begin at stop addresses that came, and need not at those that went: what was built otherwise goes, in every page,
/// for any page may be found at the address later.
void Interpreter::stop_addresses_changed(const std::vector<u64>& changed) {
  stop_offsets_ = page_offsets(core_.stop_addresses_);
  for (GuestPhys page : cache_.pages_with(page_offsets(changed))) {
    cache_.drop_page(page);
    if (native_) native_->drop_page(page);
  }
  last_ = nullptr;
  core_.instruction_mappings_changed();
}

// --- between blocks
// ---------------------------------------------------------------------------------------------------

StopReason Interpreter::run(u64 max_slots) {
  Registers& r = core_.r_;
  budget_end_ = max_slots ? core_.slots_retired() + max_slots : ~u64{0};
  timer_end_ = ~u64{0};
  stop_.reset();
  core_.attention_.fetch_and(~u32{attention::kOwnStop});
  passed_stop_address_ = r.ip | r.slot;
  core_.note_nat();  // registers may have been set from outside
  if (core_.halted_) core_.attend(attention::kHalt);
  core_.interrupt_masking_changed();
  return core_.branches_ ? run_loop<true>() : run_loop<false>();
}

/// @tparam kStepAll instructions one by one, which sees every branch
template <bool kStepAll>
StopReason Interpreter::run_loop() {
  Registers& r = core_.r_;
  for (;;) {
    if (const u32 bits = core_.attention_.load(std::memory_order_acquire); bits) [[unlikely]] {
      if (look_up_events(bits)) return *stop_;
    }
    if (const u64 retired = core_.slots_retired(); retired >= next_look()) [[unlikely]] {
      if (retired >= budget_end_) return StopReason::Budget;
      timer_end_ = ~u64{0};
      core_.sapic().settle_timer();
    }
    if (kStepAll || must_step(r)) [[unlikely]] {
      step();
      continue;
    }
    const LookupEntry* entry = find_block();
    if (!entry) continue;  // a fault was delivered, or the instruction was stepped
    Block& block = *entry->block;
    if (block.needed_sof > r.cfm.sof || block.slots > budget_end_ - core_.slots_retired()) [[unlikely]] {
      step();
      continue;
    }
    core_.code_ed_ = entry->ed;
    if (native_ && native_->run(*entry)) continue;
    last_ = &block;
    execute(block);
  }
}

/// @returns true when run() is to return `stop_`
bool Interpreter::look_up_events(u32 bits) {
  core_.attention_.fetch_and(~bits, std::memory_order_acq_rel);
  if (bits & attention::kPurge) core_.remote_requests().serve(core_.tlb());
  if (bits & attention::kCode) drop_written_code();
  if (bits & attention::kStop) {
    if (!stop_) stop_ = StopReason::Requested;
  }
  if (stop_) {  // what else was asked for waits for the next run
    core_.attention_.fetch_or(
        bits & ~(attention::kStop | attention::kOwnStop | attention::kPurge | attention::kCode));
    return true;
  }
  if (bits & attention::kTimer) timer_end_ = core_.slots_retired() + kTimerPatience;
  if (bits & attention::kRseFill) complete_frame();
  if (bits & (attention::kInit | attention::kPmi)) core_.note_nat();
  if ((bits & attention::kInit) && core_.events_) core_.halted_ = false, core_.events_->on_init(core_);
  if ((bits & attention::kPmi) && (core_.r_.psr & psr::kIc)) {  // otherwise they wait for set_psr()
    const u32 vectors = core_.pmi_vectors_.exchange(0);
    for (u8 v = 0; v < 16; v++)
      if ((vectors >> v & 1) && core_.events_) core_.events_->on_pmi(core_, v);
  }
  if (core_.halted_) {
    if (halt_goes_on()) {
      stop_ = StopReason::Halted;
      return true;
    }
    core_.halted_ = false;
  }
  if (bits & (attention::kInterrupt | attention::kHalt)) take_external_interrupt();
  return stop_.has_value();
}

bool Interpreter::at_stop_address() const {
  const Registers& r = core_.r_;
  return std::binary_search(core_.stop_addresses_.begin(), core_.stop_addresses_.end(), r.ip | r.slot);
}

/// Whether to stop before the next instruction.
bool Interpreter::stops_here() const {
  return (core_.r_.ip | core_.r_.slot) != passed_stop_address_ && at_stop_address();
}

void Interpreter::drop_written_code() {
  std::vector<GuestPhys> pages;
  {
    std::lock_guard lock(inbox_->mutex);
    pages.swap(inbox_->pages);
  }
  for (GuestPhys page : pages) {
    cache_.drop_page(page);
    if (native_) native_->drop_page(page);
  }
  core_.instruction_mappings_changed();
}

bool Interpreter::halt_goes_on() {
  return !core_.sapic().deliverable();
}

/// PSR.i holds off NMIs as well: they are external interrupts that only TPR cannot mask. Otherwise a handler
/// that turns collection on before it reads IVR, as Linux's does, would be entered by the same NMI for ever.
bool Interpreter::take_external_interrupt() {
  const Registers& r = core_.r_;
  if (!(r.psr & psr::kI) || core_.hold_interrupts_ || !core_.sapic().deliverable()) return false;
  Fault fault;
  fault.vector = Vector::ExternalInterrupt;
  deliver(fault, r.slot);
  return true;
}

/// Mandatory loads at the target of br.ret or rfi; their faults belong to the target instruction.
void Interpreter::complete_frame() {
  Registers& r = core_.r_;
  if (!r.rse_cfle || core_.rse().complete_frame() != Next::Fault) return;
  Fault fault = core_.pending_;
  fault.isr |= isr::kIr;
  deliver(fault, r.slot);
}

bool Interpreter::complete_frame_quietly() {
  const u64 taken = core_.interruptions_taken_;
  core_.attention_.fetch_and(~u32{attention::kRseFill}, std::memory_order_acq_rel);
  complete_frame();
  return core_.interruptions_taken_ == taken;
}

// --- blocks
// ---------------------------------------------------------------------------------------------------------------

/// What a virtual->block association depends on besides the address.
u64 Interpreter::fetch_key() const {
  const Registers& r = core_.r_;
  return core_.fast_tlb_.fetch_key(FastTlb::fetch_mode(r.psr), static_cast<unsigned>(r.ip >> 61));
}

inline const LookupEntry* Interpreter::find_block() {
  const u64 ip = core_.r_.ip | core_.r_.slot, key = fetch_key();
  if (!last_) [[unlikely]]
    return find_in_table(ip, key);
  if (const LookupEntry& link = last_->link_to(ip); link.ip == ip && link.key == key) [[likely]]
    return &link;
  const LookupEntry* found = find_in_table(ip, key);
  if (found && last_) last_->link_to(ip) = *found;
  return found;
}

const LookupEntry* Interpreter::find_in_table(u64 ip, u64 key) {
  LookupEntry& entry = lookup_entry(ip);
  if (entry.ip == ip && entry.key == key) return &entry;
  return find_block_slow(entry);
}

const LookupEntry* Interpreter::find_block_slow(LookupEntry& entry) {
  Registers& r = core_.r_;
  FetchPage page;
  if (fetch_page(core_, r.ip, page) == Next::Fault) {
    deliver(core_.pending_, r.slot);
    return nullptr;
  }
  if (!page.host) {
    step();
    return nullptr;
  }
  const GuestPhys phys = page.phys + r.ip % AddressSpace::kPageSize;
  Block* block = cache_.find(phys + r.slot);
  if (!block) block = decode_block(page, phys);
  if (at_stop_address()) block->needed_sof = Block::kNeverFits;
  const auto region = static_cast<unsigned>(r.ip >> 61);
  core_.fast_tlb_.context(FastTlb::fetch_mode(r.psr), region, static_cast<u32>(field(r.rr[region], 8, 24)));
  entry = {r.ip | r.slot, fetch_key(), block, page.ed, nullptr};
  return &entry;
}

Block* Interpreter::decode_block(const FetchPage& page, GuestPhys phys) {
  core_.wires_.bus->mark_code(page.phys);  // before the bytes are read, so that no write in between is lost
  if (!cache_.has_page(page.phys)) core_.fast_tlb_.forget_writes(page.host);
  const u64 generation = cache_.generation();
  Block* const block = build_block(cache_, phys, core_.r_.slot, page.host, stop_offsets_);
  if (cache_.generation() != generation) {  // everything else was thrown away to make room
    last_ = nullptr;
    if (native_) native_->drop_all(DropReason::DecodedBlocksFull);
    core_.instruction_mappings_changed();
  }
  return block;
}

void Interpreter::execute(Block& block) {
  Core& core = core_;
  Registers& r = core.r_;
  const bool ic = r.psr & psr::kIc;
  core.block_ip_ = r.ip;
  const Insn* i = block.insns();
  Next next;
  for (;; ++i) {
    if (!(i->flags & kReadsOwnPredicate) && !r.pr(i->qp)) continue;
    next = i->handler(core, *i);
    if (next != Next::Continue) [[unlikely]]
      break;
  }
  end_block(next, *i, block, ic);
}

/// What follows the last instruction executed of a block. @param ic  PSR.ic when the block began
void Interpreter::end_block(Next next, const Insn& i, Block& block, bool ic) {
  Registers& r = core_.r_;
  if (next == Next::Fault) [[unlikely]] {
    leave_by_fault(i, block, ic);
    return;
  }
  core_.retire(i.spare + 1u);
  if (ic) r.iipa = core_.insn_ip(i);
  if (next == Next::Sync) {
    advance(i);
  } else if (core_.trap_bits_) [[unlikely]] {
    deliver_traps({}, core_.trap_bits_, i.slot, block.phys() + i.bundle * 16u);
  }
}

/// Reconstructs what the fast path did not keep: ip, slot, the instructions retired and IIPA.
void Interpreter::leave_by_fault(const Insn& i, Block& block, bool ic) {
  Registers& r = core_.r_;
  const u64 ip = core_.insn_ip(i);
  const GuestPhys bundle = block.phys() + i.bundle * 16u;
  core_.retire(i.spare);
  if (core_.pending_.is_trap) {
    core_.retire(1);
    if (ic) r.iipa = ip;
    advance(i);
    deliver_traps(core_.pending_, 1, i.slot, bundle);
    return;
  }
  r.ip = ip, r.slot = i.slot;
  if (ic && i.spare) r.iipa = i.slot ? ip : ip - 16;
  handle_fault(i, bundle);
}

/// Moves ip and slot behind `i`.
void Interpreter::advance(const Insn& i) {
  Registers& r = core_.r_;
  r.ip = core_.insn_ip(i);
  r.slot = static_cast<u8>(i.slot + 1);
  if (i.flags & kLastSlot) r.ip += 16, r.slot = 0;
}

}  // namespace ia64::cpu
