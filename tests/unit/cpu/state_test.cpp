// The state of a processor: loaded into another one it is the same, and damaged state is refused or harmless.
#include <random>

#include "cpu/mmu/tlb.h"
#include "cpu/sapic.h"
#include "tests/support/bare_machine.h"
#include "tests/support/state.h"

using namespace ia64;
using namespace ia64::test;
using namespace ia64::cpu;
using testing::load_state;
using testing::saved_state;

namespace {

using Random = std::mt19937_64;

/// Registers, translations and interrupts as no program would leave them, but as one could.
void randomise(BareMachine& machine, Random& random) {
  Core& core = machine.core();
  Registers& r = core.regs();
  for (unsigned n = 1; n < 32; n++) r.gr_static[n] = random(), r.gr_static_nat[n] = random() & 1;
  for (unsigned n = 0; n < 16; n++) r.gr_banked[n] = random(), r.gr_banked_nat[n] = random() & 1;
  for (auto& v : r.stack_gr) v = random();
  for (auto& v : r.stack_nat) v = random() & 1;
  for (unsigned n = 2; n < 128; n++) r.fr_phys[n] = {random(), static_cast<u32>(random() & 0x3ffff), 0};
  for (unsigned n = 1; n < 64; n++) r.pr_phys[n] = random() & 1;
  for (auto* file : {&r.br, &r.kr, &r.rr, &r.ibr, &r.dbr})
    for (u64& v : *file) v = random();
  r.cfm = {.sof = 80, .sol = 40, .sor = 32, .rrb_gr = static_cast<u8>(random() % 32), .rrb_fr = 95, .rrb_pr = static_cast<u8>(random() % 48)};
  r.bof = static_cast<u32>(1000 + random() % 1000);
  r.rse_dirty = static_cast<i32>(random() % 16);
  r.bspstore = random() & ~u64{7}, r.rnat = random();
  r.psr = random() & psr::kDefined & ~psr::kRi;
  r.ip = random() & ~u64{15}, r.slot = random() % 3, r.ec = random() % 64;
  for (u64* v : {&r.ccv, &r.unat, &r.fpsr, &r.pfs, &r.lc, &r.itir, &r.ifa, &r.isr, &r.iha, &r.lid}) *v = random();
  for (unsigned n = 0; n < 300; n++) {
    const u64 va = random(), pte = (random() & 0x0003'ffff'ffff'f000) | 0x661, itir = u64{12 + 2 * (random() % 4)} << 2;
    n % 2 ? core.tlb().insert_data(va, pte, itir) : core.tlb().insert_instruction(va, pte, itir);
    if (n % 50 == 0) core.tlb().insert_data_register(n / 50, va, pte, itir), core.tlb().insert_instruction_register(n / 50, ~va, pte, itir);
  }
  for (unsigned n = 0; n < 5; n++) core.post_interrupt(DeliveryMode::Fixed, static_cast<u8>(16 + random() % 240));
  if (random() % 2) core.halt();
}

}  // namespace

TEST_CASE("state: a processor loads what was saved", "[cpu][state]") {
  for (unsigned seed = 0; seed < 10; seed++) {
    Random random(seed);
    BareMachine one, two;
    randomise(one, random);
    randomise(two, random);
    const auto saved = saved_state(one.core());
    INFO("seed " << seed);
    REQUIRE(load_state(two.core(), saved).empty());
    CHECK(saved_state(two.core()) == saved);
    CHECK(one.core().halted() == two.core().halted());
    const auto before = one.core().tlb().translations(), after = two.core().tlb().translations();
    REQUIRE(before.size() == after.size());
    for (size_t n = 0; n < before.size(); n++) CHECK((before[n].kind == after[n].kind && before[n].index == after[n].index && before[n].entry.pte == after[n].entry.pte));
  }
}

TEST_CASE("state: a program goes on in another processor where it was saved", "[cpu][state]") {
  constexpr const char* kLoop =
      "{ .mii\n adds r5 = 100, r0\n nop.i 0\n mov ar.lc = 99 ;;\n}\n"
      "top:\n{ .mib\n add r4 = r4, r5\n adds r5 = 3, r5\n br.cloop.sptk top ;;\n}\n"
      "{ .mib\n nop.m 0\n nop.i 0\n br.cond.sptk $ ;;\n}\n";
  BareMachine whole, first, second;
  for (BareMachine* m : {&whole, &first, &second}) m->load(kLoop);
  whole.core().run(290);
  first.core().run(121);
  REQUIRE(load_state(second.core(), saved_state(first.core())).empty());
  second.core().run(169);
  CHECK(saved_state(second.core()) == saved_state(whole.core()));
}

TEST_CASE("state: the interval timer fires when it would have", "[cpu][state]") {
  Registers regs[3];
  ManualClock clock[3];
  struct Listener final : InterruptListener {
    void on_interrupt_pended() override {}
  } listener;
  LocalSapic one(regs[0], &clock[0], 1'000'000'000, listener), two(regs[1], &clock[1], 1'000'000'000, listener), three(regs[2], &clock[2], 1'000'000'000, listener);
  one.reset(), two.reset(), three.reset();
  clock[0].advance_to(5000);
  one.write_itc(0x1'0000'0000);
  one.write_itv(0x40);
  one.write_itm(0x1'0000'0000 + 700);
  const auto saved = saved_state(one);
  regs[1].itv = 0x40, regs[1].itm = regs[0].itm;
  clock[1].advance_to(5000);
  REQUIRE(load_state(two, saved).empty());
  CHECK(two.itc() == 0x1'0000'0000);
  clock[1].advance_to(5700);
  CHECK(two.irr(1) == 0);
  clock[1].advance_to(5701);  // one tick behind the match
  CHECK(two.irr(1) == 1);
  // Saved at the very match, before the timer ran: the interrupt is not lost.
  clock[0].advance_to(5700);
  regs[2].itv = 0x40, regs[2].itm = regs[0].itm;
  clock[2].advance_to(5700);
  REQUIRE(load_state(three, saved_state(one)).empty());
  CHECK(three.irr(1) == 0);
  clock[2].advance_to(5701);
  CHECK(three.irr(1) == 1);
}

TEST_CASE("state: a processor takes damaged state without harm", "[cpu][state]") {
  Random random(1);
  BareMachine source;
  randomise(source, random);
  const auto saved = saved_state(source.core());
  for (unsigned n = 0; n < 300; n++) {
    auto bytes = saved;
    if (n % 4 == 0) bytes.resize(random() % bytes.size());
    // The fields that lead somewhere lie in the first and in the last parts; the rest is values.
    for (unsigned k = 1 + random() % 8; k && !bytes.empty(); k--) bytes[random() % bytes.size()] = static_cast<u8>(random());
    BareMachine target;
    target.load("{ .mib\n nop.m 0\n nop.i 0\n br.cond.sptk $ ;;\n}\n");
    (void)load_state(target.core(), bytes);
    target.core().run(500);
    target.core().reset();
    target.core().run(10);
  }
}
