// The printer on single instructions; the sweep compares millions with objdump.
#include "cpu/disasm/printer.h"
#include "tests/support/test.h"

using namespace ia64;
using namespace ia64::cpu;

namespace {
std::string text(Unit unit, u64 bits, u64 ip = 0x4000) {
  Insn i;
  decode_slot(unit, bits, 0, 2, i);
  return insn_text(i, ip);
}
}  // namespace

TEST_CASE("text is that of objdump, predicate included") {
  CHECK(text(Unit::M, 0x10000304040) == "add r1=r2,r3");
  CHECK(text(Unit::M, 0x10000304040 | 6) == "(p06) add r1=r2,r3");
  CHECK(text(Unit::B, 0x09fffffd000, 0x100) == "br.cond.dpnt.many.clr 0xe0");
  CHECK(text(Unit::F, 0x12840712180) == "fma.d.s2 f6=f7,f8,f9");
}

TEST_CASE("pseudo-operations are preferred where objdump prefers them") {
  CHECK(text(Unit::M, u64{8} << 37 | u64{2} << 34 | 5 << 20 | 4 << 6) == "mov r4=r5");
  CHECK(text(Unit::B, u64{4} << 37) == "br.few 0x4000");
  CHECK(text(Unit::F, u64{8} << 37 | u64{1} << 27 | 9 << 20 | 8 << 6) == "fnorm.s0 f8=f9");
}

TEST_CASE("an encoding without a row prints as data") {
  CHECK(text(Unit::B, u64{3} << 37 | 0x123) == "data8 0x6000000123");
  CHECK(text(Unit::M, u64{1} << 31 | u64{15} << 27) == "data8 0x0f8000000");
}

TEST_CASE("bundle lines have objdump's columns") {
  const u8 bytes[16] = {0x0d, 0x00, 0x00, 0x00, 0x01, 0x00, 0x10, 0x18, 0x00, 0x84, 0x28, 0x00, 0x00, 0x00, 0x04, 0x00};
  std::string lines[3];
  bundle_text(bytes, 0, lines);
  CHECK(lines[0] == "[MFI]       nop.m 0x0");
  CHECK(lines[1] == "            fclass.m p1,p2=f3,0x1");
  CHECK(lines[2] == "            nop.i 0x0;;");
}
