// The window of rotating registers against the register file's own idea of rotation; a pipelined loop interrupted in its steady state.
#include "cpu/jit/rotation_window.h"

#include <memory>

#include "tests/support/bare_machine.h"
#include "tests/support/translator_choice.h"

using namespace ia64;
using namespace ia64::test;
using namespace ia64::cpu;

TEST_CASE("a window shows the rotating registers by name", "[jit]") {
  auto r = std::make_unique<Registers>();
  auto w = std::make_unique<jit::RotationWindow>();
  r->cfm = Cfm{.sof = 40, .sol = 40, .sor = 24, .rrb_gr = 17, .rrb_fr = 3, .rrb_pr = 40};
  for (unsigned n = 32; n < 72; n++) r->set_gr(n, 1000 + n);
  for (unsigned p = 16; p < 64; p++) r->set_pr(p, p % 3 == 0);
  const u64 place = jit::open_window(*w, *r);
  for (unsigned n = 32; n < 56; n++) CHECK(w->general[place + n - 32] == 1000 + n);
  for (unsigned p = 16; p < 64; p++) CHECK(w->predicates[place + p - 16] == (p % 3 == 0));
}

TEST_CASE("closing a window rotates once per step, however often it is done", "[jit]") {
  auto r = std::make_unique<Registers>();
  auto w = std::make_unique<jit::RotationWindow>();
  for (const unsigned steps : {1u, 16u, 30u, 512u}) {
    INFO(steps);
    r->cfm = Cfm{.sof = 40, .sol = 40, .sor = 16, .rrb_gr = 5, .rrb_fr = 95, .rrb_pr = 0};
    for (unsigned n = 32; n < 72; n++) r->set_gr(n, 1000 + n);
    u64 place = jit::open_window(*w, *r);
    for (unsigned n = 0; n < steps; n++) {
      place--;
      w->general[place] = w->general[place + 16];
      w->predicates[place] = n % 5 == 0;
    }
    for (unsigned again = 0; again < 2; again++) {
      jit::close_window(*w, *r, place);
      CHECK(r->cfm.rrb_gr == (5 + 16 * 40 - steps) % 16);
      CHECK(r->cfm.rrb_fr == (95 + 96 * 10 - steps) % 96);
      CHECK(r->cfm.rrb_pr == (48 * 20 - steps) % 48);
      for (unsigned n = 32; n < 48; n++) CHECK(r->gr(n) == 1000 + 32 + (n - 32 + 16 * 40 - steps) % 16);
      for (unsigned n = 48; n < 72; n++) CHECK(r->gr(n) == 1000 + n);  // behind the rotating region
      for (unsigned n = 0; n < std::min(steps, 48u); n++) CHECK(r->pr(16 + n) == ((steps - 1 - n) % 5 == 0));
    }
  }
}

TEST_CASE("a pipelined loop stops anywhere with its registers in place", "[jit]") {
  NEEDS_ASSEMBLER();
  constexpr const char* kLoop = R"(
top:
{ .mmi
  (p16) ld8 r32 = [r8], 8
  (p19) st8 [r9] = r37, 8
  (p17) add r34 = r33, r14
}
{ .mib
  (p18) adds r36 = 1, r35
  nop.i 0
  br.ctop.sptk.few top ;;
}
{ .mib
  break.m 0x100
  nop.i 0
  nop.b 0 ;;
}
)";
  for (const u64 stop : {u64{0}, u64{6}, u64{600}, u64{1205}, u64{3001}, u64{4400}}) {
    INFO(stop);
    BareMachine m, reference;
    m.core().use_translator(translator_choice());
    for (BareMachine* each : {&m, &reference}) {
      each->load(kLoop);
      auto& r = each->regs();
      r.cfm = Cfm{.sof = 16, .sol = 16, .sor = 8};
      r.set_gr(8, BareMachine::kData), r.set_gr(9, BareMachine::kData + 0x10000), r.set_gr(14, 100);
      for (unsigned n = 32; n < 48; n++) r.set_gr(n, 0);
      for (unsigned p = 16; p < 64; p++) r.set_pr(p, p == 16);
      r.lc = 999, r.ec = 4;
      for (unsigned n = 0; n < 1000; n++) each->write64(BareMachine::kData + 8 * n, n * n);
    }
    if (stop) {
      CHECK(m.core().run(stop) == StopReason::Budget);
      CHECK(reference.core().run(stop) == StopReason::Budget);
      CHECK(m.regs().ip == reference.regs().ip);
      CHECK(m.regs().lc == reference.regs().lc);
      CHECK(m.regs().cfm.pack() == reference.regs().cfm.pack());
      for (unsigned n = 32; n < 48; n++) CHECK(m.regs().gr(n) == reference.regs().gr(n));
      for (unsigned p = 1; p < 64; p++) CHECK(m.regs().pr(p) == reference.regs().pr(p));
    }
    m.run_to_interruption(1'000'000);
    for (unsigned n = 0; n < 1000; n++) CHECK(m.read64(BareMachine::kData + 0x10000 + 8 * n) == u64{n} * n + 101);
    CHECK(m.regs().lc == 0);
    CHECK(m.regs().ec == 0);
    const Optimisations on = translator_choice().optimisations;
    CHECK(m.core().translator_counters()->windows == (on.rotating_loops && on.regions && on.native_rotation && on.native_memory ? 1 : 0));
  }
}
