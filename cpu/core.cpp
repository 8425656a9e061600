// Wiring of a processor: construction, reset, interrupts from outside, raising of faults.
#include "cpu/core.h"

#include <algorithm>
#include <cstdio>
#include <iterator>
#include <utility>

#include "base/invariant.h"
#include "cpu/core_group.h"
#include "cpu/exec/alat.h"
#include "cpu/interp/interpreter.h"
#include "cpu/large_pages.h"
#include "cpu/mmu/tlb.h"
#include "cpu/rse/rse.h"
#include "cpu/sapic.h"

namespace ia64::cpu {

namespace {

/// Wakes the processor when its local SAPIC has something new.
class WakeOnInterrupt final : public InterruptListener {
 public:
  explicit WakeOnInterrupt(Core& core) : core_(core) {}
  void on_interrupt_pended() override {
    core_.attend(attention::kInterrupt);
    core_.kick();
  }
  void on_timer_put_off() override { core_.attend(attention::kTimer); }

 private:
  Core& core_;
};

constexpr u64 kMasked = bit(16);               // ITV, PMV, CMCV, LRR
constexpr u64 kFpsrAtReset = 0x9804c0270033f;  // all traps disabled, sf0 in 64-bit precision, sf1 with wre

/// @source SDM vol. 2, 11.2.2 and 6.12; values the manual leaves open are those firmware expects to find
/// harmless
void set_reset_values(Registers& r) {
  r = Registers{};
  r.pr_phys[0] = 1;
  r.fr_phys[1] = kFpOne;
  r.cfm.sof = kStackedRegisters;
  r.ip = 0xffff'ffb0;
  r.psr = psr::kBn;
  r.fpsr = kFpsrAtReset;
  r.itv = r.pmv = r.cmcv = r.lrr0 = r.lrr1 = kMasked;
  r.pta = 15 << 2;
  for (u64& rr : r.rr) rr = 12 << 2;
}

}  // namespace

Core::Core(const CoreWires& wires)
    : wires_(wires),
      tlb_(std::make_unique<Tlb>(*this)),
      rse_(std::make_unique<Rse>(*this)),
      interrupt_listener_(std::make_unique<WakeOnInterrupt>(*this)),
      sapic_(std::make_unique<LocalSapic>(r_, wires.clock, wires.itc_hz, *interrupt_listener_)),
      remote_requests_(std::make_unique<RemoteRequests>()),
      interpreter_(std::make_unique<Interpreter>(*this)) {
  INVARIANT(wires.bus && wires.model);
  reset();
}

Core::~Core() = default;

void* Core::operator new(std::size_t size) {
  return allocate_large(size);
}

void Core::operator delete(void* core) noexcept { free_large(core); }

void Core::reset() {
  set_reset_values(r_);
  tlb_->reset();
  alat_.clear();
  sapic_->reset();
  interpreter_->drop_all_code();
  halted_ = false;
  trap_bits_ = 0;
  pmi_vectors_ = 0;
  attention_.fetch_and(~u32{attention::kInit | attention::kPmi | attention::kHalt | attention::kInterrupt});
  interruptions_taken_ = 0;
}

StopReason Core::run(u64 max_slots) {
  remote_requests_->set_running(true);
  remote_requests_->serve(*tlb_);
  const StopReason reason = interpreter_->run(max_slots);
  if (reason != StopReason::Halted) sapic_->settle_timer();
  remote_requests_->set_running(false);
  return reason;
}

void Core::use_translator(const TranslatorOptions& options) {
  interpreter_->use_translator(options);
}

const TranslatorCounters* Core::translator_counters() const {
  return interpreter_->translator_counters();
}

void Core::request_stop() {
  attend(attention::kStop);
  kick();
}

void Core::kick() {
  sleeper_.wake();
}

void Core::halt() {
  halted_ = true;
  attend(attention::kHalt);
}

/// The interval timer is waited for right here: at a tick only this thread wakes.
bool Core::wait_for_interrupt(std::chrono::nanoseconds host_time) {
  const u64 due_ns = sapic_->suspend_timer();
  if (due_ns != ~u64{0}) {
    const u64 now_ns = wires_.clock->now_ns();
    host_time = std::min(host_time, std::chrono::nanoseconds((due_ns > now_ns ? due_ns - now_ns : 0) + sapic_->late_ns()));
  }
  const bool woken = sleeper_.sleep(host_time);
  sapic_->resume_timer(due_ns);
  sleeper_.forget();  // whatever was to be seen is in attention_ and the SAPIC, where run() looks next
  return woken;
}

void Core::post_interrupt(DeliveryMode mode, u8 vector) {
  switch (mode) {
    case DeliveryMode::Fixed:
    case DeliveryMode::LowestPriority: sapic_->post(vector); return;
    case DeliveryMode::Nmi: sapic_->post(LocalSapic::kNmi); return;
    case DeliveryMode::ExtInt: sapic_->post(LocalSapic::kExtInt); return;
    case DeliveryMode::Init: attend(attention::kInit); break;
    case DeliveryMode::Pmi:
      pmi_vectors_.fetch_or(1u << (vector & 15));
      attend(attention::kPmi);
      break;
  }
  kick();
}

void Core::set_stop_addresses(std::vector<u64> ips) {
  std::sort(ips.begin(), ips.end());
  ips.erase(std::unique(ips.begin(), ips.end()), ips.end());
  if (ips == stop_addresses_) return;
  std::vector<u64> changed;
  std::set_symmetric_difference(ips.begin(), ips.end(), stop_addresses_.begin(), stop_addresses_.end(), std::back_inserter(changed));
  stop_addresses_ = std::move(ips);
  interpreter_->stop_addresses_changed(changed);
}

void Core::set_watches(std::vector<WatchRange> ranges) {
  watchpoints_.set(std::move(ranges));
  constexpr unsigned kPageBits = AddressSpace::kPageBits;
  for (const WatchRange& w : watchpoints_.ranges())
    for (u64 page = w.address >> kPageBits; page <= (w.address + w.size_bytes - 1) >> kPageBits; page++)
      fast_tlb_.forget_data(field(page << kPageBits, 0, 61), kPageBits);
}

StopReason Core::step() {
  const bool stop_before = std::exchange(stop_on_interruption_, true);
  hold_interrupts_ = true;
  const StopReason reason = run(1);
  hold_interrupts_ = false;
  stop_on_interruption_ = stop_before;
  return reason;
}

std::vector<InterruptionRecord> Core::interruptions() const {
  const u64 kept = std::min<u64>(interruptions_taken_, kInterruptionLog);
  std::vector<InterruptionRecord> out;
  for (u64 n = interruptions_taken_ - kept; n < interruptions_taken_; n++)
    out.push_back(interruption_log_[n % kInterruptionLog]);
  return out;
}

void Core::record_branches(bool on) {
  if (on == (branches_ != nullptr)) return;
  branches_ = on ? std::make_unique<BranchLog>() : nullptr;
}

u64 Core::itc() const {
  return sapic_->itc();
}

void Core::drop_all_code() noexcept {
  interpreter_->drop_all_code();
}

void Core::interrupt_masking_changed() noexcept {
  if (sapic_->deliverable()) attend(attention::kInterrupt);
  if (pmi_vectors_.load(std::memory_order_relaxed)) attend(attention::kPmi);
}

void Core::set_psr(u64 value) noexcept {
  value &= psr::kDefined & ~psr::kRi;
  const u64 changed = r_.psr ^ value;
  r_.psr = value;
  if (changed & psr::kBn) {
    std::swap_ranges(r_.gr_banked, r_.gr_banked + 16, r_.gr_static + 16);
    std::swap_ranges(r_.gr_banked_nat, r_.gr_banked_nat + 16, r_.gr_static_nat + 16);
  }
  if (changed & value & (psr::kI | psr::kIc)) interrupt_masking_changed();
}

// --- faults
// ---------------------------------------------------------------------------------------------------------------

Next Core::raise_general(isr::General code) noexcept {
  Fault f;
  f.vector = Vector::GeneralException;
  f.isr = code;
  return raise(f);
}

Next Core::raise_register_nat(AccessKind kind) noexcept {
  Fault f;
  f.vector = Vector::NatConsumption;
  f.isr = isr::kRegisterNat;
  if (kind.non_access) f.isr |= isr::kNa | kind.na_code;
  if (kind.read) f.isr |= isr::kR;
  if (kind.write) f.isr |= isr::kW;
  if (kind.execute) f.isr |= isr::kX;
  return raise(f);
}

Next Core::raise_break(u64 imm) noexcept {
  Fault f;
  f.vector = Vector::BreakInstruction;
  f.has_iim = true;
  f.iim = imm;
  return raise(f);
}

Next Core::raise_speculation(u64 imm) noexcept {
  Fault f;
  f.vector = Vector::Speculation;
  f.has_iim = true;
  f.iim = imm;
  return raise(f);
}

Next Core::raise_disabled_fp(bool low, bool high) noexcept {
  Fault f;
  f.vector = Vector::DisabledFp;
  f.isr = u64{low} | u64{high} << 1;
  return raise(f);
}

Next Core::raise_fp_fault(u64 isr_code) noexcept {
  Fault f;
  f.vector = Vector::FloatingPointFault;
  f.isr = isr_code;
  return raise(f);
}

Next Core::raise_fp_trap(u64 isr_code) noexcept {
  Fault f;
  f.vector = Vector::FloatingPointTrap;
  f.isr = isr_code;
  f.is_trap = true;
  return raise(f);
}

// --- inspection
// -----------------------------------------------------------------------------------------------------------

namespace {

void write_general(InspectWriter& out, const Registers& r) {
  char name[8];
  for (unsigned n = 0; n < 32u + r.cfm.sof; n++) {
    std::snprintf(name, sizeof name, "r%u", n);
    out.value(name, r.gr(n));
  }
  for (unsigned n = 0; n < 8; n++) {
    std::snprintf(name, sizeof name, "b%u", n);
    out.value(name, r.br[n]);
  }
}

}  // namespace

void Core::inspect(InspectWriter& out) const {
  out.begin("cpu");
  out.text("model", wires_.model->name);
  out.value("ip", r_.ip);
  out.value("slot", r_.slot);
  out.value("psr", full_psr());
  out.value("cfm", r_.cfm.pack());
  out.value("pr", r_.pr_all());
  out.value("bsp", rse_->bsp());
  out.value("bspstore", r_.bspstore);
  out.value("slots_retired", slots_retired());
  out.value("interruptions", interruptions_taken_);
  const FastTlb::Counters& misses = fast_tlb_.counters;
  out.begin("tlb");
  out.value("data_translations", misses.data_misses);
  out.value("fetch_translations", misses.fetch_misses);
  out.value("tlb_misses", misses.tlb_misses);
  out.value("vhpt_found", misses.vhpt_found);
  out.end();
  interpreter_->inspect_translator(out);
  write_general(out, r_);
  out.end();
}

}  // namespace ia64::cpu
