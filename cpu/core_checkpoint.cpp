// Taking and restoring a processor's state.
#include "cpu/core_checkpoint.h"

#include "cpu/exec/alat.h"
#include "cpu/mmu/tlb.h"
#include "cpu/mmu/translation_cache.h"
#include "cpu/sapic.h"

namespace ia64::cpu {

namespace {

constexpr u32 kArchitected = attention::kRseFill | attention::kInit | attention::kPmi | attention::kHalt;

}  // namespace

struct CoreCheckpoint::State {
  Registers registers;
  Alat alat;
  Tlb::Registers64 translation_registers[2];
  TranslationCache caches[2];
  u64 irr[4] = {}, in_service[4] = {}, itc_offset = 0;
  u32 attention = 0, pmi_vectors = 0;
  u64 slots_retired = 0, interruptions_taken = 0;
  u8 trap_bits = 0;
  bool halted = false, code_ed = false;
};

CoreCheckpoint::CoreCheckpoint() : state_(std::make_unique<State>()) {}
CoreCheckpoint::~CoreCheckpoint() = default;

void CoreCheckpoint::take(const Core& core) {
  State& s = *state_;
  s.registers = core.r_;
  s.alat = core.alat_;
  for (unsigned side = 0; side < 2; side++) {
    s.translation_registers[side] = core.tlb_->tr_[side];
    const TranslationCache& cache = *core.tlb_->tc_[side];
    if (cache.changes() != s.caches[side].changes()) s.caches[side] = cache;
  }
  const LocalSapic& sapic = *core.sapic_;
  for (unsigned n = 0; n < 4; n++) s.irr[n] = sapic.irr(n), s.in_service[n] = sapic.isr_[n];
  s.itc_offset = sapic.itc_offset_;
  s.attention = core.attention_.load(std::memory_order_acquire) & kArchitected;
  s.pmi_vectors = core.pmi_vectors_;
  s.slots_retired = core.slots_retired();
  s.interruptions_taken = core.interruptions_taken_;
  s.trap_bits = core.trap_bits_, s.halted = core.halted_, s.code_ed = core.code_ed_;
}

void CoreCheckpoint::restore(Core& core) const {
  const State& s = *state_;
  core.r_ = s.registers;
  core.alat_ = s.alat;
  for (unsigned side = 0; side < 2; side++) {
    core.tlb_->tr_[side] = s.translation_registers[side];
    *core.tlb_->tc_[side] = s.caches[side];
  }
  LocalSapic& sapic = *core.sapic_;
  for (unsigned n = 0; n < 4; n++) sapic.irr_[n] = s.irr[n], sapic.isr_[n] = s.in_service[n];
  sapic.itc_offset_ = s.itc_offset;
  sapic.write_itv(s.registers.itv);
  core.attention_.fetch_and(~kArchitected);
  core.attend(s.attention | attention::kInterrupt);
  core.pmi_vectors_ = s.pmi_vectors;
  core.slots_retired_.store(s.slots_retired, std::memory_order_relaxed);
  core.interruptions_taken_ = s.interruptions_taken;
  core.trap_bits_ = s.trap_bits, core.halted_ = s.halted, core.code_ed_ = s.code_ed;
  core.note_nat();
  core.tlb_->registers_replaced();
}

}  // namespace ia64::cpu
