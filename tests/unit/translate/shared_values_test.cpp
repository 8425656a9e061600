// Values computed once, and multiplications made of shifts and sums. Expected values by hand.
#include "tests/unit/translate/native_machine.h"
#include "tests/unit/translate/optimised_unit.h"

using namespace ia64;
using namespace ia64::test;
using namespace ia64::cpu::ir;
using cpu::Insn;
using Unit = cpu::ir::Unit;

TEST_CASE("what is computed twice is computed once, operands of sums in any order", "[translate]") {
  std::vector<Op> results;
  const Unit u = optimised({get(3), get(4), binary(Opcode::add, 0, 1), binary(Opcode::add, 1, 0), left(2, 3), left(3, 3)}, {4, 5}, results);
  CHECK(u.ops.size() == 4);
  const auto& writes = u.pending(u.blocks[0].pending);
  REQUIRE(writes.size() == 2);
  CHECK(writes[0].value == writes[1].value);
}

TEST_CASE("differences with exchanged operands are two values", "[translate]") {
  std::vector<Op> results;
  const Unit u = optimised({get(3), get(4), binary(Opcode::sub, 0, 1), binary(Opcode::sub, 1, 0)}, {2, 3}, results);
  CHECK(u.ops.size() == 4);
}

TEST_CASE("shifts and sums of one value become a multiplication", "[translate]") {
  std::vector<Op> results;  // ((5 * 8 - 1) * 16 + 1) = 625
  optimised({get(3), left(0, 2), binary(Opcode::add, 1, 0), left(2, 3), binary(Opcode::sub, 3, 0), left(4, 4), binary(Opcode::add, 5, 0)}, {6}, results);
  CHECK(results[0].code == Opcode::mul_imm);
  CHECK(results[0].imm == 625);
}

TEST_CASE("a field of a multiple that is right in its low 32 bits only becomes a multiplication of 32 bits", "[translate]") {
  // ((5 x mod 2^27) * 32 - x): 159 x in the low 32 bits.
  const std::vector<Op> ops = {get(3), left(0, 2), binary(Opcode::add, 1, 0), constant((u64{1} << 27) - 1), binary(Opcode::and_, 2, 3), left(4, 5),
                               binary(Opcode::sub, 5, 0), {.code = Opcode::rotr_imm, .a = 6, .imm = 17}, constant(0x7fff), binary(Opcode::and_, 7, 8)};
  std::vector<Op> results;
  optimised(ops, {9, 6}, results);
  CHECK(results[0].code == Opcode::mul_bits);
  CHECK(results[0].imm == BitsOfProduct{159, 17, 15}.pack());
  CHECK(results[1].code == Opcode::sub);  // all 64 bits of it are no multiple
}

TEST_CASE("a hot loop multiplies by shifts and sums as the guest wrote them", "[jit]") {
  NEEDS_ASSEMBLER();
  BareMachine m;
  m.core().use_translator(translator_choice());
  // r14 = 1315 * r8; r15 = bits 31:17 of 159 * r8; r9 = r8 << 13, of which 51 bits; r10 sums r14.
  load_to_break(m, R"(
top:
{ .mmi
  shladd r14 = r8, 2, r8 ;;
  shladd r14 = r14, 3, r8
  shladd r15 = r8, 2, r8 ;;
}
{ .mii
  shladd r14 = r14, 4, r8
  dep.z r15 = r15, 5, 27 ;;
  nop.i 0
}
{ .mii
  sub r15 = r15, r8
  dep.z r9 = r8, 13, 51 ;;
  extr.u r15 = r15, 17, 15
}
{ .mmi
  shladd r14 = r14, 1, r8 ;;
  add r10 = r10, r14
  nop.i 0
}
{ .mib
  adds r8 = 77, r8
  nop.i 0
  br.cloop.sptk.few top ;;
}
)");
  constexpr u64 kRounds = 5000, kFirst = 0xfedc'ba98'7654'3211;
  m.regs().set_gr(8, kFirst), m.regs().set_gr(10, 0);
  m.regs().lc = kRounds - 1;
  m.run_to_interruption(1'000'000);
  u64 x = kFirst, sum = 0;
  for (u64 n = 0; n < kRounds; n++, x += 77) sum += 1315 * x;
  x -= 77;
  CHECK(m.regs().gr(8) == x + 77);
  CHECK(m.regs().gr(14) == 1315 * x);
  CHECK(m.regs().gr(15) == ((159 * x) >> 17 & 0x7fff));
  CHECK(m.regs().gr(9) == x << 13);
  CHECK(m.regs().gr(10) == sum);
  CHECK(m.regs().lc == 0);
}
