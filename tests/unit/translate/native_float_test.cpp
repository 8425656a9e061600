// Assembled floating-point programs under the translator: status flags as the program sees them, forms across blocks.
#include <bit>

#include "base/bits.h"
#include "cpu/arch/register_differences.h"
#include "cpu/fp/memory_format.h"
#include "tests/support/bare_machine.h"
#include "tests/support/translator_choice.h"

using namespace ia64;
using namespace ia64::test;

namespace {

constexpr u64 kFpsr = 0x9804c0270033f;
constexpr u64 kInexact0 = u64{1} << 18;  // sf0.flags.i

struct NativeMachine : BareMachine {
  NativeMachine() {
    core().use_translator(translator_choice());
    regs().fpsr = kFpsr;
  }
  void run_to_break() { run_to_interruption(1'000'000); }
};

/// Adds the squares of 100 numbers from r8 on to f9 and stores the sum at r9.
constexpr const char* kSumOfSquares = R"(
{ .mfi
  mov r14 = r8
  nop.f 0
  mov.i ar.lc = 99 ;;
}
top:
{ .mmi
  ldfd f6 = [r14], 8 ;;
  nop.m 0
  nop.i 0
}
{ .mfi
  nop.m 0
  fmpy.d f7 = f6, f6
  nop.i 0 ;;
}
{ .mfb
  nop.m 0
  fadd.d f9 = f9, f7
  br.cloop.sptk.few top ;;
}
{ .mmi
  stfd [r9] = f9 ;;
  break.m 0x100
  nop.i 0 ;;
}
)";

/// Runs the sum from `start`, with a strange number among those in memory, and leaves Inexact clear before.
void sum_squares(BareMachine& m, cpu::FpReg start, u64 strange) {
  m.load(kSumOfSquares);
  for (unsigned n = 0; n < 100; n++) m.write64(BareMachine::kData + 8 * n, n == 60 ? strange : std::bit_cast<u64>(0.1 * n - 3));
  m.regs().set_gr(8, BareMachine::kData), m.regs().set_gr(9, BareMachine::kData + 0x1000);
  m.regs().fr_phys[9] = start, m.regs().fpsr = kFpsr;
  m.run_to_interruption(1'000'000);
}

}  // namespace

TEST_CASE("the program sees Inexact as soon as a result was rounded, and not before", "[jit]") {
  NEEDS_ASSEMBLER();
  NativeMachine m;
  // An exact sum, then a rounded product; the flags are read after each and cleared.
  m.load(R"(
{ .mii
  setf.d f6 = r20
  mov.i ar.lc = 49
  nop.i 0
}
{ .mfi
  setf.d f7 = r21
  nop.f 0
  mov r14 = 0 ;;
}
top:
{ .mfi
  nop.m 0
  fadd.d f8 = f6, f6
  nop.i 0 ;;
}
{ .mmi
  mov.m r15 = ar.fpsr ;;
  or r10 = r10, r15
  nop.i 0
}
{ .mfi
  nop.m 0
  fmpy.d f9 = f7, f7
  nop.i 0 ;;
}
{ .mfi
  mov.m r3 = ar.fpsr
  nop.f 0
  nop.i 0 ;;
}
{ .mfi
  and r11 = r11, r3
  fclrf.s0
  nop.i 0 ;;
}
{ .mib
  adds r14 = 1, r14
  nop.i 0
  br.cloop.sptk.few top ;;
}
{ .mib
  break.m 0x100
  nop.i 0
  nop.b 0 ;;
}
)");
  auto& r = m.regs();
  r.set_gr(20, std::bit_cast<u64>(1.5)), r.set_gr(21, std::bit_cast<u64>(0.1)), r.set_gr(10, 0), r.set_gr(11, ~u64{0});
  m.run_to_break();
  CHECK(r.gr(14) == 50);
  CHECK(r.gr(10) == kFpsr);                // never set behind an exact sum
  CHECK(r.gr(11) == (kFpsr | kInexact0));  // always set behind a rounded product
  CHECK(r.fpsr == kFpsr);
  CHECK(r.fr(8) == cpu::FpReg{u64{3} << 62, 0x10000, 0});
}

TEST_CASE("a sum carried round a loop is the host's sum, and its register is in register format afterwards", "[jit]") {
  NEEDS_ASSEMBLER();
  NativeMachine m;
  m.load(R"(
{ .mfi
  mov r14 = r8
  mov f9 = f0
  mov.i ar.lc = 99 ;;
}
top:
{ .mmi
  ldfd f6 = [r14], 8 ;;
  nop.m 0
  nop.i 0
}
{ .mfi
  nop.m 0
  fmpy.d f7 = f6, f6
  nop.i 0 ;;
}
{ .mfb
  nop.m 0
  fadd.d f9 = f9, f7
  br.cloop.sptk.few top ;;
}
{ .mmi
  stfd [r9] = f9 ;;
  break.m 0x100
  nop.i 0 ;;
}
)");
  double expected = 0;
  for (unsigned n = 0; n < 100; n++) {
    const double v = 0.1 * n - 3;
    m.write64(BareMachine::kData + 8 * n, std::bit_cast<u64>(v));
    const double square = v * v;
    expected += square;
  }
  m.regs().set_gr(8, BareMachine::kData), m.regs().set_gr(9, BareMachine::kData + 0x1000);
  m.run_to_break();
  CHECK(std::bit_cast<double>(m.read64(BareMachine::kData + 0x1000)) == expected);
  CHECK(m.regs().fr(9).significand >> 63 == 1);
  CHECK((m.regs().fpsr & kInexact0) != 0);
  CHECK((m.regs().psr & cpu::psr::kMfl) != 0);
}

TEST_CASE("a loop whose registers or operands are no plain doubles gives what the interpreter gives", "[jit]") {
  NEEDS_ASSEMBLER();
  const cpu::FpReg starts[] = {cpu::fp::from_double(0), cpu::fp::from_integer(77), cpu::FpReg{bit(63) | 1, 0xffff + 3, 0},
                               cpu::fp::from_double(0x7ff0000000000000), cpu::kFpNatVal};
  const u64 strange[] = {std::bit_cast<u64>(1.5), 1, 0x7fe0000000000000, 0x7ff8000000000000, 0x0010000000000000, u64{1} << 63};
  for (const cpu::FpReg& start : starts)
    for (u64 bits : strange) {
      NativeMachine translated;
      BareMachine interpreted;
      sum_squares(translated, start, bits), sum_squares(interpreted, start, bits);
      CHECK(cpu::register_differences(interpreted.regs(), translated.regs()) == "");
      CHECK(interpreted.read64(BareMachine::kData + 0x1000) == translated.read64(BareMachine::kData + 0x1000));
    }
}
