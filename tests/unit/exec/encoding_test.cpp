// Encodings as the GNU assembler makes them, decoded and executed: the meaning of every operand field, end to end.
#include "cpu/decode/decoder.h"
#include "tests/unit/exec/exec_rig.h"

using namespace ia64;
using namespace ia64::cpu;
using namespace ia64::cpu::test;

namespace {

constexpr u64 kAt = Rig::kRam + 0x100;

// r8 = 0x123456789abcdef0, r9 = 0x0fedcba987654321, r10 = 5, r2 = 0, r14 = kAt with bytes 0x80 0x81 ... there, f6 = 4.0,
// b6 = 0x1230, predicates p0, p8 and p10 set. Results worked out from the manual's definitions.
struct Row {
  const char* text;
  Unit unit;
  u64 bits, long_slot, r33;
};
const Row kRows[] = {
    {"add r33=r8,r9,1", Unit::M, 0x10008910840, 0x0, 0x2222222222222212},
    {"sub r33=r8,r9,1", Unit::M, 0x10020910840, 0x0, 0x02468acf13579bce},
    {"shladd r33=r8,3,r9", Unit::M, 0x10090910840, 0x0, 0xa1907f6e5d4c3aa1},
    {"shladdp4 r33=r10,4,r9", Unit::M, 0x100d8914840, 0x0, 0x4000000087654371},
    {"addp4 r33=-1,r9", Unit::M, 0x11df89fe840, 0x0, 0x4000000087654320},
    {"adds r33=-8192,r10", Unit::M, 0x11800a00840, 0x0, 0xffffffffffffe005},
    {"addl r33=-2097152,r2", Unit::M, 0x13000200840, 0x0, 0xffffffffffe00000},
    {"sub r33=-128,r10", Unit::M, 0x11128a00840, 0x0, 0xffffffffffffff7b},
    {"andcm r33=15,r10", Unit::M, 0x10168a1e840, 0x0, 0x000000000000000a},
    {"or r33=-128,r10", Unit::M, 0x11170a00840, 0x0, 0xffffffffffffff85},
    {"shl r33=r8,r10", Unit::I, 0x0f240a10840, 0x0, 0x468acf13579bde00},
    {"shr r33=r9,r10", Unit::I, 0x0f220914840, 0x0, 0x007f6e5d4c3b2a19},
    {"shr.u r33=r8,60", Unit::I, 0x0a4188f0840, 0x0, 0x0000000000000001},
    {"shl r33=r8,60", Unit::I, 0x0a618310840, 0x0, 0x0000000000000000},
    {"shrp r33=r8,r9,20", Unit::I, 0x0aca0910840, 0x0, 0xcdef00fedcba9876},
    {"extr.u r33=r8,4,12", Unit::I, 0x0a458810840, 0x0, 0x0000000000000def},
    {"extr r33=r8,16,16", Unit::I, 0x0a478842840, 0x0, 0xffffffffffff9abc},
    {"dep.z r33=r8,8,16", Unit::I, 0x0a67b710840, 0x0, 0x0000000000def000},
    {"dep.z r33=-1,60,8", Unit::I, 0x0b63c3fe840, 0x0, 0xf000000000000000},
    {"dep r33=-1,r9,0,64", Unit::I, 0x0bff89fc840, 0x0, 0xffffffffffffffff},
    {"dep r33=0,r9,4,8", Unit::I, 0x0ae389ec840, 0x0, 0x0fedcba987654001},
    {"dep r33=r8,r9,32,16", Unit::I, 0x08ff8910840, 0x0, 0x0feddef087654321},
    {"pshl2 r33=r8,4", Unit::I, 0x0ee51b10840, 0x0, 0x23406780abc0ef00},
    {"pshl4 r33=r8,12", Unit::I, 0x0fc51310840, 0x0, 0x45678000cdef0000},
    {"pshr2 r33=r8,4", Unit::I, 0x0e630810840, 0x0, 0x01230567f9abfdef},
    {"pshr4.u r33=r8,28", Unit::I, 0x0f410870840, 0x0, 0x0000000100000009},
    {"pshr2 r33=r8,r10", Unit::I, 0x0e220814840, 0x0, 0x009102b3fcd5fef7},
    {"pshl4 r33=r8,r10", Unit::I, 0x0f040a10840, 0x0, 0x468acf00579bde00},
    {"pshladd2 r33=r10,3,r2", Unit::M, 0x10690214840, 0x0, 0x0000000000000028},
    {"pshradd2 r33=r8,1,r2", Unit::M, 0x106c0210840, 0x0, 0x091a2b3ccd5eef78},
    {"pmpyshr2 r33=r9,r9,16", Unit::I, 0x0e2f0912840, 0x0, 0x00fd0ab338d1119a},
    {"pmpyshr2.u r33=r8,r8,16", Unit::I, 0x0e2d0810840, 0x0, 0x014b1d345d86c225},
    {"mux1 r33=r8,@rev", Unit::I, 0x0eca0b10840, 0x0, 0xf0debc9a78563412},
    {"mux1 r33=r8,@brcst", Unit::I, 0x0eca0010840, 0x0, 0xf0f0f0f0f0f0f0f0},
    {"mux2 r33=r8,0x1b", Unit::I, 0x0eea1b10840, 0x0, 0xdef09abc56781234},
    {"mux2 r33=r8,0x39", Unit::I, 0x0eea3910840, 0x0, 0xdef0123456789abc},
    {"popcnt r33=r10", Unit::I, 0x0e690a00840, 0x0, 0x0000000000000002},
    {"clz r33=r8", Unit::I, 0x0e6d0800840, 0x0, 0x0000000000000003},
    {"mpy4 r33=r10,r9", Unit::I, 0x0f0d0914840, 0x0, 0x00000002a4fa4fa5},
    {"mpyshl4 r33=r8,r10", Unit::I, 0x0f0f0a10840, 0x0, 0x5b05b05800000000},
    {"mix2.l r33=r8,r9", Unit::I, 0x0eaa0910840, 0x0, 0x12340fed9abc8765},
    {"mix4.r r33=r8,r9", Unit::I, 0x0f880910840, 0x0, 0x9abcdef087654321},
    {"unpack1.h r33=r8,r9", Unit::I, 0x0e840910840, 0x0, 0x120f34ed56cb78a9},
    {"unpack4.l r33=r8,r9", Unit::I, 0x0f860910840, 0x0, 0x9abcdef087654321},
    {"pack2.uss r33=r8,r9", Unit::I, 0x0ea00910840, 0x0, 0xff0000ffffff0000},
    {"pack4.sss r33=r8,r9", Unit::I, 0x0f820910840, 0x0, 0x7fff80007fff8000},
    {"czx1.r r33=r10", Unit::I, 0x000e0a00840, 0x0, 0x0000000000000001},
    {"czx2.l r33=r10", Unit::I, 0x000c8a00840, 0x0, 0x0000000000000000},
    {"sxt2 r33=r8", Unit::I, 0x000a8800840, 0x0, 0xffffffffffffdef0},
    {"zxt4 r33=r8", Unit::I, 0x00090800840, 0x0, 0x000000009abcdef0},
    {"padd1.uus r33=r8,r10", Unit::M, 0x10418a10840, 0x0, 0x123456789abcdef5},
    {"psub2.sss r33=r2,r9", Unit::M, 0x10628904840, 0x0, 0xf0133457789bbcdf},
    {"pavg1.raz r33=r10,r2", Unit::M, 0x10458214840, 0x0, 0x0000000000000003},
    {"pavg1 r33=r10,r2", Unit::M, 0x10450214840, 0x0, 0x0000000000000003},
    {"pavgsub2 r33=r2,r10", Unit::M, 0x10670a04840, 0x0, 0x000000000000fffd},
    {"pcmp4.gt r33=r8,r9", Unit::M, 0x11528910840, 0x0, 0xffffffffffffffff},
    {"pmin2 r33=r8,r9", Unit::I, 0x0ea30910840, 0x0, 0x0fedcba98765def0},
    {"psad1 r33=r10,r2", Unit::I, 0x0e8b0214840, 0x0, 0x0000000000000005},
    {"ld8 r33=[r14]", Unit::M, 0x080c0e00840, 0x0, 0x8786858483828180},
    {"ld4.s r33=[r14],r10", Unit::M, 0x09180e14840, 0x0, 0x0000000083828180},
    {"ld1.acq r33=[r14],-256", Unit::M, 0x0b500e00840, 0x0, 0x0000000000000080},
    {"ld2.bias.nta r33=[r14],255", Unit::M, 0x0a478efe840, 0x0, 0x0000000000008180},
    {"ld16 r33,ar.csd=[r14]", Unit::M, 0x08a08e00840, 0x0, 0x8786858483828180},
    {"fetchadd4.acq r33=[r14],-16", Unit::M, 0x08488e08840, 0x0, 0x0000000083828180},
    {"fetchadd8.rel r33=[r14],8", Unit::M, 0x085c8e02840, 0x0, 0x8786858483828180},
    {"xchg2 r33=[r14],r8", Unit::M, 0x08248e10840, 0x0, 0x0000000000008180},
    {"cmpxchg8.acq r33=[r14],r8,ar.ccv", Unit::M, 0x080c8e10840, 0x0, 0x8786858483828180},
    {"cmp8xchg16.rel r33=[r14],r8,ar.csd,ar.ccv", Unit::M, 0x08908e10840, 0x0, 0x8786858483828180},
    {"getf.sig r33=f6", Unit::M, 0x0870800c840, 0x0, 0x8000000000000000},
    {"getf.exp r33=f6", Unit::M, 0x0874800c840, 0x0, 0x0000000000010001},
    {"getf.s r33=f6", Unit::M, 0x0878800c840, 0x0, 0x0000000040800000},
    {"getf.d r33=f6", Unit::M, 0x087c800c840, 0x0, 0x4010000000000000},
    {"mov r33=pr", Unit::I, 0x00198000840, 0x0, 0x0000000000000501},
    {"mov r33=b6", Unit::I, 0x0018800c840, 0x0, 0x0000000000001230},
    {"movl r33=0xfedcba9876543210", Unit::X, 0x0d325020840, 0x1fb72ea61d9, 0xfedcba9876543210},
    {"movl r33=0x7fffffffffffffff", Unit::X, 0x0cfffefe840, 0x1ffffffffff, 0x7fffffffffffffff},
};

void prepare(Rig& rig) {
  rig.r.set_gr(8, 0x123456789abcdef0), rig.r.set_gr(9, 0x0fedcba987654321), rig.r.set_gr(10, 5), rig.r.set_gr(2, 0);
  rig.r.set_gr(14, kAt), rig.r.set_fr(6, {u64{1} << 63, 0x10001, 0}), rig.r.br[6] = 0x1230;
  rig.r.set_pr(8, true), rig.r.set_pr(10, true);
  for (unsigned n = 0; n < 32; n++) rig.poke<u8>(kAt + n, static_cast<u8>(0x80 + n));
}

}  // namespace

TEST_CASE("encodings: assembled instructions compute what their text says", "[exec]") {
  for (const Row& row : kRows) {
    INFO(row.text);
    Rig rig;
    prepare(rig);
    Insn i;
    decode_slot(row.unit, row.bits, row.long_slot, row.unit == Unit::X ? 1 : 0, i);
    rig.step(i.handler, i);
    CHECK(rig.r.gr(33) == row.r33);
  }
}

namespace {

// One instruction on a fresh machine; the caller looks at what it left.
struct One : Rig {
  Next next;
  One(Unit unit, u64 bits, u64 long_slot = 0, void (*setup)(Registers&) = nullptr) {
    prepare(*this);
    if (setup) setup(r);
    Insn i;
    decode_slot(unit, bits, long_slot, unit == Unit::X ? 1 : 2, i);
    next = i.handler(core, i);
  }
  i64 jump() const { return static_cast<i64>(r.ip - core.insn_ip({})); }
};

}  // namespace

TEST_CASE("encodings: stores and floating-point memory", "[exec]") {
  {
    One m(Unit::M, 0x0bcc8e11e00);  // st8 [r14]=r8,-8
    CHECK(m.peek<u64>(kAt) == 0x123456789abcdef0);
    CHECK(m.r.gr(14) == kAt - 8);
  }
  {
    One m(Unit::M, 0x08d00e10000);  // st1.rel [r14]=r8
    CHECK(m.peek<u64>(kAt) == 0x87868584838281f0);
  }
  {
    One m(Unit::M, 0x0aec8e11fc0, 0, [](Registers& r) { r.set_gr_nat(8, 1, true); });  // st8.spill [r14]=r8,255
    CHECK(m.r.unat == u64{1} << (kAt / 8 % 64));
    CHECK(m.r.gr(14) == kAt + 255);
  }
  {
    One m(Unit::M, 0x08c08e10000, 0, [](Registers& r) { r.csd = 0x77; });  // st16 [r14]=r8,ar.csd
    CHECK(m.peek<u64>(kAt) == 0x123456789abcdef0);
    CHECK(m.peek<u64>(kAt + 8) == 0x77);
  }
  {
    One m(Unit::M, 0x0fcc0e0c000);  // stfd [r14]=f6,-256
    CHECK(m.peek<u64>(kAt) == 0x4010000000000000);
    CHECK(m.r.gr(14) == kAt - 256);
  }
  {
    One m(Unit::M, 0x0eec0e0c400);  // stf.spill [r14]=f6,16
    CHECK(m.peek<u64>(kAt) == 0x8000000000000000);
    CHECK(m.peek<u64>(kAt + 8) == 0x10001);
    CHECK(m.r.gr(14) == kAt + 16);
  }
  {
    One m(Unit::M, 0x0d088e181c0);  // ldfps f7,f12=[r14],8
    CHECK(m.r.gr(14) == kAt + 8);
    // 0x83828180: sign 1, exponent 7, fraction 0x028180; 0x87868584: exponent 15, fraction 0x068584
    CHECK(m.r.fr(7) == FpReg{0x8000000000000000 | u64{0x028180} << 40, 0x20000 | (7 + 0xffff - 127), 0});
    CHECK(m.r.fr(12) == FpReg{0x8000000000000000 | u64{0x068584} << 40, 0x20000 | (15 + 0xffff - 127), 0});
  }
  CHECK(One(Unit::M, 0x0d0c8e181c0).r.gr(14) == kAt + 16);  // ldfpd f7,f12=[r14],16
  {
    One m(Unit::M, 0x0d040e141c0);  // ldf8 f7=[r14],r10
    CHECK(m.r.fr(7) == FpReg{0x8786858483828180, 0x1003e, 0});
    CHECK(m.r.gr(14) == kAt + 5);
  }
  {
    One m(Unit::M, 0x0e800e201c0);  // ldfe.c.clr f7=[r14],16: sign and exponent 0x8988
    CHECK(m.r.fr(7) == FpReg{0x8786858483828180, 0x20000 | (0x0988 + 0xffff - 16383), 0});
    CHECK(m.r.gr(14) == kAt + 16);
  }
  CHECK(One(Unit::M, 0x0c7480141c0).r.fr(7) == FpReg{0x8000000000000000, 5, 0});  // setf.exp f7=r10
  CHECK(One(Unit::M, 0x0fbc8e80000).r.gr(14) == kAt - 64);                       // lfetch.fault.excl [r14],-64
}

TEST_CASE("encodings: predicates", "[exec]") {
  const auto p = [](const One& m, unsigned a, unsigned b) { return m.r.pr(a) * 2 + m.r.pr(b); };
  CHECK(p(One(Unit::I, 0x0a238a09180), 6, 7) == 3);  // tbit.nz.or p6,p7=r10,2
  CHECK(p(One(Unit::I, 0x0a038afc180), 6, 7) == 2);  // tbit.z p6,p7=r10,63
  CHECK(p(One(Unit::I, 0x0b040a03180), 6, 8) == 0);  // tnat.nz.and p6,p8=r10
  const bool clz = (kMontecito.cpuid[4] >> 32) & 1;
  CHECK(p(One(Unit::I, 0x0a038082180), 6, 7) == (clz ? 1 : 2));  // tf.z p6,p7=32
  CHECK(p(One(Unit::M, 0x1a438a13180), 6, 7) == 1);  // cmp4.ltu.unc p6,p7=r9,r10
  CHECK(p(One(Unit::M, 0x1c838a0a180), 6, 7) == 2);  // cmp.eq p6,p7=5,r10
  CHECK(p(One(Unit::M, 0x19838a00180), 6, 7) == 2);  // cmp.lt p6,p7=-128,r10
  CHECK(p(One(Unit::M, 0x1d040a00180), 6, 8) == 1);  // cmp.gt.or.andcm p6,p8=r0,r10: zero is not greater than 5
  const auto all = [](const One& m) { return m.r.pr_all(); };
  CHECK(all(One(Unit::I, 0x016ff011fc0)) == 0x123456789abcdef1);                  // mov pr=r8,0x1fffe
  CHECK(all(One(Unit::I, 0x00601010000)) == 0x401);                              // mov pr=r8,0x100: p8 from a clear bit
  CHECK(all(One(Unit::I, 0x00400000040)) == 0x10501);                            // mov pr.rot=0x10000
  CHECK(all(One(Unit::I, 0x015ffffffc0)) == 0xffffffffffff0501);                 // mov pr.rot=-0x10000
  CHECK(One(Unit::I, 0x00e00110180).r.br[6] == 0x123456789abcdef0);              // mov b6=r8
}

TEST_CASE("encodings: branches and checks", "[exec]") {
  const auto nat = [](Registers& r) { r.set_gr_nat(33, 0, true); };
  CHECK(One(Unit::M, 0x022000423c0).next == Next::Continue);             // chk.s.m r33, 0xf0 ahead
  CHECK(One(Unit::M, 0x022000423c0, 0, nat).jump() == 0xf0);
  CHECK(One(Unit::M, 0x01bffff6840).jump() == -0x50);                    // chk.a.clr r33, 0x50 back
  CHECK(One(Unit::I, 0x00200042100, 0, nat).jump() == 0x40);             // chk.s.i r33, 0x40 ahead
  CHECK(One(Unit::M, 0x00090000840).next == Next::Continue);             // invala.e r33
  CHECK(One(Unit::B, 0x08000040000).jump() == 0x200);                    // br.cond.sptk
  CHECK(One(Unit::B, 0x091ffffc1c0, 0, [](Registers& r) { r.lc = 1; }).jump() == -0x20);  // br.ctop.sptk
  CHECK(One(Unit::B, 0x0010000c000).r.ip == 0x1230);                     // br.cond.sptk b6
  CHECK(One(Unit::X, 0x18000000000, 0x400).jump() == 0x100000000);       // brl.cond.sptk
}
