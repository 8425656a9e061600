// The random program generator keeps its promises.
#include "tests/support/random_program.h"

#include <set>

#include "base/bits.h"
#include "cpu/exec/handlers.h"
#include "tests/support/test.h"

using namespace ia64;
using namespace ia64::cpu;
using test::ProgramMix;
using test::RandomProgram;

namespace {

template <class Check>
void for_each_insn(RandomProgram& program, unsigned bundles, Check check) {
  for (unsigned n = 0; n < bundles; ++n) {
    const auto bytes = program.next_bundle();
    Insn insns[3];
    const unsigned count = decode_bundle(bytes.data(), insns);
    for (unsigned k = 0; k < count; ++k) check(insns[k], op_info(insns[k].op));
  }
}

bool is_base(const Insn& i) {
  return i.r3 >= 8 && i.r3 <= 11;
}

}  // namespace

TEST_CASE("equal seeds give equal programs, other seeds others") {
  CHECK(RandomProgram(5).program(200) == RandomProgram(5).program(200));
  CHECK(RandomProgram(5).program(200) != RandomProgram(6).program(200));
}

TEST_CASE("default programs are legal, stay in the frame and leave the mode alone") {
  RandomProgram program(1);
  for_each_insn(program, 20000, [](const Insn& i, const OpInfo& op) {
    INFO(op.name);
    REQUIRE(i.op != kReservedOp);
    REQUIRE(i.handler == op.handler);
    REQUIRE((op.flags & (op_flag::kPriv | op_flag::kEnds)) == 0);
    REQUIRE(highest_gr_target(i) < 64);
  });
}

TEST_CASE("memory is reached through the base registers, which only small increments change") {
  RandomProgram program(2);
  for_each_insn(program, 20000, [](const Insn& i, const OpInfo& op) {
    INFO(op.name);
    if (op.flags & op_flag::kWritesR1) REQUIRE((i.r1 < 8 || i.r1 > 11));
    if (!(op.flags & (op_flag::kLoad | op_flag::kStore))) return;
    REQUIRE(is_base(i));
    if (op.flags & op_flag::kWritesR3) REQUIRE((i.imm == 0 || i.imm == 16));
  });
}

TEST_CASE("every row with a weight turns up") {
  std::set<u16> expected, seen;
  for (u16 op = 1; op < op_count(); ++op)
    if (test::default_row_weight(op_info(op)) > 0) expected.insert(op);
  RandomProgram program(3);
  for_each_insn(program, 60000, [&](const Insn& i, const OpInfo&) { seen.insert(i.op); });
  CHECK(seen == expected);
}

TEST_CASE("branches go a few bundles forward") {
  RandomProgram program(4, {.branches = true});
  unsigned branches = 0;
  for_each_insn(program, 5000, [&](const Insn& i, const OpInfo&) {
    if (i.handler != br_cond_b1) return;
    ++branches;
    REQUIRE(i.imm >= 16);
    REQUIRE(i.imm <= 64);
  });
  CHECK(branches > 0);
}

TEST_CASE("a mix can ask for a few rows only") {
  RandomProgram program(
      5, {.row_weight = [](const OpInfo& op) {
        return op.format == Format::A1 || op.format == Format::B9 || op.format == Format::F16 ? 1.0 : 0.0;
      }});
  for_each_insn(program, 500, [](const Insn&, const OpInfo& op) {
    REQUIRE((op.format == Format::A1 || op.format == Format::B9 || op.format == Format::F16));
  });
}
