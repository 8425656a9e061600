// Small functions that regions take in: the same as interpreted, whatever happens in them.
#include "tests/unit/translate/both_engines.h"

using namespace ia64;
using namespace ia64::test;

namespace {

/// Ends the functions of all programs: what stands behind their last label returns at once.
constexpr const char* kReturn = R"(
{ .mib
  nop.m 0
  nop.i 0
  br.ret.sptk.few b0 ;;
}
)";

/// r20 rounds of a loop that calls `f` with r36 = the round and r37 = an address, and sums what it returns in r21.
/// @param call  the bundle with the call; the others may use r16 to r19
std::string loop_with(std::string_view call, std::string_view functions, std::string_view every_round = "") {
  return std::string(R"(
start:
{ .mii
  mov.m ar.rsc = 0
  mov r20 = 400
  mov r24 = ip ;;
}
{ .mii
  mov r21 = 0
  adds r22 = f - start, r24
  adds r23 = g - start, r24 ;;
}
top:
{ .mmi
  adds r20 = -1, r20 ;;
  mov r36 = r20
  and r16 = 7, r20 ;;
}
{ .mmi
  nop.m 0
  nop.m 0
  shladd r37 = r16, 3, r8 ;;
}
)") + std::string(every_round) + std::string(call) + R"(
{ .mii
  add r21 = r21, r9
  mov.i r17 = ar.pfs
  nop.i 0 ;;
}
{ .mib
  add r21 = r21, r17
  cmp.ne p6, p7 = 0, r20
  (p6) br.cond.sptk.few top ;;
}
{ .mib
  break.m 0x100
  nop.i 0
  nop.b 0 ;;
}
)" + std::string(functions);
}

constexpr const char* kCall = R"(
{ .mib
  nop.m 0
  nop.i 0
  br.call.sptk.few b0 = f ;;
}
)";

/// Adds its first argument to what lies at the second one, and returns early for odd rounds.
constexpr const char* kLeaf = R"(
f:
{ .mii
  ld8 r14 = [r33]
  tbit.nz p8, p9 = r32, 0 ;;
  add r9 = r14, r32
}
{ .mib
  adds r15 = 1, r15
  nop.i 0
  (p8) br.ret.dptk.few b0 ;;
}
{ .mib
  st8 [r33] = r9
  nop.i 0
  br.ret.sptk.few b0 ;;
}
g:
{ .mib
  sub r9 = r32, r33
  nop.i 0
  br.ret.sptk.few b0 ;;
}
)";

void frame_of_caller(BareMachine& m) {
  m.regs().cfm = cpu::Cfm{.sof = 8, .sol = 4};
  m.regs().bspstore = BareMachine::kData + 0x10000;
  m.regs().set_gr(8, BareMachine::kData);
}

/// With and without inlining. @returns what the translator counted with all optimisations
cpu::TranslatorCounters same_inlined_or_not(const std::string& source, const std::function<void(BareMachine&)>& setup) {
  for (const char* off : {"inlined_calls", "fold_constants", "pending_writes", "loop_writes", "span_loops", "return_stack"}) {
    INFO("without " << off);
    same_under_both(source, setup, off);
  }
  return same_under_both(source, setup);
}

/// Whether this host and this run's choice of optimisations make regions with calls.
bool may_inline() { return __builtin_cpu_supports("bmi2") && !std::getenv("IVM_NO_OPT"); }

}  // namespace

TEST_CASE("a loop takes in the function that it calls", "[jit]") {
  NEEDS_ASSEMBLER();
  const auto counted = same_inlined_or_not(loop_with(kCall, kLeaf), frame_of_caller);
  if (may_inline()) CHECK(counted.inlined > 0);
}

TEST_CASE("an inlined load of no aligned address goes the slow way, or faults in its own frame", "[jit]") {
  NEEDS_ASSEMBLER();
  // In one round of eight the address is odd.
  const char* const every_round = R"(
{ .mmi
  cmp.eq p10, p0 = 5, r16 ;;
  (p10) adds r37 = 1, r37
  nop.i 0 ;;
}
)";
  for (const bool faults : {false, true}) {
    const auto counted = same_inlined_or_not(loop_with(kCall, kLeaf, every_round), [&](BareMachine& m) {
      frame_of_caller(m);
      if (faults) m.regs().psr |= cpu::psr::kAc;
    });
    if (may_inline() && !faults) CHECK(counted.inlined > 0);
  }
  // The fault comes when the call has been taken in: in round 100.
  same_inlined_or_not(loop_with(kCall, kLeaf, R"(
{ .mmi
  cmp.eq p10, p0 = 100, r20 ;;
  (p10) adds r37 = 1, r37
  nop.i 0 ;;
}
)"), [](BareMachine& m) {
    frame_of_caller(m);
    m.regs().psr |= cpu::psr::kAc;
  });
}

TEST_CASE("an inlined call through a register goes elsewhere when the register does", "[jit]") {
  NEEDS_ASSEMBLER();
  const auto counted = same_inlined_or_not(loop_with(R"(
{ .mii
  cmp.eq p10, p11 = 3, r16
  nop.i 0
  nop.i 0 ;;
}
{ .mii
  nop.m 0
  (p10) mov b6 = r23
  (p11) mov b6 = r22 ;;
}
{ .mib
  nop.m 0
  nop.i 0
  br.call.sptk.few b0 = b6 ;;
}
)", kLeaf), frame_of_caller);
  if (may_inline()) CHECK(counted.inlined > 0);
}

TEST_CASE("an inlined function that returns elsewhere, or into another frame, does so", "[jit]") {
  NEEDS_ASSEMBLER();
  // In some rounds: two bundles further on; another frame; AR.EC set by AR.PFS.
  const auto counted = same_inlined_or_not(loop_with(kCall, R"(
f:
{ .mii
  cmp.eq p10, p0 = 3, r16
  mov.i r10 = ar.pfs
  mov r11 = b0 ;;
}
{ .mii
  (p10) adds r11 = 16, r11
  cmp.eq p11, p0 = 4, r16
  cmp.eq p12, p0 = 6, r16 ;;
}
{ .mii
  mov r9 = r32
  nop.i 0
  (p11) dep r10 = -1, r10, 9, 1 ;;
}
{ .mii
  nop.m 0
  nop.i 0
  (p12) dep r10 = -1, r10, 52, 2 ;;
}
{ .mii
  nop.m 0
  mov b0 = r11
  mov.i ar.pfs = r10 ;;
}
{ .mib
  nop.m 0
  nop.i 0
  br.ret.sptk.few b0 ;;
}
g:
)"), [](BareMachine& m) {
    frame_of_caller(m);
    m.regs().set_gr(16, 0);
  });
  if (may_inline()) CHECK(counted.inlined > 0);
}

TEST_CASE("with AR.EC set, a region with inlined calls is not entered", "[jit]") {
  NEEDS_ASSEMBLER();
  for (u8 ec : {u8{0}, u8{9}})
    same_inlined_or_not(loop_with(kCall, kLeaf), [&](BareMachine& m) {
      frame_of_caller(m);
      m.regs().ec = ec;
    });
}

TEST_CASE("a NaT as argument of an inlined function is consumed there", "[jit]") {
  NEEDS_ASSEMBLER();
  same_inlined_or_not(loop_with(kCall, kLeaf, R"(
{ .mmi
  cmp.eq p10, p0 = 50, r20 ;;
  (p10) mov r37 = r25
  nop.i 0 ;;
}
)"), [](BareMachine& m) {
    frame_of_caller(m);
    m.regs().gr_banked_nat[25 - 16] = 1;
  });
}

TEST_CASE("an inlined function that calls, and one that allocates, keep their frames", "[jit]") {
  NEEDS_ASSEMBLER();
  same_inlined_or_not(loop_with(kCall, R"(
f:
{ .mii
  cmp.eq p10, p11 = 2, r16
  mov.i r10 = ar.pfs
  mov r11 = b0 ;;
}
{ .mib
  mov r9 = r32
  nop.i 0
  (p10) br.call.dptk.few b0 = g ;;
}
{ .mii
  nop.m 0
  mov b0 = r11
  mov.i ar.pfs = r10 ;;
}
{ .mib
  nop.m 0
  nop.i 0
  br.ret.sptk.few b0 ;;
}
g:
{ .mii
  alloc r40 = ar.pfs, 2, 9, 0, 0
  mov r39 = r32 ;;
  add r9 = r9, r39 ;;
}
{ .mib
  nop.m 0
  nop.i 0
  br.ret.sptk.few b0 ;;
}
)"), frame_of_caller);
}

TEST_CASE("a loop through memory in an inlined function runs to the page's end and goes on behind it", "[jit]") {
  NEEDS_ASSEMBLER();
  // Sums and clears 8-byte words in front of and behind a border of pages; in some rounds at odd addresses, which take the slow way.
  const char* const functions = R"(
f:
{ .mii
  mov r14 = r33
  mov.i ar.lc = 40
  mov r9 = r0 ;;
}
words:
{ .mii
  ld8 r15 = [r14]
  nop.i 0
  nop.i 0 ;;
}
{ .mib
  st8 [r14] = r32, 8
  add r9 = r9, r15
  br.cloop.sptk.few words ;;
}
{ .mib
  nop.m 0
  nop.i 0
  br.ret.sptk.few b0 ;;
}
g:
)";
  const char* const every_round = R"(
{ .mmi
  cmp.eq p10, p0 = 5, r16
  adds r37 = -128, r37
  nop.i 0 ;;
}
{ .mmi
  (p10) adds r37 = 1, r37
  nop.m 0
  nop.i 0 ;;
}
)";
  for (const bool faults : {false, true}) {
    const auto counted = same_inlined_or_not(loop_with(kCall, functions, every_round), [&](BareMachine& m) {
      frame_of_caller(m);
      m.regs().set_gr(8, BareMachine::kData + 0x1000);
      if (faults) m.regs().psr |= cpu::psr::kAc;
    });
    if (!may_inline() || faults) continue;
    CHECK(counted.inlined > 0);
    CHECK(counted.span_loops > 0);
  }
}
