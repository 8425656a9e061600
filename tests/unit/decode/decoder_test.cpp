// Properties of the decoder: every row finds itself, rows do not overlap, illegal operands, templates, flags.
#include <cstring>
#include <random>

#include "base/bits.h"
#include "cpu/decode/decoder.h"
#include "cpu/exec/handlers.h"
#include "tests/support/bare_machine.h"
#include "tests/support/test.h"

using namespace ia64;
using namespace ia64::cpu;

namespace {

/// Units whose slots can hold a row.
std::vector<Unit> units_of(const OpInfo& op) {
  if (op.unit == Unit::A) return {Unit::M, Unit::I};
  return {op.unit};
}

u64 random_slot(std::mt19937_64& random, const OpPattern& p) {
  return ((random() & ~p.mask & ~p.must_be_0) | p.value) & low_mask(41);
}

void put_bundle(u8* bytes, unsigned template_bits, u64 s0, u64 s1, u64 s2) {
  const u64 low = template_bits | s0 << 5 | s1 << 46, high = s1 >> 18 | s2 << 23;
  std::memcpy(bytes, &low, 8);
  std::memcpy(bytes + 8, &high, 8);
}

Insn decode(Unit unit, u64 bits, unsigned slot = 0) {
  Insn i;
  decode_slot(unit, bits, 0, slot, i);
  return i;
}

bool always(const Insn& i) {
  return i.handler == illegal_operation && (i.flags & kReadsOwnPredicate);
}
bool if_predicated(const Insn& i) {
  return i.handler == illegal_operation && !(i.flags & kReadsOwnPredicate);
}

}  // namespace

TEST_CASE("every row's own encodings decode to that row") {
  std::mt19937_64 random(7);
  for (u16 op = 1; op < op_count(); ++op) {
    const OpPattern p = pattern_of(op_info(op).picture);
    INFO(op_info(op).name);
    for (Unit unit : units_of(op_info(op)))
      for (int n = 0; n < 64; ++n) REQUIRE(decode(unit, random_slot(random, p)).op == op);
  }
}

TEST_CASE("no two rows of a unit share an encoding") {
  for (Unit unit : {Unit::I, Unit::M, Unit::B, Unit::F, Unit::X})
    for (u16 a = 1; a < op_count(); ++a)
      for (u16 b = static_cast<u16>(a + 1); b < op_count(); ++b) {
        const OpInfo &x = op_info(a), &y = op_info(b);
        const bool both = (x.unit == unit || (x.unit == Unit::A && (unit == Unit::M || unit == Unit::I))) &&
                          (y.unit == unit || (y.unit == Unit::A && (unit == Unit::M || unit == Unit::I)));
        if (!both) continue;
        const OpPattern p = pattern_of(x.picture), q = pattern_of(y.picture);
        INFO(x.name << " and " << y.name);
        REQUIRE(((p.value ^ q.value) & p.mask & q.mask) != 0);
      }
}

TEST_CASE("every value of the major opcode and the ten bits below hits a row or is illegal when predicated") {
  std::mt19937_64 random(11);
  unsigned reserved = 0;
  for (Unit unit : {Unit::I, Unit::M, Unit::B, Unit::F, Unit::X})
    for (u64 index = 0; index < (1u << 14); ++index) {
      const u64 bits = index << 27 | (random() & low_mask(27));
      const Insn i = decode(unit, bits, 2);
      if (i.op == kReservedOp) {
        if (unit == Unit::B && index >> 10 == 2) continue;  // branch predict: see the next test
        ++reserved;
        REQUIRE(if_predicated(i));
        REQUIRE(i.qp == (bits & 63));
        REQUIRE((i.flags & kEndsBlock) != 0);
      } else {
        const OpPattern p = pattern_of(op_info(i.op).picture);
        REQUIRE((bits & p.mask) == p.value);
      }
    }
  CHECK(reserved > 0);
}

TEST_CASE("unassigned codes of the branch-predict opcode do nothing") {
  for (u64 x6 = 2; x6 < 64; ++x6) {
    if (x6 == 0x10 || x6 == 0x11) continue;  // brp, brp.ret
    const Insn i = decode(Unit::B, u64{2} << 37 | x6 << 27);
    CHECK(i.handler == nop_b9);
    CHECK((i.flags & kEndsBlock) == 0);
  }
}

TEST_CASE("reserved templates are illegal whatever the slots hold") {
  for (unsigned t : {0x06, 0x07, 0x14, 0x15, 0x1a, 0x1b, 0x1e, 0x1f}) {
    u8 bytes[16];
    put_bundle(bytes, t, 0x8000000 | 5, 0x8000000 | 5, 0x8000000 | 5);  // nops under p5
    Insn out[3];
    REQUIRE(decode_bundle(bytes, out) == 3);
    for (const Insn& i : out) CHECK(always(i));
  }
}

TEST_CASE("templates assign units and stops as the manual's table does") {
  struct Row {
    unsigned bits;
    const char* name;
    unsigned stops;
  };
  const Row rows[] = {{0x00, "MII", 0}, {0x01, "MII", 4}, {0x02, "MII", 2}, {0x03, "MII", 6},
                      {0x04, "MLX", 0}, {0x05, "MLX", 4}, {0x08, "MMI", 0}, {0x09, "MMI", 4},
                      {0x0a, "MMI", 1}, {0x0b, "MMI", 5}, {0x0c, "MFI", 0}, {0x0d, "MFI", 4},
                      {0x0e, "MMF", 0}, {0x0f, "MMF", 4}, {0x10, "MIB", 0}, {0x11, "MIB", 4},
                      {0x12, "MBB", 0}, {0x13, "MBB", 4}, {0x16, "BBB", 0}, {0x17, "BBB", 4},
                      {0x18, "MMB", 0}, {0x19, "MMB", 4}, {0x1c, "MFB", 0}, {0x1d, "MFB", 4}};
  for (const Row& r : rows) {
    const BundleTemplate& t = bundle_template(r.bits);
    CHECK(std::string(t.name) == r.name);
    CHECK(t.stops == r.stops);
    CHECK_FALSE(t.reserved);
  }
}

TEST_CASE("stops and the end of the bundle are flags of the instruction before them") {
  u8 bytes[16];
  const u64 nop = 0x8000000;
  Insn out[3];
  put_bundle(bytes, 0x03, nop, nop, nop);  // M I; I;
  REQUIRE(decode_bundle(bytes, out) == 3);
  CHECK((out[0].flags & (kGroupEnd | kLastSlot)) == 0);
  CHECK((out[1].flags & (kGroupEnd | kLastSlot)) == kGroupEnd);
  CHECK((out[2].flags & (kGroupEnd | kLastSlot)) == (kGroupEnd | kLastSlot));
  CHECK(out[2].slot == 2);
  put_bundle(bytes, 0x05, nop, 0, u64{6} << 37 | 4 << 6);  // MLX;
  REQUIRE(decode_bundle(bytes, out) == 2);
  CHECK((out[1].flags & (kGroupEnd | kLastSlot)) == (kGroupEnd | kLastSlot));
}

TEST_CASE("targets that cannot be written are illegal when the predicate is true") {
  CHECK(if_predicated(decode(Unit::M, 0x10000304000)));                 // add r0=r2,r3
  CHECK(if_predicated(decode(Unit::M, 0x080c0304000 & ~u64{0x1fc0})));  // ld8 r0=[r3]
  CHECK(if_predicated(decode(Unit::F, 0x12840712000)));                 // fma.d.s2 f0=...
  CHECK(if_predicated(decode(Unit::F, 0x12840712040)));                 // fma.d.s2 f1=...
  CHECK(decode(Unit::F, 0x12840712080).handler == fma_d_f1);            // fma.d.s2 f2=...
}

TEST_CASE("frcpa with a target that cannot be written clears p2 when predicated off, else is illegal") {
  test::BareMachine machine;
  Core& core = machine.core();
  const Insn i = decode(
      Unit::F, u64{1} << 33 | u64{7} << 27 | 3 << 20 | 2 << 13 | 1 << 6 | 6);  // (p6) frcpa f1,p7=f2,f3
  REQUIRE((i.flags & kReadsOwnPredicate) != 0);
  core.regs().set_pr(6, false);
  core.regs().set_pr(7, true);
  CHECK(i.handler(core, i) == Next::Continue);
  CHECK_FALSE(core.regs().pr(7));
  core.regs().set_pr(6, true);
  CHECK(i.handler(core, i) == Next::Fault);
  CHECK(core.pending_fault().vector == Vector::GeneralException);
}

TEST_CASE("a post-incremented base must not be r0 or the loaded register") {
  const u64 ld8 = u64{5} << 37 | u64{3} << 30;
  CHECK(if_predicated(decode(Unit::M, ld8 | 5 << 20 | 5 << 6)));
  CHECK(if_predicated(decode(Unit::M, ld8 | 0 << 20 | 5 << 6)));
  CHECK(decode(Unit::M, ld8 | 6 << 20 | 5 << 6).handler == ld8_m3);
}

TEST_CASE("equal predicate targets are illegal, for .unc even when predicated off") {
  const u64 cmp_eq = u64{14} << 37 | u64{9} << 27 | 9 << 6 | 2 << 20 | 3 << 13;
  CHECK(if_predicated(decode(Unit::I, cmp_eq)));
  CHECK(always(decode(Unit::I, cmp_eq | 1 << 12)));
  CHECK(if_predicated(decode(Unit::I, u64{5} << 37 | u64{9} << 27 | 9 << 6)));     // tbit.z
  CHECK(always(decode(Unit::F, u64{4} << 37 | u64{9} << 27 | 1 << 12 | 9 << 6)));  // fcmp.eq.unc
  CHECK(decode(Unit::I, cmp_eq ^ 1 << 6).handler == cmp_eq_a6);
}

TEST_CASE("loop branches are legal in slot 2 only, br.cond anywhere") {
  for (u64 btype : {2, 3, 5, 6, 7}) {
    const u64 bits = u64{4} << 37 | btype << 6;
    CHECK(always(decode(Unit::B, bits, 0)));
    CHECK(always(decode(Unit::B, bits, 1)));
    CHECK(decode(Unit::B, bits, 2).handler != illegal_operation);
  }
  CHECK(decode(Unit::B, u64{4} << 37, 0).handler == br_cond_b1);
}

TEST_CASE("alloc checks its sizes and its target against the new frame") {
  const auto alloc = [](u64 sof, u64 sol, u64 sor, u64 r1, u64 qp = 0) {
    return decode(Unit::M, u64{1} << 37 | u64{6} << 33 | sor << 27 | sol << 20 | sof << 13 | r1 << 6 | qp);
  };
  CHECK(alloc(96, 96, 12, 127).handler == alloc_m34);
  CHECK(alloc(8, 8, 1, 39).handler == alloc_m34);
  CHECK(alloc(0, 0, 0, 31).handler == alloc_m34);
  CHECK(always(alloc(97, 0, 0, 32)));
  CHECK(always(alloc(8, 9, 0, 32)));
  CHECK(always(alloc(8, 8, 2, 32)));
  CHECK(always(alloc(8, 8, 0, 40)));
  CHECK(always(alloc(8, 8, 0, 0)));
  CHECK(always(alloc(8, 8, 0, 32, 1)));  // cannot be predicated
}

TEST_CASE("load pairs need an odd and an even register where the numbers tell") {
  const auto ldfpd = [](u64 f1, u64 f2) {
    return decode(Unit::M, u64{6} << 37 | u64{3} << 30 | 1 << 27 | 3 << 20 | f2 << 13 | f1 << 6);
  };
  CHECK(ldfpd(8, 9).handler == ldfpd_m11);
  CHECK(ldfpd(33, 40).handler == ldfpd_m11);
  CHECK(if_predicated(ldfpd(8, 10)));
  CHECK(if_predicated(ldfpd(33, 41)));
  CHECK(if_predicated(ldfpd(8, 8)));
  CHECK(if_predicated(ldfpd(1, 8)));
  CHECK(ldfpd(8, 40).handler == ldfpd_m11);  // depends on RRB.fr: the handler decides
}

TEST_CASE("reserved operand codes are illegal when the predicate is true") {
  for (u64 type = 0; type < 16; ++type) {
    const Insn i =
        decode(Unit::I, u64{7} << 37 | u64{3} << 34 | u64{2} << 30 | 2 << 28 | type << 20 | 4 << 13 | 5 << 6);
    CHECK((i.handler == mux1_i3) == (type == 0 || (type >= 8 && type <= 11)));
  }
  CHECK(if_predicated(
      decode(Unit::M, u64{8} << 37 | u64{1} << 34 | u64{1} << 33 | u64{4} << 29 | 3 << 27 | 5 << 6)));
  CHECK(if_predicated(
      decode(Unit::M, u64{12} << 37 | u64{1} << 36 | 2 << 27 | 1 << 13 | 1 << 6)));  // A7 with r2
  CHECK(always(decode(Unit::B, u64{2} << 27 | 1, 2)));                               // (p1) cover
  CHECK(always(decode(Unit::B, u64{0x20} << 27 | 1 << 6 | 1)));                      // (p1) br.ia
}

TEST_CASE("rows that act when predicated off and rows that end a block are flagged") {
  CHECK((decode(Unit::M, u64{14} << 37 | 1 << 12 | 1 << 6).flags & kReadsOwnPredicate) != 0);  // cmp.eq.unc
  CHECK((decode(Unit::M, u64{14} << 37 | 1 << 6).flags & kReadsOwnPredicate) == 0);            // cmp.eq
  CHECK((decode(Unit::F, u64{1} << 33 | 4 << 6).flags & kReadsOwnPredicate) != 0);             // frcpa
  CHECK((decode(Unit::B, u64{4} << 37 | 7 << 6, 2).flags & kReadsOwnPredicate) != 0);          // br.ctop
  CHECK((decode(Unit::B, u64{4} << 37, 2).flags & kEndsBlock) != 0);                           // br.cond
  CHECK((decode(Unit::M, u64{3} << 31 | u64{1} << 27).flags & kEndsBlock) != 0);               // srlz.i
  CHECK((decode(Unit::M, 0x10000304040).flags & kEndsBlock) == 0);                             // add
}

TEST_CASE("the highest general target counts loads and their bases, not sources or alloc") {
  CHECK(highest_gr_target(decode(Unit::M, 0x10000304040 | u64{100} << 20)) == 1);      // add r1=r2,r103
  CHECK(highest_gr_target(decode(Unit::M, u64{5} << 37 | 90 << 20 | 40 << 6)) == 90);  // ld1 r40=[r90],0
  CHECK(highest_gr_target(decode(Unit::M, u64{4} << 37 | u64{0x30} << 30 | 90 << 20)) == 0);  // st1 [r90]=r0
  CHECK(highest_gr_target(decode(Unit::M, 0x02c08712880)) == 0);                              // alloc r34=...
  CHECK(highest_gr_target(decode(Unit::F, 0x12840712180)) == 0);                              // fma f6=...
}
