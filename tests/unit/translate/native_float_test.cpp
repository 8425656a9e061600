// Assembled floating-point programs under the translator: status flags as the program sees them, forms across blocks.
#include <bit>

#include "base/bits.h"
#include "cpu/arch/register_differences.h"
#include "cpu/fp/memory_format.h"
#include "tests/unit/translate/native_machine.h"

using namespace ia64;
using namespace ia64::test;

namespace {

constexpr u64 kFpsr = 0x9804c0270033f;
constexpr u64 kInexact0 = u64{1} << 18;  // sf0.flags.i

struct FloatMachine : NativeMachine {
  FloatMachine() { regs().fpsr = kFpsr; }
};

/// One program on both engines, with the same registers afterwards.
struct Both {
  template <class Run>
  explicit Both(Run run) {
    run(translated), run(interpreted);
    CHECK(cpu::register_differences(interpreted.regs(), translated.regs()) == "");
  }
  FloatMachine translated;
  BareMachine interpreted;
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
  FloatMachine m;
  // An exact sum, then a rounded product; the flags are read after each and cleared.
  load_to_break(m, R"(
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
  FloatMachine m;
  m.load(kSumOfSquares);
  m.regs().fr_phys[9] = cpu::fp::from_double(0);
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
      FloatMachine translated;
      BareMachine interpreted;
      sum_squares(translated, start, bits), sum_squares(interpreted, start, bits);
      CHECK(cpu::register_differences(interpreted.regs(), translated.regs()) == "");
      CHECK(interpreted.read64(BareMachine::kData + 0x1000) == translated.read64(BareMachine::kData + 0x1000));
    }
}

TEST_CASE("a loop over denormals leaves what they touch to handlers, and gives what the interpreter gives", "[jit]") {
  NEEDS_ASSEMBLER();
  const auto run = [](BareMachine& m) {
    m.load(kSumOfSquares);
    for (unsigned n = 0; n < 100; n++) m.write64(BareMachine::kData + 8 * n, n + 1);
    m.regs().set_gr(9, BareMachine::kData + 0x1000), m.regs().fr_phys[9] = cpu::fp::from_double(0), m.regs().fpsr = kFpsr;
    m.regs().set_gr(8, BareMachine::kData);
    m.run_to_interruption(1'000'000);
  };
  Both m(run);
  const auto& on = translator_choice().optimisations;
  if (on.native_float && on.native_float_memory) CHECK(m.translated.core().translator_counters()->odd_floats > 0);
}

TEST_CASE("of two NaNs translated arithmetic takes the one that the interpreter takes", "[jit]") {
  NEEDS_ASSEMBLER();
  const char* const forms[] = {"fma.d %f = f6, f1, f7",  "fma.d %f = f1, f6, f7",  "fma.d %f = f6, f7, f0",  "fma.d %f = f6, f7, f8",
                               "fms.d %f = f6, f1, f7",  "fms.d %f = f1, f6, f7",  "fnma.d %f = f6, f1, f7", "fnma.d %f = f1, f6, f7",
                               "fnma.d %f = f6, f7, f0", "fnma.d %f = f6, f7, f8", "fms.d %f = f6, f7, f8",  "fma.s %f = f6, f1, f7",
                               "fma.s %f = f6, f7, f0",  "fnorm.d %f = f6",        "fnorm.s %f = f7",        "fnma.s %f = f1, f7, f6"};
  // Three operands a round; each result is stored and compared.
  std::string program = "{ .mii\n mov r14 = r0\n mov.i ar.lc = r20\n nop.i 0 ;;\n}\ntop:\n";
  for (const char* f : {"f6", "f7", "f8"}) program += std::string("{ .mfb\n ldfd ") + f + " = [r8], 8\n nop.f 0\n nop.b 0 ;;\n}\n";
  for (std::string form : forms) {
    form.replace(form.find("%f"), 2, "f10");
    program += "{ .mfb\n nop.m 0\n " + form + "\n nop.b 0 ;;\n}\n{ .mfb\n stf.spill [r9] = f10, 16\n nop.f 0\n nop.b 0 ;;\n}\n";
  }
  program += "{ .mfb\n nop.m 0\n nop.f 0\n br.cloop.sptk.few top ;;\n}\n{ .mib\n break.m 0x100\n nop.i 0\n nop.b 0 ;;\n}\n";
  const u64 numbers[] = {0x7ff8000000000123, 0xfff9000020000000, std::bit_cast<u64>(2.5), 0xfff0000000000000};
  constexpr u64 kResults = BareMachine::kData + 0x4000;
  const auto run = [&](BareMachine& m) {
    m.load(program.c_str());
    for (unsigned n = 0; n < 256; n++)
      for (unsigned k = 0; k < 3; k++) m.write64(BareMachine::kData + 8 * (3 * n + k), numbers[n >> 2 * k & 3]);
    m.regs().set_gr(8, BareMachine::kData), m.regs().set_gr(9, kResults), m.regs().set_gr(20, 255), m.regs().fpsr = kFpsr;
    m.run_to_interruption(1'000'000);
  };
  Both m(run);
  for (u64 n = 0; n < 256 * std::size(forms); n++) {
    INFO(forms[n % std::size(forms)] << ", operands " << n / std::size(forms) % 64);
    REQUIRE(m.interpreted.read64(kResults + 16 * n) == m.translated.read64(kResults + 16 * n));
    REQUIRE(m.interpreted.read64(kResults + 16 * n + 8) == m.translated.read64(kResults + 16 * n + 8));
  }
}

TEST_CASE("a loop that is entered again and again with other forms than its region assumes is given up", "[jit]") {
  NEEDS_ASSEMBLER();
  const auto run = [](BareMachine& m) {
    load_to_break(m, R"(
{ .mii
  mov r14 = 0
  nop.i 0
  nop.i 0 ;;
}
outer:
{ .mii
  ldf.fill f9 = [r8]
  mov.i ar.lc = 4
  adds r14 = 1, r14 ;;
}
{ .mib
  cmp.ltu p6, p7 = 60, r14
  nop.i 0
  br.few top ;;
}
top:
{ .mfb
  nop.m 0
  fadd.d f10 = f9, f9
  nop.b 0 ;;
}
{ .mfb
  nop.m 0
  fmpy.d f11 = f10, f9
  br.cloop.sptk.few top ;;
}
{ .mib
  cmp.ltu p8, p9 = r20, r14
  nop.i 0
  (p9) br.few outer ;;
}
)");
    // A number of 64 bits: no double.
    m.write64(BareMachine::kData, bit(63) | 1), m.write64(BareMachine::kData + 8, 0xffff);
    m.regs().set_gr(8, BareMachine::kData), m.regs().set_gr(20, 2000), m.regs().fpsr = kFpsr;
    m.run_to_interruption(1'000'000);
  };
  Both m(run);
  const auto& on = translator_choice().optimisations;
  const auto& counted = *m.translated.core().translator_counters();
  if (on.native_float) CHECK(counted.odd_floats + counted.misfits > 0);
  CHECK(counted.deopts < 1000);  // of 10000 additions
}

TEST_CASE("a predicated store looks at its register only when it stores", "[jit]") {
  NEEDS_ASSEMBLER();
  // f9 and f10 are numbers of 64 bits, which no double holds, until the last of 1000 rounds; only then they are stored.
  const auto run = [](BareMachine& m) {
    load_to_break(m, R"(
{ .mii
  ldf.fill f9 = [r8]
  mov.i ar.lc = r14
  cmp.eq p6, p7 = r0, r0 ;;
}
{ .mfi
  ldf.fill f10 = [r8]
  nop.f 0
  nop.i 0 ;;
}
top:
{ .mii
  (p7) stf8 [r9] = f9
  mov.i r15 = ar.lc ;;
  cmp.ltu p6, p7 = 1, r15 ;;
}
{ .mfb
  (p7) stfd [r10] = f10
  nop.f 0
  nop.b 0 ;;
}
{ .mmb
  (p7) ldfd f10 = [r11]
  (p7) ldf8 f9 = [r11]
  br.cloop.sptk.few top ;;
}
)");
    m.write64(BareMachine::kData, bit(63) | 1), m.write64(BareMachine::kData + 8, 0xffff);
    m.write64(BareMachine::kData + 0x40, 0x4045'0000'0000'0000);
    m.regs().set_gr(8, BareMachine::kData), m.regs().set_gr(9, BareMachine::kData + 0x20), m.regs().set_gr(10, BareMachine::kData + 0x28);
    m.regs().set_gr(11, BareMachine::kData + 0x40), m.regs().set_gr(14, 1000), m.regs().fpsr = kFpsr;
    m.run_to_interruption(1'000'000);
  };
  Both m(run);
  CHECK(m.translated.read64(BareMachine::kData + 0x20) == 0x4045'0000'0000'0000);
  CHECK(m.translated.read64(BareMachine::kData + 0x28) == m.interpreted.read64(BareMachine::kData + 0x28));
  CHECK(m.translated.core().translator_counters()->deopts < 20);  // a look in each round would leave in each
}

TEST_CASE("sums of singles half way between two singles stay in generated code", "[jit]") {
  NEEDS_ASSEMBLER();
  const auto run = [](BareMachine& m) {
    load_to_break(m, R"(
{ .mii
  nop.m 0
  mov.i ar.lc = r20
  nop.i 0 ;;
}
top:
{ .mfb
  nop.m 0
  fadd.s f10 = f8, f9
  nop.b 0 ;;
}
{ .mfb
  nop.m 0
  fsub.s f11 = f8, f9
  br.cloop.sptk.few top ;;
}
)");
    m.regs().fr_phys[8] = cpu::fp::from_double(std::bit_cast<u64>(1.0)), m.regs().fr_phys[9] = cpu::fp::from_double(std::bit_cast<u64>(0x1p-24));
    m.regs().set_gr(20, 9999), m.regs().fpsr = kFpsr;
    m.run_to_interruption(1'000'000);
  };
  Both m(run);
  CHECK(m.translated.regs().fr(10) == cpu::fp::from_double(std::bit_cast<u64>(1.0)));  // a tie goes to the even one
  const auto& counted = *m.translated.core().translator_counters();
  CHECK(counted.deopts < 100);
  CHECK(counted.odd_floats == 0);
}

namespace {

/// Sums pairs from r8 on: doubles to f10 and f11, singles to f12 and f13, integers to f14 and f15. The buffers are 0x10000 bytes apart.
constexpr const char* kPairs = R"(
{ .mii
  nop.m 0
  mov.i ar.lc = r20
  nop.i 0 ;;
}
top:
{ .mmi
  ldfpd f6, f7 = [r8], 16
  ldfps.s f32, f33 = [r9], 8
  nop.i 0
}
{ .mfi
  ldfp8 f41, f34 = [r10], 16
  nop.f 0
  nop.i 0 ;;
}
{ .mfi
  nop.m 0
  fadd.d f10 = f10, f6
  nop.i 0
}
{ .mfi
  nop.m 0
  fadd.d f11 = f11, f7
  nop.i 0
}
{ .mfi
  nop.m 0
  fadd.s f12 = f12, f32
  nop.i 0
}
{ .mfi
  nop.m 0
  fadd.s f13 = f13, f33
  nop.i 0
}
{ .mfi
  nop.m 0
  xma.l f14 = f41, f9, f14
  nop.i 0
}
{ .mfb
  nop.m 0
  xma.l f15 = f34, f9, f15
  br.cloop.sptk.few top ;;
}
{ .mmi
  nop.m 0
  break.m 0x100
  nop.i 0 ;;
}
)";

}  // namespace

TEST_CASE("load pairs read both registers across pages, in both byte orders", "[jit]") {
  NEEDS_ASSEMBLER();
  constexpr u64 kCount = 600;  // more than two pages of doubles
  for (const bool big : {false, true}) {
    FloatMachine m;
    m.load(kPairs);
    const auto put = [&](u64 at, u64 v) { m.write64(at, big ? byte_swap(v) : v); };
    for (u64 n = 0; n < kCount; n++) {
      put(BareMachine::kData + 16 * n, std::bit_cast<u64>(static_cast<double>(n)));
      put(BareMachine::kData + 16 * n + 8, std::bit_cast<u64>(-0.5));
      const u64 low = std::bit_cast<u32>(0.25f), high = std::bit_cast<u32>(static_cast<float>(n % 8));
      put(BareMachine::kData + 0x10000 + 8 * n, big ? low << 32 | high : high << 32 | low);
      put(BareMachine::kData + 0x20000 + 16 * n, u64{5} << 60 | n), put(BareMachine::kData + 0x20000 + 16 * n + 8, 3);
    }
    if (big) m.regs().psr |= cpu::psr::kBe;
    for (unsigned k = 0; k < 3; k++) m.regs().set_gr(8 + k, BareMachine::kData + 0x10000 * k);
    for (unsigned f = 10; f < 14; f++) m.regs().fr_phys[f] = cpu::fp::from_double(0);
    m.regs().fr_phys[9] = cpu::fp::from_integer(1);
    for (unsigned f = 14; f < 16; f++) m.regs().fr_phys[f] = cpu::fp::from_integer(0);
    m.regs().set_gr(20, kCount - 1);
    m.run_to_break();
    const auto as_double = [](double d) { return cpu::fp::from_double(std::bit_cast<u64>(d)); };
    CHECK(m.regs().fr(10) == as_double(kCount * (kCount - 1) / 2.0));
    CHECK(m.regs().fr(11) == as_double(kCount * -0.5));
    CHECK(m.regs().fr(12) == as_double(kCount * 0.25));
    CHECK(m.regs().fr(13) == as_double(kCount / 8 * 28));
    CHECK(m.regs().fr(14) == cpu::fp::from_integer((kCount * u64{5} << 60) + kCount * (kCount - 1) / 2));
    CHECK(m.regs().fr(15) == cpu::fp::from_integer(kCount * 3));
    CHECK(m.regs().gr(8) == BareMachine::kData + 16 * kCount);
    CHECK(m.regs().gr(9) == BareMachine::kData + 0x10000 + 8 * kCount);
  }
}

TEST_CASE("load pairs that fault change nothing", "[jit]") {
  NEEDS_ASSEMBLER();
  struct Case {
    const char* load;
    u64 base;
    u8 rename;
    cpu::Vector vector;
  };
  const Case cases[] = {
      {"ldfpd f6, f7 = [r8], 16", BareMachine::kData + 8, 0, cpu::Vector::UnalignedReference},
      {"ldfp8 f6, f7 = [r8], 16", BareMachine::kData + 0x1008, 0, cpu::Vector::UnalignedReference},
      {"ldfps f6, f7 = [r8], 8", BareMachine::kData + 4, 0, cpu::Vector::UnalignedReference},
      {"ldfpd f6, f33 = [r8], 16", BareMachine::kData, 1, cpu::Vector::GeneralException},  // f34 after renaming
      {"ldfpd f6, f33 = [r8], 16", BareMachine::kData, 2, cpu::Vector::BreakInstruction},
      {"ldfps.s f6, f7 = [r8], 8", BareMachine::kData, 0, cpu::Vector::BreakInstruction},
      {"ldfps.c.nc f6, f7 = [r8], 8", BareMachine::kData, 0, cpu::Vector::BreakInstruction},
      {"ldfpd.a f33, f34 = [r8], 16", BareMachine::kData, 5, cpu::Vector::BreakInstruction},
  };
  for (const Case& c : cases) {
    CAPTURE(c.load);
    const auto run = [&](BareMachine& m) {
      m.load(std::string("{ .mmi\n nop.m 0\n " ) + c.load + R"(
  nop.i 0 ;;
}
{ .mib
  break.m 0x100
  nop.i 0
  nop.b 0 ;;
}
)");
      for (unsigned f = 2; f < 128; f++) m.regs().fr_phys[f] = cpu::fp::from_integer(f);
      m.regs().psr |= cpu::psr::kAc;
      m.regs().cfm.rrb_fr = c.rename;
      for (unsigned n = 0; n < 8; n++) m.write64(BareMachine::kData + 8 * n, std::bit_cast<u64>(1.5 + n));
      m.regs().set_gr(8, c.base);
      return m.run_to_interruption(1000).vector;
    };
    FloatMachine translated;
    BareMachine interpreted;
    CHECK(run(translated) == c.vector);
    CHECK(run(interpreted) == c.vector);
    CHECK(cpu::register_differences(interpreted.regs(), translated.regs()) == "");
    if (c.vector != cpu::Vector::BreakInstruction) CHECK(translated.regs().fr(6) == cpu::fp::from_integer(6));
  }
}

TEST_CASE("an instruction left to its handler for odd operands is given back after a while", "[jit]") {
  NEEDS_ASSEMBLER();
  // Odd operands, ordinary ones for long, odd ones again: only who was given back can be left to the handler twice.
  const auto run = [](BareMachine& m, u64 ordinary) {
    load_to_break(m, R"(
{ .mii
  nop.m 0
  mov.i ar.lc = r20
  nop.i 0 ;;
}
top:
{ .mfb
  nop.m 0
  fadd.d f10 = f8, f9
  br.cloop.sptk.few top ;;
}
)");
    const cpu::FpReg wide{bit(63) | 1, 0xffff + 3, 0}, plain = cpu::fp::from_double(std::bit_cast<u64>(1.5));
    m.regs().fpsr = kFpsr, m.regs().fr_phys[9] = plain;
    for (const auto& [operand, rounds] : {std::pair{wide, u64{5000}}, {plain, ordinary}, {wide, u64{5000}}}) {
      m.regs().fr_phys[8] = operand, m.regs().set_gr(20, rounds), m.regs().ip = BareMachine::kCode, m.regs().slot = 0;
      m.run_to_interruption(40'000'000);
    }
  };
  FloatMachine translated;
  BareMachine interpreted;
  run(translated, 4'000'000), run(interpreted, 10);
  CHECK(translated.regs().fr(10) == interpreted.regs().fr(10));
  const auto& on = translator_choice().optimisations;
  if (!on.native_float) return;
  const auto& counted = *translated.core().translator_counters();
  CHECK(counted.odd_floats + counted.misfits >= 2);
  CHECK(counted.deopts < 1000);
}
