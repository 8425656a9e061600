// Random programs give the same state whether they run in blocks or one instruction at a time.
#include <cstring>
#include <random>

#include "base/endian.h"
#include "cpu/mmu/tlb.h"
#include "cpu/rse/rse.h"
#include "tests/support/bare_machine.h"
#include "tests/support/random_program.h"

using namespace ia64;
using namespace ia64::test;
using namespace ia64::cpu;

namespace {

constexpr unsigned kBundles = 12, kPieceBytes = 0x200;
/// { .mmi break.m 0 ; nop.m 0 ; nop.i 0 ;; }
constexpr u64 kBreakLow = 0x0000'0200'0000'0009, kBreakHigh = 0x0004'0000'0000'0200;

/// Everything but interruption return and what leaves the piece for good.
double weight_of(const OpInfo& op) {
  const std::string_view name = op.name;
  if (op.unit == Unit::B || name == "brl_cond_x3" || name == "brl_call_x4") return 0;
  if (name.starts_with("chk_") || name.starts_with("fchkf")) return 0;
  if (name.starts_with("flushrs") || name.starts_with("loadrs")) return 0.1;
  if (op.format == Format::M34) return 1;
  if (const double weight = default_row_weight(op); weight != 0) return weight;
  return op.flags & (op_flag::kLoad | op_flag::kStore) ? 0 : 0.02;
}

struct Runner : BareMachine {
  /// Fresh, well defined circumstances for piece `n`; what the pieces before left in registers stays.
  void prepare(unsigned n, u64 seed) {
    std::mt19937_64 random(seed + n);
    Registers& r = regs();
    const auto sor = static_cast<u8>(random() % 4 * 8), sof = static_cast<u8>(std::max<u64>(sor, random() % 4 ? 96 : random() % 97));
    // One frame and nothing below it, so that the backing store stays where it is.
    r.rse_dirty = 0, r.rse_cfle = false, r.bspstore = kStack, r.rnat = 0, r.rsc = random() % 2 << 4;
    r.cfm = {.sof = sof, .sol = static_cast<u8>(random() % (sof + 1u)), .sor = sor};
    if (sor) r.cfm.rrb_gr = static_cast<u8>(random() % sor);
    r.cfm.rrb_fr = static_cast<u8>(random() % 96), r.cfm.rrb_pr = static_cast<u8>(random() % 48);
    if (random() % 4 == 0) r.cfm.rrb_gr = r.cfm.rrb_fr = r.cfm.rrb_pr = 0;  // lets alloc change the rotating region
    for (u8 base : {8, 9, 10, 11}) r.set_gr(base, kData + random() % 64 * 16);
    r.iva = kIva, r.dcr = random() % 4, r.pta = 15 << 2;
    for (u64& control : r.ibr) control = 0;
    for (u64& control : r.dbr) control = 0;
    core().tlb().reset();
    core().set_psr(psr::kBn | psr::kIc | (random() % 2 ? psr::kBe : 0));
    r.ip = kCode + n * kPieceBytes, r.slot = 0;
  }
  InterruptionRecord in_blocks() { return run_to_interruption(1000); }
  InterruptionRecord in_steps() {
    core().set_stop_on_interruption(true);
    for (unsigned n = 0; n < 1000; n++)
      if (core().run(1) == StopReason::Interruption) break;
    return core().interruptions().back();
  }
};

u64 pr_bits(const Registers& r) {
  u64 bits = 0;
  for (unsigned n = 0; n < 64; n++) bits |= u64{r.pr_phys[n]} << n;
  return bits;
}

std::vector<u64> state_of(Runner& m) {
  const Registers& r = m.regs();
  std::vector<u64> s = {r.ip, r.slot, r.psr, r.cfm.pack(), pr_bits(r), m.core().rse().bsp(), m.core().slots_retired(),
                        r.rsc, r.bspstore, r.rnat, r.csd, r.ccv, r.unat, r.fpsr, r.pfs, r.lc, r.ec, r.dcr, r.itm, r.iva,
                        r.pta, r.ipsr, r.isr, r.iip, r.ifa, r.itir, r.iipa, r.ifs, r.iim, r.iha, r.iib0, r.iib1, r.lid,
                        r.tpr, r.itv, r.pmv, r.cmcv, r.lrr0, r.lrr1};
  for (unsigned n = 0; n < 32u + r.cfm.sof; n++) s.push_back(r.gr(n)), s.push_back(r.nat(n));
  for (unsigned n = 0; n < 16; n++) s.push_back(r.gr_banked[n]), s.push_back(r.gr_banked_nat[n]);
  for (const FpReg& f : r.fr_phys) s.push_back(f.significand), s.push_back(f.sign_exp);
  for (const auto* file : {&r.br, &r.kr, &r.rr}) s.insert(s.end(), std::begin(*file), std::end(*file));
  return s;
}

std::vector<u8> make_program(u64 seed, unsigned pieces) {
  RandomProgram random(seed, {.row_weight = weight_of, .stacked = 40, .branches = true, .illegal = seed % 4 == 0});
  std::vector<u8> code(pieces * kPieceBytes);
  for (unsigned n = 0; n < pieces; n++) {
    u8* at = &code[n * kPieceBytes];
    for (unsigned k = 0; k < kBundles; k++) {
      const auto bundle = random.next_bundle();
      std::memcpy(at + 16 * k, bundle.data(), 16);
    }
    for (unsigned k = kBundles; k < kPieceBytes / 16; k++) {
      store_le<u64>(at + 16 * k, kBreakLow);
      store_le<u64>(at + 16 * k + 8, kBreakHigh);
    }
  }
  return code;
}

}  // namespace

TEST_CASE("blocks and single steps agree on random programs", "[engine]") {
  constexpr unsigned kPieces = 64;
  for (u64 seed = 1; seed <= 60; seed++) {
    const std::vector<u8> code = make_program(seed, kPieces);
    Runner blocks, steps;
    for (Runner* m : {&blocks, &steps}) m->bus().write_bytes(BareMachine::kCode, code.data(), code.size());
    for (unsigned n = 0; n < kPieces; n++) {
      INFO("seed " << seed << " piece " << n);
      blocks.prepare(n, seed);
      steps.prepare(n, seed);
      const InterruptionRecord a = blocks.in_blocks(), b = steps.in_steps();
      REQUIRE(a.vector == b.vector);
      REQUIRE(state_of(blocks) == state_of(steps));
    }
    REQUIRE(std::memcmp(blocks.bus().ram_span(0, BareMachine::kRamBytes), steps.bus().ram_span(0, BareMachine::kRamBytes),
                        BareMachine::kRamBytes) == 0);
  }
}
