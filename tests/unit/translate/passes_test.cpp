// Passes and verifier on hand-made units.
#include "cpu/translate/ir.h"
#include "tests/support/test.h"

using namespace ia64;
using cpu::Insn;
using namespace ia64::cpu::ir;
using Unit = cpu::ir::Unit;

namespace {

constexpr u64 gr(u8 n) { return Location{File::General, n}.pack(); }

/// A unit that ends at a fixed address.
Unit unit_of(std::vector<Op> ops) {
  static const Insn insn;
  Unit u;
  u.ops = std::move(ops);
  u.exits.push_back({0x1000, 0, &insn, {}});
  u.terminal = Leave{0};
  return u;
}

const Insn kInsn;

}  // namespace

TEST_CASE("arithmetic on constants is done once", "[translate]") {
  Unit u = unit_of({{.code = Opcode::constant, .imm = 5},
                    {.code = Opcode::constant, .imm = 7},
                    {.code = Opcode::add, .a = 0, .b = 1},
                    {.code = Opcode::shl_imm, .a = 2, .imm = 4},
                    {.code = Opcode::set, .a = 3, .imm = gr(4)}});
  optimise(u);
  REQUIRE(u.ops.size() == 2);
  CHECK(u.ops[0].code == Opcode::constant);
  CHECK(u.ops[0].imm == (5 + 7) * 16);
  CHECK(u.ops[1].code == Opcode::set);
  CHECK(verify(u).empty());
}

TEST_CASE("adding zero is a copy", "[translate]") {
  Unit u = unit_of({{.code = Opcode::get, .imm = gr(3)},
                    {.code = Opcode::constant, .imm = 0},
                    {.code = Opcode::add, .a = 1, .b = 0},
                    {.code = Opcode::set, .a = 2, .imm = gr(4)}});
  optimise(u);
  REQUIRE(u.ops.size() == 2);
  CHECK(u.ops[1].a == 0);
}

TEST_CASE("a write that is overwritten before anybody looks disappears", "[translate]") {
  Unit u = unit_of({{.code = Opcode::get, .imm = gr(3)},
                    {.code = Opcode::set, .a = 0, .imm = gr(4)},
                    {.code = Opcode::constant, .imm = 9},
                    {.code = Opcode::set, .a = 2, .imm = gr(4)}});
  optimise(u);
  unsigned writes = 0;
  for (const Op& op : u.ops) writes += op.code == Opcode::set;
  CHECK(writes == 1);
}

TEST_CASE("a write before a possible fault stays", "[translate]") {
  Unit u = unit_of({{.code = Opcode::get, .imm = gr(3)},
                    {.code = Opcode::set, .a = 0, .imm = gr(4)},
                    {.code = Opcode::load64, .a = 0, .imm = gr(5), .insn = &kInsn},
                    {.code = Opcode::set, .a = 2, .imm = gr(4)}});
  optimise(u);
  CHECK(u.ops.size() == 4);
  CHECK(verify(u).empty());
}

TEST_CASE("the verifier names undefined operands and values that live across calls", "[translate]") {
  CHECK(verify(unit_of({{.code = Opcode::sxt8, .a = 3}})).find("v3") != std::string::npos);
  CHECK(verify(unit_of({{.code = Opcode::get, .imm = gr(3)},
                        {.code = Opcode::call, .insn = &kInsn},
                        {.code = Opcode::set, .a = 0, .imm = gr(4)}}))
            .find("across a call") != std::string::npos);
  CHECK(verify(unit_of({{.code = Opcode::call}})).find("no instruction") != std::string::npos);
}

TEST_CASE("the printer shows one operation a line", "[translate]") {
  const std::string text = print(unit_of({{.code = Opcode::get, .imm = gr(3)}, {.code = Opcode::set, .a = 0, .imm = gr(4)}}));
  CHECK(text.find("  v0 = get r3\n") != std::string::npos);
  CHECK(text.find("  set r4 v0\n") != std::string::npos);
  CHECK(text.find("  exit 0: 0x1000.0\n") != std::string::npos);
}
