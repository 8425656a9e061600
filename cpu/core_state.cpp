// The state of a processor as a snapshot keeps it.
#include "base/state_archive.h"
#include "cpu/arch/register_state.h"
#include "cpu/core.h"
#include "cpu/core_group.h"
#include "cpu/exec/alat.h"
#include "cpu/mmu/tlb.h"
#include "cpu/sapic.h"

namespace ia64::cpu {

namespace {

void visit_record(StateArchive& a, InterruptionRecord& r) {
  a(r.vector, r.isr, r.ifa, r.iip, r.iipa, r.ip, r.psr, r.itir, r.iim, r.iha, r.bundle, r.has_bundle, r.is_trap);
}

}  // namespace

void Core::visit_state(StateArchive& a) {
  // Reasons to look up that are part of the architected state; the others belong to the host.
  constexpr u32 kKept = attention::kRseFill | attention::kInit | attention::kPmi | attention::kHalt;
  remote_requests_->serve(*tlb_);
  alat_.clear();
  u32 wanted = attention_.load(std::memory_order_acquire) & kKept;
  a(r_, *tlb_, *sapic_, halted_, trap_bits_, code_ed_, wanted, pmi_vectors_, slots_retired_, interruptions_taken_);
  for (InterruptionRecord& record : interruption_log_) visit_record(a, record);
  a.require((wanted & ~kKept) == 0, "a pending event");
  if (!a.loading()) return;
  if (!a.ok()) r_ = Registers{}, r_.pr_phys[0] = 1, r_.fr_phys[1] = kFpOne;  // whoever goes on resets it; until then it holds together
  attention_.fetch_and(~kKept);
  attend(wanted | attention::kInterrupt);
  nats_ = 1;
  tlb_->registers_replaced();
  drop_all_code();
}

}  // namespace ia64::cpu
