// Forms for which the host has one instruction, and inversions left to ways out. Expected forms by hand.
#include "tests/unit/translate/optimised_unit.h"

using namespace ia64;
using namespace ia64::test;

namespace {

Op predicate(u8 p) { return {.code = Opcode::get, .imm = Location{File::Predicate, p}.pack()}; }
Op select(Value a, Value b, Value c) { return {.code = Opcode::select, .a = a, .b = b, .c = c}; }
Op invert(Value a) { return {.code = Opcode::invert, .a = a}; }

/// The form of the last of `ops`.
Op last_of(std::vector<Op> ops) {
  std::vector<Op> results;
  const Value last = static_cast<Value>(ops.size() - 1);
  optimised(std::move(ops), {last}, results);
  return results[0];
}

}  // namespace

TEST_CASE("a sum with an operand shifted by up to 3 is one operation", "[translate]") {
  for (u64 n = 1; n <= 3; n++) {
    const Op sum = last_of({get(3), get(4), left(0, n), binary(Opcode::add, 1, 2)});
    CHECK(sum.code == Opcode::scaled_add);
    CHECK(sum.imm == n);
  }
  CHECK(last_of({get(3), get(4), left(0, 4), binary(Opcode::add, 1, 2)}).code == Opcode::add);
}

TEST_CASE("a step by a power of two under a predicate adds the predicate", "[translate]") {
  for (u64 n = 0; n <= 3; n++) {
    const Op step = last_of({predicate(6), get(3), constant(u64{1} << n), binary(Opcode::add, 1, 2), select(0, 3, 1)});
    CHECK(step.code == Opcode::scaled_add);
    CHECK(step.imm == n);
  }
  const Op down = last_of({predicate(6), get(3), constant(~u64{0}), binary(Opcode::add, 2, 1), select(0, 3, 1)});
  CHECK(down.code == Opcode::sub);
  CHECK(last_of({predicate(6), get(3), constant(16), binary(Opcode::add, 1, 2), select(0, 3, 1)}).code == Opcode::select);
  // The other way round it is the unchanged value that the predicate takes.
  CHECK(last_of({predicate(6), get(3), constant(8), binary(Opcode::add, 1, 2), select(0, 1, 3)}).code == Opcode::select);
}

TEST_CASE("a selection by an inverse exchanges what it selects", "[translate]") {
  std::vector<Op> results;
  const cpu::ir::Unit u = optimised({predicate(6), get(3), get(4), invert(0), select(3, 1, 2)}, {4}, results);
  const Op& chosen = results[0];
  CHECK(chosen.code == Opcode::select);
  CHECK(u.ops[chosen.a].imm == predicate(6).imm);
  CHECK(u.ops[chosen.b].imm == gr(4));
  CHECK(u.ops[chosen.c].imm == gr(3));
}

TEST_CASE("selections among 0, 1 and a predicate are logic, of registers they are not", "[translate]") {
  CHECK(last_of({predicate(6), predicate(7), constant(0), select(0, 1, 2)}).code == Opcode::and_);
  CHECK(last_of({predicate(6), predicate(7), constant(1), select(0, 2, 1)}).code == Opcode::or_);
  CHECK(last_of({predicate(6), predicate(7), constant(0), select(0, 2, 1)}).code == Opcode::andn);
  CHECK(last_of({predicate(6), get(3), constant(0), select(0, 1, 2)}).code == Opcode::select);
  CHECK(last_of({predicate(6), get(3), constant(0), select(0, 2, 1)}).code == Opcode::select);
  CHECK(last_of({predicate(6), constant(1), constant(0), select(0, 1, 2)}).code == Opcode::get);
  CHECK(last_of({predicate(6), constant(1), binary(Opcode::and_, 1, 0)}).code == Opcode::get);
  CHECK(last_of({get(3), constant(1), binary(Opcode::and_, 1, 0)}).code == Opcode::and_);
}

TEST_CASE("a selection among selections by the same predicate decides once", "[translate]") {
  // r8 = -1; (p8) r8 = 1; (p9) r8 = 0, where p9 is the inverse of p8: r8 is p8.
  const Op both = last_of({predicate(8), constant(1), constant(~u64{0}), select(0, 1, 2), invert(0), constant(0), select(4, 5, 3)});
  CHECK(both.code == Opcode::get);
  CHECK(both.imm == predicate(8).imm);
  // p8 ? r3 : (p8 ? r4 : r5)
  std::vector<Op> results;
  const cpu::ir::Unit u = optimised({predicate(8), get(3), get(4), get(5), select(0, 2, 3), select(0, 1, 4)}, {5}, results);
  CHECK(results[0].code == Opcode::select);
  CHECK(u.ops[results[0].b].imm == gr(3));
  CHECK(u.ops[results[0].c].imm == gr(5));
  CHECK(last_of({predicate(8), constant(0), constant(1), select(0, 1, 2)}).code == Opcode::invert);
}

TEST_CASE("what only ways out need of a predicate is inverted there", "[translate]") {
  static const cpu::Insn insn;
  const auto written = [](bool used_elsewhere) {
    cpu::ir::Unit u;
    u.ops = {get(3), get(4), binary(Opcode::cmp_eq, 0, 1), invert(2)};
    u.ops.push_back({.code = Opcode::set, .a = 3, .imm = Location{File::Predicate, 7}.pack()});
    if (used_elsewhere) u.ops.push_back({.code = Opcode::set, .a = 3, .imm = gr(9)});
    u.exits.push_back({0x1000, 0, &insn, {}});
    u.terminal = Leave{0};
    optimise(u);
    CHECK(verify(u).empty());
    for (const PendingWrite& w : u.pending(u.blocks[0].pending))
      if (Location::unpack(w.location).file == File::Predicate) return std::pair{w.inverse, u.ops[w.value].code};
    return std::pair{false, Opcode::constant};
  };
  CHECK(written(false) == std::pair{true, Opcode::cmp_eq});
  CHECK(written(true) == std::pair{false, Opcode::invert});
}
