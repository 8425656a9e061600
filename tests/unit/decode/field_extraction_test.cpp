// Operand fields of slots that GNU as assembled; the expected values are those of the assembly text.
#include <cstring>

#include "cpu/decode/decoder.h"
#include "tests/support/test.h"

using namespace ia64;
using namespace ia64::cpu;

namespace {

struct Expected {
  u64 imm = 0;
  unsigned r1 = 0, r2 = 0, r3 = 0, r4 = 0, p1 = 0, p2 = 0, pos = 0, len = 0, x = 0;
};

struct Sample {
  const char* assembly;
  const char* row;
  Unit unit;
  u64 bits;
  const char* fields;  ///< names of the members that have a meaning: "r1 r2 imm"
  Expected expected;
};

bool wanted(const Sample& s, const char* member) {
  const std::string list = std::string(" ") + s.fields + " ";
  return list.find(std::string(" ") + member + " ") != list.npos;
}

constexpr u64 neg(u64 v) { return ~v + 1; }

// clang-format off
const Sample kSamples[] = {
    {"add r1=r2,r3", "add_a1", Unit::M, 0x10000304040, "r1 r2 r3 imm", {.r1 = 1, .r2 = 2, .r3 = 3}},
    {"add r1=r2,r3,1", "add_1_a1", Unit::I, 0x10008304040, "r1 r2 r3 imm", {.imm = 1, .r1 = 1, .r2 = 2, .r3 = 3}},
    {"sub r4=r5,r6,1", "sub_1_a1", Unit::M, 0x1002060a100, "r1 r2 r3 imm", {.imm = 1, .r1 = 4, .r2 = 5, .r3 = 6}},
    {"shladd r7=r8,4,r9", "shladd_a2", Unit::M, 0x100989101c0, "r1 r2 r3 pos", {.r1 = 7, .r2 = 8, .r3 = 9, .pos = 4}},
    {"sub r1=-128,r3", "sub_a3", Unit::M, 0x11128300040, "r1 r3 imm", {.imm = neg(128), .r1 = 1, .r3 = 3}},
    {"adds r5=-8192,r6", "adds_a4", Unit::M, 0x11800600140, "r1 r3 imm", {.imm = neg(8192), .r1 = 5, .r3 = 6}},
    {"addp4 r8=8191,r9", "addp4_a4", Unit::M, 0x10df89fe200, "r1 r3 imm", {.imm = 8191, .r1 = 8, .r3 = 9}},
    {"addl r7=-2097152,r3", "addl_a5", Unit::M, 0x130003001c0, "r1 r3 imm", {.imm = neg(2097152), .r1 = 7, .r3 = 3}},
    {"cmp.ltu.unc p6,p7=r8,r9", "cmp_ltu_unc_a6", Unit::M, 0x1a038911180, "p1 p2 r2 r3",
     {.r2 = 8, .r3 = 9, .p1 = 6, .p2 = 7}},
    {"cmp4.ge.or.andcm p10,p11=r0,r12", "cmp4_ge_or_andcm_a7", Unit::M, 0x1d658c00280, "p1 p2 r2 r3",
     {.r2 = 0, .r3 = 12, .p1 = 10, .p2 = 11}},
    {"cmp.ne.and p1,p2=-3,r7", "cmp_ne_and_a8", Unit::M, 0x19a107fb040, "p1 p2 imm r3",
     {.imm = neg(3), .r3 = 7, .p1 = 1, .p2 = 2}},
    {"pshladd2 r1=r2,3,r3", "pshladd2_a10", Unit::M, 0x10690304040, "r1 r2 r3 pos", {.r1 = 1, .r2 = 2, .r3 = 3, .pos = 3}},
    {"pmpyshr2 r1=r2,r3,15", "pmpyshr2_i1", Unit::I, 0x0e2b0304040, "r1 r2 r3 pos", {.r1 = 1, .r2 = 2, .r3 = 3, .pos = 15}},
    {"pmpyshr2.u r1=r2,r3,16", "pmpyshr2_u_i1", Unit::I, 0x0e2d0304040, "r1 r2 r3 pos",
     {.r1 = 1, .r2 = 2, .r3 = 3, .pos = 16}},
    {"mux1 r4=r5,@rev", "mux1_i3", Unit::I, 0x0eca0b0a100, "r1 r2 imm", {.imm = 11, .r1 = 4, .r2 = 5}},
    {"mux2 r4=r5,0x1b", "mux2_i4", Unit::I, 0x0eea1b0a100, "r1 r2 imm", {.imm = 0x1b, .r1 = 4, .r2 = 5}},
    {"pshr4.u r4=r5,31", "pshr4_u_i6", Unit::I, 0x0f41057c100, "r1 r3 pos", {.r1 = 4, .r3 = 5, .pos = 31}},
    {"pshl2 r4=r5,9", "pshl2_i8", Unit::I, 0x0ee5160a100, "r1 r2 pos", {.r1 = 4, .r2 = 5, .pos = 9}},
    {"shrp r1=r2,r3,63", "shrp_i10", Unit::I, 0x0adf8304040, "r1 r2 r3 pos", {.r1 = 1, .r2 = 2, .r3 = 3, .pos = 63}},
    {"extr r1=r2,5,27", "extr_i11", Unit::I, 0x0a4d0216040, "r1 r3 pos len", {.r1 = 1, .r3 = 2, .pos = 5, .len = 27}},
    {"dep.z r1=r2,62,2", "dep_z_i12", Unit::I, 0x0a608104040, "r1 r2 pos len", {.r1 = 1, .r2 = 2, .pos = 62, .len = 2}},
    {"dep.z r1=-5,12,20", "dep_z_i13", Unit::I, 0x0b69f3f6040, "r1 imm pos len",
     {.imm = neg(5), .r1 = 1, .pos = 12, .len = 20}},
    {"dep r1=-1,r2,3,64", "dep_i14", Unit::I, 0x0bff82f0040, "r1 r3 imm pos len",
     {.imm = neg(1), .r1 = 1, .r3 = 2, .pos = 3, .len = 64}},
    {"dep r1=r2,r3,60,4", "dep_i15", Unit::I, 0x08198304040, "r1 r2 r3 pos len",
     {.r1 = 1, .r2 = 2, .r3 = 3, .pos = 60, .len = 4}},
    {"tbit.nz.or p3,p4=r5,63", "tbit_nz_or_i16", Unit::I, 0x0a2205fd0c0, "p1 p2 r3 pos",
     {.r3 = 5, .p1 = 3, .p2 = 4, .pos = 63}},
    {"tf.z p1,p2=33", "tf_z_i30", Unit::I, 0x0a010086040, "p1 p2 pos", {.p1 = 1, .p2 = 2, .pos = 33}},
    {"nop.i 0x1fffff", "nop_i18", Unit::I, 0x0100bffffc0, "imm", {.imm = 0x1fffff}},
    {"chk.s.i r5,.-16", "chk_s_i20", Unit::I, 0x013fff0bfc0, "r2 imm", {.imm = neg(16), .r2 = 5}},
    {"mov pr=r9,0x1fffe", "mov_i23", Unit::I, 0x016ff013fc0, "r2 imm", {.imm = neg(2), .r2 = 9}},
    {"mov pr.rot=-65536", "mov_i24", Unit::I, 0x015ffffffc0, "imm", {.imm = neg(65536)}},
    {"mov b6=r7", "mov_i21", Unit::I, 0x00e0010e180, "r1 r2", {.r1 = 6, .r2 = 7}},
    {"mov r7=b5", "mov_i22", Unit::I, 0x0018800a1c0, "r1 r2", {.r1 = 7, .r2 = 5}},
    {"mov.i ar.lc=-1", "mov_i27", Unit::I, 0x010541fe000, "r3 imm", {.imm = neg(1), .r3 = 65}},
    {"ld8.s.nta r4=[r5],-256", "ld8_s_m3", Unit::M, 0x0b1f0500100, "r1 r3 imm x", {.imm = neg(256), .r1 = 4, .r3 = 5, .x = 3}},
    {"st4.rel [r6]=r7,255", "st4_rel_m5", Unit::M, 0x0ad8860ffc0, "r2 r3 imm x", {.imm = 255, .r2 = 7, .r3 = 6}},
    {"ldfps f8,f9=[r10],8", "ldfps_m12", Unit::M, 0x0d088a12200, "r1 r2 r3 imm", {.imm = 8, .r1 = 8, .r2 = 9, .r3 = 10}},
    {"ldfpd f8,f9=[r10],16", "ldfpd_m12", Unit::M, 0x0d0c8a12200, "r1 r2 r3 imm", {.imm = 16, .r1 = 8, .r2 = 9, .r3 = 10}},
    {"fetchadd8.acq r3=[r4],-16", "fetchadd8_acq_m17", Unit::M, 0x084c84080c0, "r1 r3 imm", {.imm = neg(16), .r1 = 3, .r3 = 4}},
    {"alloc r34=ar.pfs,4,3,2,8", "alloc_m34", Unit::M, 0x02c08712880, "r1 imm", {.imm = 9 | 7 << 7 | 1 << 14, .r1 = 34}},
    {"probe.r r1=r2,3", "probe_r_m39", Unit::M, 0x020c0206040, "r1 r3 imm", {.imm = 3, .r1 = 1, .r3 = 2}},
    {"ssm 0xffffff", "ssm_m44", Unit::M, 0x011b7ffffc0, "imm", {.imm = 0xffffff}},
    {"chk.a.clr f5,.+160", "chk_a_clr_m23", Unit::M, 0x00e00014140, "r1 imm", {.imm = 160, .r1 = 5}},
    {"mov cr.ifa=r9", "mov_m32", Unit::M, 0x02161412000, "r2 r3", {.r2 = 9, .r3 = 20}},
    {"mov psr.l=r3", "mov_psr_l_m35", Unit::M, 0x02168006000, "r2", {.r2 = 3}},
    {"itr.d dtr[r4]=r5", "itr_d_m42", Unit::M, 0x0207040a000, "r2 r3", {.r2 = 5, .r3 = 4}},
    {"br.cond.dpnt.many.clr .-32", "br_cond_b1", Unit::B, 0x09fffffd000, "imm x", {.imm = neg(32), .x = 3 | 8 | 16}},
    {"br.call.sptk.few b6=b7", "br_call_b5", Unit::B, 0x0210000e180, "r1 r2 x", {.r1 = 6, .r2 = 7, .x = 1}},
    {"br.ret.sptk.many b0", "br_ret_b4", Unit::B, 0x00108001100, "r2 x", {.r2 = 0, .x = 8}},
    {"fma.d.s2 f6=f7,f8,f9", "fma_d_f1", Unit::F, 0x12840712180, "r1 r2 r3 r4 x", {.r1 = 6, .r2 = 9, .r3 = 7, .r4 = 8, .x = 2}},
    {"fselect f6=f7,f8,f9", "fselect_f3", Unit::F, 0x1c040712180, "r1 r2 r3 r4", {.r1 = 6, .r2 = 9, .r3 = 7, .r4 = 8}},
    {"fcmp.lt.unc.s3 p8,p9=f10,f11", "fcmp_lt_unc_f4", Unit::F, 0x09c48b15200, "p1 p2 r2 r3 x",
     {.r2 = 10, .r3 = 11, .p1 = 8, .p2 = 9, .x = 3}},
    {"fclass.m p1,p2=f3,@nat|@pos", "fclass_m_f5", Unit::F, 0x0a214006040, "p1 p2 r2 imm",
     {.imm = 0x101, .r2 = 3, .p1 = 1, .p2 = 2}},
    {"frcpa.s1 f6,p7=f8,f9", "frcpa_f6", Unit::F, 0x00638910180, "r1 p2 r2 r3 x", {.r1 = 6, .r2 = 8, .r3 = 9, .p2 = 7, .x = 1}},
    {"fsetc.s1 0x7f,0x12", "fsetc_f12", Unit::F, 0x004212fe000, "imm x", {.imm = 0x7f | 0x12 << 7, .x = 1}},
    {"fchkf.s2 .+32", "fchkf_f14", Unit::F, 0x00840000080, "imm x", {.imm = 32, .x = 2}},
    {"break.b 0x123456", "break_b9", Unit::B, 0x010008d1580, "imm", {.imm = 0x123456}},
};
// clang-format on

void check_sample(const Sample& s) {
  INFO(s.assembly);
  Insn i;
  decode_slot(s.unit, s.bits, 0, 2, i);
  CHECK(std::string(op_info(i.op).name) == s.row);
  CHECK(i.handler == op_info(i.op).handler);
  CHECK(i.qp == 0);
  if (wanted(s, "imm")) CHECK(i.imm == s.expected.imm);
  if (wanted(s, "r1")) CHECK(i.r1 == s.expected.r1);
  if (wanted(s, "r2")) CHECK(i.r2 == s.expected.r2);
  if (wanted(s, "r3")) CHECK(i.r3 == s.expected.r3);
  if (wanted(s, "r4")) CHECK(i.r4 == s.expected.r4);
  if (wanted(s, "p1")) CHECK(i.p1 == s.expected.p1);
  if (wanted(s, "p2")) CHECK(i.p2 == s.expected.p2);
  if (wanted(s, "pos")) CHECK(i.pos == s.expected.pos);
  if (wanted(s, "len")) CHECK(i.len == s.expected.len);
  if (wanted(s, "x")) CHECK(i.x == s.expected.x);
}

/// [MLX] nop.m 0; the given long instruction.
Insn decode_long(u64 lslot, u64 xslot, unsigned* count = nullptr) {
  const u64 nop = 0x8000000, low = 4 | nop << 5 | lslot << 46, high = lslot >> 18 | xslot << 23;
  u8 bytes[16];
  std::memcpy(bytes, &low, 8);
  std::memcpy(bytes + 8, &high, 8);
  Insn out[3];
  const unsigned n = decode_bundle(bytes, out);
  if (count != nullptr) *count = n;
  return out[1];
}

}  // namespace

TEST_CASE("fields have the values of the assembly text") {
  for (const Sample& s : kSamples) check_sample(s);
}

TEST_CASE("the qualifying predicate is the low six bits") {
  Insn i;
  decode_slot(Unit::M, 0x10000304040 | 37, 0, 0, i);
  CHECK(i.qp == 37);
}

TEST_CASE("movl takes bits 62:22 of its immediate from the L slot") {
  // Placed field by field: imm64 = i, imm41, ic, imm5c, imm9d, imm7b.
  const u64 value = 0x8123456789abcdef;
  const u64 x = u64{6} << 37 | (value >> 63) << 36 | (value >> 7 & 0x1ff) << 27 | (value >> 16 & 0x1f) << 22 |
                (value >> 21 & 1) << 21 | (value & 0x7f) << 13 | 5 << 6 | 3;
  unsigned count = 0;
  const Insn i = decode_long(value >> 22 & ((u64{1} << 41) - 1), x, &count);
  CHECK(count == 2);
  CHECK(std::string(op_info(i.op).name) == "movl_x2");
  CHECK(i.imm == value);
  CHECK(i.r1 == 5);
  CHECK(i.qp == 3);
  CHECK(i.slot == 1);
  CHECK((i.flags & kLastSlot) != 0);
}

TEST_CASE("brl reaches the whole address space, and ignores the low two bits of the L slot") {
  const u64 displacement = 0xfedc'ba98'7654'3210;
  const u64 target60 = displacement >> 4;
  const u64 x = u64{0xc} << 37 | (target60 >> 59) << 36 | (target60 & 0xfffff) << 13;
  const u64 l = (target60 >> 20 & ((u64{1} << 39) - 1)) << 2;
  CHECK(decode_long(l, x).imm == displacement);
  CHECK(decode_long(l | 3, x).imm == displacement);
}
