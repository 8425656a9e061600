// Calls, returns, alloc, indirect branches, rotating loops and moves of application registers: the same as interpreted.
#include "tests/unit/translate/both_engines.h"

using namespace ia64;
using namespace ia64::test;
using cpu::StopReason;

namespace {

/// With all optimisations, and without each of those that these programs are about.
void same_with_and_without(std::string_view source, const Setup& setup) {
  for (const char* off : {"", "return_stack", "inline_lookup", "return_stack,inline_lookup", "native_calls", "native_moves", "native_rotation", "all"}) {
    INFO("without " << off);
    same_under_both(source, setup, off);
  }
}

void first_frame(BareMachine& m) {
  m.regs().cfm = cpu::Cfm{.sof = 1, .sol = 0};
  m.regs().set_gr(32, 12), m.regs().set_pr(8, true);
}

constexpr const char* kFibonacci = R"(
{ .mib
  mov.m ar.rsc = 0
  nop.i 0
  br.call.sptk.few b0 = fib ;;
}
{ .mib
  break.m 0x100
  nop.i 0
  nop.b 0 ;;
}
fib:
{ .mii
  alloc r33 = ar.pfs, 1, 4, 1, 0
  mov r34 = b0
  cmp.ge p6, p7 = 1, r32 ;;
}
{ .mib
  (p6) mov r8 = r32
  nop.i 0
  (p6) br.ret.dptk.few b0 ;;
}
{ .mib
  adds r37 = -1, r32
  nop.i 0
  br.call.sptk.few b0 = fib ;;
}
{ .mib
  mov r35 = r8
  adds r37 = -2, r32
  (p8) br.call.sptk.few b0 = fib ;;
}
{ .mii
  add r8 = r8, r35
  mov.i ar.pfs = r33
  mov b0 = r34 ;;
}
{ .mib
  nop.m 0
  nop.i 0
  br.ret.sptk.few b0 ;;
}
)";

}  // namespace

TEST_CASE("recursive calls return in line", "[jit]") {
  NEEDS_ASSEMBLER();
  same_with_and_without(kFibonacci, first_frame);
  const auto counters = same_under_both(kFibonacci, first_frame);
  if (__builtin_cpu_supports("bmi2") && !std::getenv("IVM_NO_OPT")) {
    // 465 calls: hardly any of their instructions may be executed by the interpreter, nor may every return leave.
    CHECK(counters.instructions > 5000);
    CHECK(counters.enters < 150);
  }
}

TEST_CASE("deep recursion spills and fills the frames", "[jit]") {
  NEEDS_ASSEMBLER();
  same_with_and_without(R"(
{ .mib
  mov.m ar.rsc = 0
  nop.i 0
  br.call.sptk.few b0 = sum ;;
}
{ .mib
  break.m 0x100
  nop.i 0
  nop.b 0 ;;
}
sum:
{ .mii
  alloc r33 = ar.pfs, 1, 19, 1, 0
  mov r34 = b0
  cmp.eq p6, p7 = 0, r32 ;;
}
{ .mib
  mov r50 = r32
  mov r8 = 0
  (p6) br.cond.dptk.few out ;;
}
{ .mib
  adds r52 = -1, r32
  nop.i 0
  br.call.sptk.few b6 = sum ;;
}
{ .mii
  add r8 = r8, r50
  nop.i 0
  nop.i 0 ;;
}
out:
{ .mii
  nop.m 0
  mov.i ar.pfs = r33
  mov b6 = r34 ;;
}
{ .mib
  nop.m 0
  nop.i 0
  br.ret.sptk.few b6 ;;
}
)", [](BareMachine& m) { first_frame(m), m.regs().set_gr(32, 300), m.regs().br[6] = BareMachine::kCode + 16; });
}

TEST_CASE("indirect calls and jumps, returns across pages, arguments that are NaT", "[jit]") {
  NEEDS_ASSEMBLER();
  same_with_and_without(R"(
{ .mii
  mov.m ar.rsc = 0
  mov r20 = 200
  mov r21 = 0 ;;
}
{ .mib
  addl r14 = 0x0000, r0
  nop.i 0
  br.sptk.few next ;;
}
.skip 4096 - 80
next:
{ .mii
  and r15 = 1, r20
  mov r22 = ip ;;
  adds r23 = fone - next, r22 ;;
}
{ .mmi
  cmp.eq p6, p7 = 0, r15 ;;
  (p6) adds r23 = ftwo - next, r22
  nop.i 0 ;;
}
{ .mib
  mov r33 = r20
  mov b7 = r23
  br.call.sptk.few b0 = b7 ;;
}
back:
{ .mii
  add r21 = r21, r8
  adds r20 = -1, r20 ;;
  cmp.ne p6, p7 = 0, r20 ;;
}
{ .mii
  adds r22 = next - back, r0
  mov r23 = ip ;;
  adds r23 = next - back - 16, r23 ;;
}
{ .mib
  nop.m 0
  mov b6 = r23
  (p6) br.cond.sptk.few b6 ;;
}
{ .mib
  break.m 0x100
  nop.i 0
  nop.b 0 ;;
}
fone:
{ .mmi
  alloc r40 = ar.pfs, 2, 12, 2, 0 ;;
  adds r8 = 1, r32
  nop.i 0 ;;
}
{ .mib
  mov r41 = r8
  mov.i ar.pfs = r40
  br.ret.sptk.few b0 ;;
}
ftwo:
{ .mib
  adds r8 = 2, r32
  nop.i 0
  br.ret.sptk.few b0 ;;
}
)", [](BareMachine& m) {
    m.regs().cfm = cpu::Cfm{.sof = 4, .sol = 1};
    m.regs().set_gr(32, 5), m.regs().set_gr(33, 6);
    for (unsigned n = 0; n < 24; n++) m.regs().stack_nat[m.regs().bof + 4 + n] = n % 3 == 0;
  });
}

TEST_CASE("returns with a bad or strange AR.PFS", "[jit]") {
  NEEDS_ASSEMBLER();
  // Frames that are too large, with rotating registers, with locals beyond the frame, of another privilege level, reserved bits.
  for (u64 pfs : {u64{4} | 2 << 7, u64{97}, u64{96} | 96 << 7, u64{8} | 9 << 7, u64{16} | 4 << 7 | 1 << 14, u64{8} | u64{3} << 62,
                  u64{8} | u64{5} << 52, u64{8} | u64{1} << 40, u64{16} | u64{2} << 14 | u64{3} << 18 | u64{5} << 25 | u64{7} << 32}) {
    INFO("AR.PFS " << std::hex << pfs);
    same_under_both(R"(
{ .mib
  mov.m ar.rsc = 0
  mov r20 = 20
  nop.b 0 ;;
}
top:
{ .mib
  nop.m 0
  nop.i 0
  br.call.sptk.few b0 = f ;;
}
{ .mii
  nop.m 0
  adds r20 = -1, r20 ;;
  cmp.ne p6, p7 = 0, r20 ;;
}
{ .mib
  nop.m 0
  nop.i 0
  (p6) br.cond.sptk.few top ;;
}
{ .mib
  break.m 0x100
  nop.i 0
  nop.b 0 ;;
}
f:
{ .mib
  adds r21 = 1, r21
  mov.i ar.pfs = r10
  br.ret.sptk.few b0 ;;
}
)", [pfs](BareMachine& m) {
      m.regs().cfm = cpu::Cfm{.sof = 8, .sol = 2};
      m.regs().set_gr(10, pfs), m.regs().set_gr(21, 0);
    });
  }
}

TEST_CASE("rotating loops wrap their rename bases", "[jit]") {
  NEEDS_ASSEMBLER();
  for (const char* branch : {"br.ctop.sptk.few top", "br.cexit.spnt.few out", "(p16) br.wtop.sptk.few top", "(p16) br.wexit.spnt.few out"}) {
    INFO(branch);
    const bool exits = std::string_view(branch).find("exit") != std::string_view::npos;
    const std::string source = std::string(R"(
{ .mii
  alloc r2 = ar.pfs, 0, 24, 0, 16
  mov.i ar.lc = 120
  mov.i ar.ec = 5 ;;
}
{ .mii
  mov r14 = 0
  mov r15 = 0
  mov pr.rot = 0x10000 ;;
}
top:
{ .mii
  (p16) add r32 = r14, r14
  adds r14 = 1, r14
  (p18) add r15 = r15, r34 ;;
}
{ .mib
  cmp.gtu p16, p0 = 90, r14
  nop.i 0
  )") + branch + R"( ;;
}
)" + (exits ? "{ .mib\n  nop.m 0\n  nop.i 0\n  br.sptk.few top ;;\n}\n" : "") + R"(
out:
{ .mii
  nop.m 0
  mov r3 = pr
  mov.i r4 = ar.ec ;;
}
{ .mib
  nop.m 0
  mov r5 = pr
  clrrrb ;;
}
{ .mib
  (p20) adds r15 = 7, r15
  mov r6 = pr
  nop.b 0 ;;
}
{ .mib
  break.m 0x100
  nop.i 0
  nop.b 0 ;;
}
)";
    same_with_and_without(source, [](BareMachine&) {});
  }
}

TEST_CASE("moves of application registers and predicates", "[jit]") {
  NEEDS_ASSEMBLER();
  const char* source = R"(
{ .mii
  mov r20 = 60
  nop.i 0
  nop.i 0 ;;
}
top:
{ .mii
  nop.m 0
  mov r5 = pr
  shl r11 = r10, 3 ;;
}
{ .mii
  nop.m 0
  mov pr = r10, 0x1fffe
  nop.i 0 ;;
}
{ .mii
  (p3) mov.m ar.ccv = r10
  (p4) mov pr = r11, 0x24
  mov.i ar.ec = r10 ;;
}
{ .mii
  mov.m r6 = ar.ccv
  mov.i r7 = ar.ec
  (p5) mov pr = r11, -65536 ;;
}
{ .mii
  mov.m ar.unat = r11
  and r12 = r10, r13
  mov.i ar.lc = r6 ;;
}
{ .mii
  (p7) mov.m ar.k3 = r10
  mov.i ar.pfs = r12
  mov.i r16 = ar.lc ;;
}
{ .mmi
  mov.m r17 = ar.unat
  mov.m r18 = ar.k3
  mov.i r19 = ar.pfs ;;
}
{ .mmi
  mov.m ar.rsc = 3 ;;
  mov.m r21 = ar.rsc
  (p8) mov pr.rot = 0x3fff0000 ;;
}
{ .mmi
  mov.m ar.rsc = 0 ;;
  mov.m r22 = ar.bspstore
  mov r23 = pr ;;
}
{ .mmi
  mov.m ar.rnat = r10 ;;
  mov.m r24 = ar.rnat
  (p9) mov.i ar.ec = 9 ;;
}
{ .mii
  shladd r10 = r10, 2, r24
  adds r20 = -1, r20 ;;
  cmp.ne p6, p7 = 0, r20 ;;
}
{ .mib
  xor r10 = r10, r23
  nop.i 0
  (p6) br.cond.sptk.few top ;;
}
{ .mib
  nop.m 0
  mov.i ar.pfs = r14
  nop.b 0 ;;
}
{ .mib
  break.m 0x100
  nop.i 0
  nop.b 0 ;;
}
)";
  for (u64 seed : {u64{0x123456789abcdef1}, u64{0xfedcba9876543210}, ~u64{0}}) {
    for (u64 last : {u64{0}, u64{1} << 45})  // the second one has a reserved bit
      same_with_and_without(source, [&](BareMachine& m) {
        m.regs().set_gr(10, seed), m.regs().set_gr(13, 0xc3f0'003f'ffff'ffff), m.regs().set_gr(14, last);
      });
  }
}

TEST_CASE("returns that are not what the call expects find their frame and address", "[jit]") {
  NEEDS_ASSEMBLER();
  // By turns: nothing special; a call with AR.EC set; a return that sets AR.EC, to another address, to a frame with more or no locals.
  same_with_and_without(R"(
{ .mii
  mov.m ar.rsc = 0
  mov r20 = 400
  mov r21 = 0 ;;
}
top:
{ .mii
  and r16 = 7, r20
  mov r15 = 0 ;;
  cmp.eq p6, p0 = 1, r16 ;;
}
{ .mii
  (p6) mov r15 = 5
  mov r36 = r20 ;;
  mov.i ar.ec = r15 ;;
}
{ .mib
  nop.m 0
  nop.i 0
  br.call.sptk.few b0 = f ;;
}
{ .mii
  add r21 = r21, r8
  nop.i 0
  nop.i 0 ;;
}
other:
{ .mii
  adds r20 = -1, r20
  mov.i r17 = ar.ec ;;
  cmp.ne p6, p7 = 0, r20 ;;
}
{ .mib
  add r21 = r21, r17
  nop.i 0
  (p6) br.cond.sptk.few top ;;
}
{ .mib
  break.m 0x100
  nop.i 0
  nop.b 0 ;;
}
f:
{ .mii
  cmp.eq p6, p0 = 2, r16
  mov.i r10 = ar.pfs
  mov r11 = b0 ;;
}
{ .mii
  cmp.eq p7, p0 = 3, r16
  (p6) dep r10 = -1, r10, 52, 2
  cmp.eq p8, p0 = 4, r16 ;;
}
{ .mii
  (p7) adds r11 = 16, r11
  (p8) dep r10 = -1, r10, 7, 2
  cmp.eq p9, p0 = 5, r16 ;;
}
{ .mii
  mov r8 = r32
  (p9) dep r10 = 0, r10, 7, 7
  cmp.eq p8, p0 = 6, r16 ;;
}
{ .mii
  nop.m 0
  (p8) dep r10 = -1, r10, 9, 1
  mov b0 = r11 ;;
}
{ .mib
  nop.m 0
  mov.i ar.pfs = r10
  br.ret.sptk.few b0 ;;
}
)", [](BareMachine& m) {
    m.regs().cfm = cpu::Cfm{.sof = 8, .sol = 4};
    m.regs().bspstore = BareMachine::kData + 0x10000;
  });
}

TEST_CASE("a NaT that appears between two runs reaches translated blocks", "[jit]") {
  NEEDS_ASSEMBLER();
  BareMachine a, b;
  b.core().use_translator(translator_choice());
  for (BareMachine* m : {&a, &b}) {
    m->load(R"(
top:
{ .mii
  add r9 = r8, r10
  adds r11 = 1, r11 ;;
  tnat.nz p6, p7 = r9 ;;
}
{ .mib
  (p6) adds r12 = 1, r12
  nop.i 0
  br.cond.sptk.few top ;;
}
)");
    m->regs().cfm = cpu::Cfm{.sof = 8, .sol = 4};
  }
  for (unsigned round = 0; round < 60; round++) {
    for (BareMachine* m : {&a, &b}) {
      m->regs().set_gr_nat(round % 2 ? 8 : 10, round, round % 5 == 2);
      REQUIRE(m->core().run(601 + round) == StopReason::Budget);
    }
    INFO("round " << round);
    REQUIRE(cpu::register_differences(a.regs(), b.regs()) == "");
  }
}
