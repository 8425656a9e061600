// Delivery of interruptions: what is saved, what PSR becomes, where execution goes on.
#include <cstring>

#include "cpu/interp/interpreter.h"

namespace ia64::cpu {

namespace {

/// PSR bits an interruption leaves alone; be and pp come from DCR, all others become 0. @source SDM vol. 2,
/// table 3-2
constexpr u64 kPsrKept =
    psr::kUp | psr::kMfl | psr::kMfh | psr::kPk | psr::kDt | psr::kRt | psr::kMc | psr::kIt;
constexpr u64 kDcrPp = bit(0), kDcrBe = bit(1);
constexpr u64 kIfsValid = bit(63);

void collect(Registers& r, const Fault& f, u64 psr) {
  r.ipsr = psr;
  r.iip = r.ip;
  r.ifs &= ~kIfsValid;
  if (f.has_ifa) r.ifa = f.ifa, r.itir = f.itir;
  if (f.has_iim) r.iim = f.iim;
  if (f.has_iha) r.iha = f.iha;
}

u64 handler_psr(const Registers& r) {
  u64 psr = r.psr & kPsrKept;
  if (r.dcr & kDcrBe) psr |= psr::kBe;
  if (r.dcr & kDcrPp) psr |= psr::kPp;
  return psr;
}

}  // namespace

void Interpreter::deliver(const Fault& fault, unsigned ei, GuestPhys bundle) {
  Registers& r = core_.r_;
  const bool ic = r.psr & psr::kIc;
  InterruptionRecord record{.vector = fault.vector, .ip = r.ip | r.slot, .psr = r.psr, .is_trap = fault.is_trap};
  if (const u8* host = bundle != ~GuestPhys{0} ? core_.wires_.bus->host_ptr(bundle, false) : nullptr) {
    std::memcpy(record.bundle, host, sizeof record.bundle);
    record.has_bundle = true;
  }
  if (ic) {
    collect(r, fault, core_.full_psr());
    if (record.has_bundle) r.iib0 = record.bundle[0], r.iib1 = record.bundle[1];
  }
  if (fault.vector != Vector::DataNestedTlb) r.isr = fault.isr | u64{ei} << isr::kEiPos | (ic ? 0 : isr::kNi);
  r.rse_cfle = false;
  core_.set_psr(handler_psr(r));
  r.ip = r.iva + static_cast<u16>(fault.vector);
  r.slot = 0;

  note_interruption(fault, record);
  if (core_.stop_on_interruption_) stop(StopReason::Interruption);
  if (budget_end_ != ~u64{0} && is_fruitless()) stop(StopReason::InterruptionLoop);
}

/// Keeps what nobody can find out later: without collection the fault's own words are not in the control registers.
void Interpreter::note_interruption(const Fault& fault, InterruptionRecord& record) {
  const Registers& r = core_.r_;
  record.isr = r.isr, record.iip = r.iip, record.iipa = r.iipa;
  record.ifa = fault.has_ifa ? fault.ifa : r.ifa;
  record.itir = fault.has_ifa ? fault.itir : r.itir;
  record.iim = fault.has_iim ? fault.iim : r.iim;
  record.iha = fault.has_iha ? fault.iha : r.iha;
  core_.interruption_log_[core_.interruptions_taken_++ % Core::kInterruptionLog] = record;
  if (core_.branches_) [[unlikely]] core_.branches_->add({record.ip, r.ip, true});
  if (core_.interruption_observer_) [[unlikely]] core_.interruption_observer_->on_interruption(core_, record);
}

/// Whether the processor only takes interruptions any more, as with a handler that lies in empty memory.
bool Interpreter::is_fruitless() {
  const u64 retired = core_.slots_retired();
  if (retired != retired_at_interruption_) fruitless_interruptions_ = 0;
  retired_at_interruption_ = retired;
  return ++fruitless_interruptions_ >= Core::kInterruptionLoop;
}

}  // namespace ia64::cpu
