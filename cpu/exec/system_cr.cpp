// Moves to and from control registers.
// @source SDM vol. 3, mov cr; SDM vol. 2, 3.3.4, 3.3.5 and 5.8.3
#include "cpu/core.h"
#include "cpu/exec/handlers.h"
#include "cpu/sapic.h"

namespace ia64::cpu {

namespace {

/// What a control register may hold. Bits in neither mask read as written.
struct CrRule {
  u8 number;
  u64 Registers::*storage;  ///< nullptr: handled apart
  u64 reserved;             ///< nonzero there: Reserved Register/Field fault
  u64 ignored;              ///< reads as 0
};

constexpr u64 kVectorReserved = low_mask(4) << 8 | low_mask(3) << 13;  // ITV, PMV, CMCV
constexpr u64 kVectorIgnored = bit(12) | ~low_mask(17);
constexpr u64 kLrrReserved = bit(11), kLrrIgnored = bit(12) | bit(14) | ~low_mask(17);

constexpr CrRule kRules[] = {
    {cr::kDcr, &Registers::dcr, ~(low_mask(3) | low_mask(7) << 8), 0},
    {cr::kItm, nullptr, 0, 0},
    {cr::kIva, &Registers::iva, 0, low_mask(15)},
    {cr::kPta, &Registers::pta, bit(1) | low_mask(6) << 9, 0},
    {cr::kIpsr, &Registers::ipsr, ~psr::kDefined, 0},
    {cr::kIsr, &Registers::isr, low_mask(8) << 24 | ~low_mask(44), 0},
    {cr::kIip, &Registers::iip, 0, 0},
    {cr::kIfa, &Registers::ifa, 0, 0},
    {cr::kItir, &Registers::itir, 0, 0},
    {cr::kIipa, &Registers::iipa, 0, 0},
    {cr::kIfs, &Registers::ifs, low_mask(25) << 38, 0},
    {cr::kIim, &Registers::iim, 0, 0},
    {cr::kIha, &Registers::iha, 0, low_mask(2)},
    {cr::kIib0, &Registers::iib0, 0, 0},
    {cr::kIib1, &Registers::iib1, 0, 0},
    {cr::kLid, &Registers::lid, 0, ~(low_mask(16) << 16)},
    {cr::kIvr, nullptr, 0, 0},
    {cr::kTpr, &Registers::tpr, low_mask(8) << 8, low_mask(4) | ~low_mask(17)},
    {cr::kEoi, nullptr, 0, ~u64{0}},
    {cr::kIrr0, nullptr, 0, 0},
    {cr::kIrr0 + 1, nullptr, 0, 0},
    {cr::kIrr0 + 2, nullptr, 0, 0},
    {cr::kIrr0 + 3, nullptr, 0, 0},
    {cr::kItv, nullptr, kVectorReserved, kVectorIgnored},
    {cr::kPmv, &Registers::pmv, kVectorReserved, kVectorIgnored},
    {cr::kCmcv, &Registers::cmcv, kVectorReserved, kVectorIgnored},
    {cr::kLrr0, &Registers::lrr0, kLrrReserved, kLrrIgnored},
    {cr::kLrr1, &Registers::lrr1, kLrrReserved, kLrrIgnored},
};

const CrRule* find_rule(unsigned n) {
  for (const CrRule& rule : kRules)
    if (rule.number == n) return &rule;
  return nullptr;
}

bool is_interruption_cr(unsigned n) {
  return n >= cr::kIpsr && n <= cr::kIib1;
}
bool is_read_only(unsigned n) {
  return n == cr::kIvr || (n >= cr::kIrr0 && n < cr::kIrr0 + 4);
}

/// PTA.size must be 15 to 61.
bool bad_value(unsigned n, u64 v) {
  return n == cr::kPta && (field(v, 2, 6) < 15 || field(v, 2, 6) > 61);
}

u64 read_cr(Core& core, const CrRule& rule) {
  if (rule.storage) return core.regs().*rule.storage;
  switch (rule.number) {
    case cr::kItm: return core.regs().itm;
    case cr::kItv: return core.regs().itv;
    case cr::kIvr: return core.sapic().read_ivr();
    case cr::kEoi: return 0;
    default: return core.sapic().irr(rule.number - cr::kIrr0);
  }
}

void write_cr(Core& core, const CrRule& rule, u64 v) {
  if (rule.storage) core.regs().*rule.storage = v;
  switch (rule.number) {
    case cr::kItm: core.sapic().write_itm(v); break;
    case cr::kItv: core.sapic().write_itv(v); break;
    case cr::kEoi: core.sapic().write_eoi(); break;
    default: break;
  }
  if (rule.number == cr::kEoi || rule.number == cr::kTpr) core.interrupt_masking_changed();
}

}  // namespace

Next mov_m32(Core& core, const Insn& i) noexcept {
  const Registers& r = core.regs();
  const CrRule* rule = find_rule(i.r3);
  if (!rule || is_read_only(i.r3) || ((r.psr & psr::kIc) && is_interruption_cr(i.r3)))
    return core.raise_illegal_operation();
  if (r.cpl() != 0) return core.raise_general(isr::kPrivilegedOperation);
  if (r.nat(i.r2)) return core.raise_nat_consumption();
  const u64 value = r.gr(i.r2);
  if ((value & rule->reserved) || bad_value(i.r3, value))
    return core.raise_general(isr::kReservedRegisterField);
  write_cr(core, *rule, value & ~rule->ignored);
  return Next::Sync;
}

Next mov_m33(Core& core, const Insn& i) noexcept {
  Registers& r = core.regs();
  const CrRule* rule = find_rule(i.r3);
  if (!rule || ((r.psr & psr::kIc) && is_interruption_cr(i.r3))) return core.raise_illegal_operation();
  if (r.cpl() != 0) return core.raise_general(isr::kPrivilegedOperation);
  r.set_gr(i.r1, read_cr(core, *rule));
  return Next::Continue;
}

}  // namespace ia64::cpu
