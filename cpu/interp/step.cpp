// One instruction with every check: single step, taken-branch traps, breakpoints, one-shot PSR bits, frame
// limits.
#include "cpu/decode/decoder.h"
#include "cpu/exec/handlers.h"
#include "cpu/interp/interpreter.h"

namespace ia64::cpu {

namespace {

/// Bits that hold for one instruction only.
constexpr u64 kOneShot = psr::kIa | psr::kDa | psr::kDd | psr::kId | psr::kEd;

enum TrapBit : u8 { kFpTrap = 1, kLowerPrivilege = 2, kTakenBranch = 4, kSingleStep = 8 };

}  // namespace

/// Decodes the instruction at ip/slot. @returns nullptr after delivering a fault of the fetch
const Insn* Interpreter::fetch_for_step(GuestPhys& bundle_phys) {
  Registers& r = core_.r_;
  FetchPage page;
  Next next = fetch_page(core_, r.ip, page);
  if (next != Next::Fault && (r.psr & psr::kDb) && !(r.psr & psr::kId) &&
      instruction_debug_match(core_, r.ip))
    next = raise_instruction_debug(core_, r.ip);
  if (next == Next::Fault) {
    deliver(core_.pending_, r.slot);
    return nullptr;
  }
  core_.code_ed_ = page.ed;
  bundle_phys = page.phys + r.ip % AddressSpace::kPageSize;
  u8 bytes[16];
  read_bundle(core_, page, r.ip, bytes);
  const unsigned count = decode_bundle(bytes, decoded_);
  return &decoded_[r.slot < count ? r.slot : count - 1];
}

void Interpreter::step() {
  Registers& r = core_.r_;
  GuestPhys bundle = 0;
  const Insn* i = fetch_for_step(bundle);
  if (!i) return;
  if (stops_here()) [[unlikely]]
    return stop(StopReason::StopAddress);
  passed_stop_address_ = kNowhere;
  const u64 psr_before = r.psr;
  core_.block_ip_ = r.ip;
  Next next = Next::Continue;
  if (r.pr(i->qp) || (i->flags & kReadsOwnPredicate)) {
    const unsigned target = highest_gr_target(*i);
    next = target >= 32u + r.cfm.sof ? core_.raise_illegal_operation() : i->handler(core_, *i);
  }
  if (next == Next::Fault && !core_.pending_.is_trap) {
    r.slot = i->slot;
    handle_fault(*i, bundle);
    return;
  }
  finish_step(*i, psr_before, next, bundle);
}

void Interpreter::finish_step(const Insn& i, u64 psr_before, Next next, GuestPhys bundle) {
  Registers& r = core_.r_;
  const bool is_rfi = i.handler == &rfi_b8;
  core_.retire(1);
  if (psr_before & psr::kIc) r.iipa = core_.block_ip_;
  if (next != Next::Branch) advance(i);
  else if (core_.branches_) core_.branches_->add({core_.block_ip_ | i.slot, r.ip | r.slot});
  u8 traps = core_.trap_bits_;
  if (next == Next::Fault) traps |= kFpTrap;
  if (!is_rfi) {  // rfi establishes these bits for its target
    r.psr &= ~(psr_before & kOneShot);
    if (next == Next::Branch && (psr_before & psr::kTb)) traps |= kTakenBranch;
    if (psr_before & psr::kSs) traps |= kSingleStep;
  }
  if (traps) deliver_traps(core_.pending_, traps, i.slot, bundle);
}

/// Delivers the most important of concurrent traps; ISR.code names them all.
/// @param trap the floating-point trap when `bits` says there is one
/// @source SDM vol. 2, 5.3 and table 8-3
void Interpreter::deliver_traps(Fault trap, u8 bits, unsigned ei, GuestPhys bundle) {
  bits = static_cast<u8>(bits | core_.trap_bits_);
  core_.trap_bits_ = 0;
  if (!(bits & kFpTrap)) {
    trap = Fault{};
    trap.is_trap = true;
    trap.vector = bits & kLowerPrivilege ? Vector::LowerPrivilegeTransfer
                  : bits & kTakenBranch  ? Vector::TakenBranch
                                         : Vector::SingleStep;
  }
  trap.isr |= bits;
  deliver(trap, ei, bundle);
}

/// A fault of the instruction at ip/slot: the gate's break, or an interruption.
void Interpreter::handle_fault(const Insn& i, GuestPhys bundle) {
  const Fault& fault = core_.pending_;
  if (fault.is_watch) [[unlikely]] {
    core_.watch_hit_ = fault;
    return stop(StopReason::Watch);
  }
  const bool gated =
      fault.vector == Vector::BreakInstruction && core_.gate_ && bundle - core_.gate_base_ < core_.gate_size_;
  if (gated && call_gate(i)) return;
  deliver(core_.pending_, i.slot, bundle);
}

/// @returns false when the gate does not know the break
bool Interpreter::call_gate(const Insn& insn) {
  const Insn i = insn;  // the gate may throw away all blocks
  const u64 block_ip = core_.block_ip_;
  const bool watched = !core_.watchpoints_.suspended();
  core_.watchpoints_.suspend(true);  // firmware cannot stop in its middle
  const GateAction action = core_.gate_->on_break(core_, core_.pending_.iim);
  if (watched) core_.watchpoints_.suspend(false);
  core_.note_nat();  // whatever it has put into the registers
  core_.interrupt_masking_changed();  // the gate may have written any register
  switch (action) {
    case GateAction::NotMine: return false;
    case GateAction::Continue:
      core_.block_ip_ = block_ip;
      advance(i);
      break;
    case GateAction::Resume: break;
    case GateAction::Stop: stop(StopReason::Gate); break;
  }
  core_.retire(1);
  return true;
}

}  // namespace ia64::cpu
