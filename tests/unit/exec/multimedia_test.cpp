// Parallel operations against models that work on lists of elements, written left to right as the manual draws them.
#include <algorithm>

#include "tests/unit/exec/exec_rig.h"

using namespace ia64;
using namespace ia64::cpu;
using namespace ia64::cpu::test;

namespace {

using List = std::vector<long long>;  // element 0 is the leftmost, most significant

List split(u64 v, int width, bool is_signed) {
  List out;
  for (int left = 64; left > 0; left -= width) {
    long long e = static_cast<long long>(v << (64 - left) >> (64 - width));
    if (is_signed && e >= (1ll << (width - 1))) e -= 1ll << width;
    out.push_back(e);
  }
  return out;
}
u64 join(const List& list, int width) {
  u64 v = 0;
  for (long long e : list) v = v << width | (static_cast<u64>(e) & ((u64{1} << width) - 1));
  return v;
}

long long clamp_signed(long long e, int width) { return std::clamp(e, -(1ll << (width - 1)), (1ll << (width - 1)) - 1); }
long long clamp_unsigned(long long e, int width) { return std::clamp(e, 0ll, (1ll << width) - 1); }
long long floor_half(long long e) { return e >= 0 ? e / 2 : -((1 - e) / 2); }

struct Machine : Rig {
  u64 result(Handler h, u64 a, u64 b, Insn i = {}) {
    r.set_gr(10, a), r.set_gr(11, b);
    i.r1 = 12, i.r2 = 10, i.r3 = 11;
    step(h, i);
    return r.gr(12);
  }
};

// An element-wise operation of two operands: how each is read and what becomes of a pair of elements.
struct Elementwise {
  const char* name;
  Handler handler;
  int width;
  bool a_signed, b_signed;
  long long (*model)(long long x, long long y);
};
#define E(h, w, sa, sb, expr) {#h, h, w, sa, sb, [](long long x, long long y) -> long long { return expr; }}

const Elementwise kElementwise[] = {
    E(padd1_a9, 8, false, false, x + y), E(padd2_a9, 16, false, false, x + y), E(padd4_a9, 32, false, false, x + y),
    E(padd1_sss_a9, 8, true, true, clamp_signed(x + y, 8)), E(padd2_sss_a9, 16, true, true, clamp_signed(x + y, 16)),
    E(padd1_uuu_a9, 8, false, false, clamp_unsigned(x + y, 8)), E(padd2_uuu_a9, 16, false, false, clamp_unsigned(x + y, 16)),
    E(padd1_uus_a9, 8, false, true, clamp_unsigned(x + y, 8)), E(padd2_uus_a9, 16, false, true, clamp_unsigned(x + y, 16)),
    E(psub1_a9, 8, false, false, x - y), E(psub2_a9, 16, false, false, x - y), E(psub4_a9, 32, false, false, x - y),
    E(psub1_sss_a9, 8, true, true, clamp_signed(x - y, 8)), E(psub2_sss_a9, 16, true, true, clamp_signed(x - y, 16)),
    E(psub1_uuu_a9, 8, false, false, clamp_unsigned(x - y, 8)), E(psub2_uuu_a9, 16, false, false, clamp_unsigned(x - y, 16)),
    E(psub1_uus_a9, 8, false, true, clamp_unsigned(x - y, 8)), E(psub2_uus_a9, 16, false, true, clamp_unsigned(x - y, 16)),
    // Halves with the lost bit ORed in: even sums halve exactly, odd ones round to the odd neighbour.
    E(pavg1_a9, 8, false, false, (x + y) % 2 ? ((x + y) / 2) | 1 : (x + y) / 2),
    E(pavg2_a9, 16, false, false, (x + y) % 2 ? ((x + y) / 2) | 1 : (x + y) / 2),
    E(pavg1_raz_a9, 8, false, false, (x + y + 1) / 2), E(pavg2_raz_a9, 16, false, false, (x + y + 1) / 2),
    E(pavgsub1_a9, 8, false, false, (x - y) % 2 ? floor_half(x - y) | 1 : floor_half(x - y)),
    E(pavgsub2_a9, 16, false, false, (x - y) % 2 ? floor_half(x - y) | 1 : floor_half(x - y)),
    E(pcmp1_eq_a9, 8, true, true, x == y ? -1 : 0), E(pcmp2_eq_a9, 16, true, true, x == y ? -1 : 0),
    E(pcmp4_eq_a9, 32, true, true, x == y ? -1 : 0), E(pcmp1_gt_a9, 8, true, true, x > y ? -1 : 0),
    E(pcmp2_gt_a9, 16, true, true, x > y ? -1 : 0), E(pcmp4_gt_a9, 32, true, true, x > y ? -1 : 0),
    E(pmin1_u_i2, 8, false, false, std::min(x, y)), E(pmax1_u_i2, 8, false, false, std::max(x, y)),
    E(pmin2_i2, 16, true, true, std::min(x, y)), E(pmax2_i2, 16, true, true, std::max(x, y)),
};

// Every pair of interesting values.
template <class F>
void for_pairs(F f) {
  const auto values = interesting_values(12);
  for (u64 a : values)
    for (u64 b : values) f(a, b);
}

long long power(unsigned n) { return 1ll << n; }
long long floor_divide(long long e, long long d) { return e >= 0 ? e / d : -((-e + d - 1) / d); }

}  // namespace

TEST_CASE("multimedia: element-wise operations of two registers", "[exec]") {
  Machine m;
  for (const Elementwise& e : kElementwise) {
    INFO(e.name);
    unsigned wrong = 0;
    for_pairs([&](u64 a, u64 b) {
      const List x = split(a, e.width, e.a_signed), y = split(b, e.width, e.b_signed);
      List out;
      for (size_t n = 0; n < x.size(); n++) out.push_back(e.model(x[n], y[n]));
      wrong += m.result(e.handler, a, b) != join(out, e.width);
    });
    CHECK(wrong == 0);
  }
}

TEST_CASE("multimedia: shift and add saturates the shift first", "[exec]") {
  Machine m;
  for (u8 count = 1; count <= 3; count++) {
    unsigned wrong = 0;
    for_pairs([&](u64 a, u64 b) {
      const List x = split(a, 16, true), y = split(b, 16, true);
      List left, right;
      for (int n = 0; n < 4; n++) {
        const long long shifted = x[n] * power(count);
        left.push_back(shifted > 32767 ? 32767 : shifted < -32768 ? -32768 : clamp_signed(shifted + y[n], 16));
        right.push_back(clamp_signed(floor_divide(x[n], power(count)) + y[n], 16));
      }
      wrong += m.result(pshladd2_a10, a, b, {.pos = count}) != join(left, 16);
      wrong += m.result(pshradd2_a10, a, b, {.pos = count}) != join(right, 16);
    });
    CHECK(wrong == 0);
  }
}

TEST_CASE("multimedia: multiplies", "[exec]") {
  Machine m;
  unsigned wrong = 0;
  for_pairs([&](u64 a, u64 b) {
    const List x = split(a, 16, true), y = split(b, 16, true), ux = split(a, 16, false), uy = split(b, 16, false);
    wrong += m.result(pmpy2_l_i2, a, b) != join({x[0] * y[0], x[2] * y[2]}, 32);
    wrong += m.result(pmpy2_r_i2, a, b) != join({x[1] * y[1], x[3] * y[3]}, 32);
    for (u8 count : {0, 7, 15, 16}) {
      List s, u;
      for (int n = 0; n < 4; n++) {
        s.push_back(floor_divide(x[n] * y[n], power(count)));
        u.push_back(ux[n] * uy[n] / power(count));
      }
      wrong += m.result(pmpyshr2_i1, a, b, {.pos = count}) != join(s, 16);
      wrong += m.result(pmpyshr2_u_i1, a, b, {.pos = count}) != join(u, 16);
    }
    long long sum = 0;
    const List p = split(a, 8, false), q = split(b, 8, false);
    for (int n = 0; n < 8; n++) sum += std::max(p[n], q[n]) - std::min(p[n], q[n]);
    wrong += m.result(psad1_i2, a, b) != static_cast<u64>(sum);
  });
  CHECK(wrong == 0);
}

TEST_CASE("multimedia: shifts by register and by count", "[exec]") {
  Machine m;
  struct Shift {
    Handler by_register, by_count;
    int width;
    char kind;  // 'l' left, 'a' arithmetic right, 'u' logical right
  };
  const Shift shifts[] = {{pshl2_i7, pshl2_i8, 16, 'l'},   {pshl4_i7, pshl4_i8, 32, 'l'},     {pshr2_i5, pshr2_i6, 16, 'a'},
                          {pshr4_i5, pshr4_i6, 32, 'a'},   {pshr2_u_i5, pshr2_u_i6, 16, 'u'}, {pshr4_u_i5, pshr4_u_i6, 32, 'u'}};
  const u64 counts[] = {0, 1, 2, 7, 8, 15, 16, 17, 30, 31, 32, 33, 63, 64, 65, 0x100000000, 0x8000000000000000, ~u64{0}};
  for (const Shift& s : shifts) {
    for (u64 v : interesting_values(12)) {
      for (u64 count : counts) {
        List out;
        for (long long e : split(v, s.width, s.kind == 'a')) {
          const bool all = count >= static_cast<u64>(s.width);
          if (s.kind == 'l') out.push_back(all ? 0 : e * power(static_cast<unsigned>(count)));
          else out.push_back(all ? (e < 0 ? -1 : 0) : floor_divide(e, power(static_cast<unsigned>(count))));
        }
        const u64 expected = join(out, s.width);
        CHECK((s.kind == 'l' ? m.result(s.by_register, v, count) : m.result(s.by_register, count, v)) == expected);
        if (count < 32) CHECK(m.result(s.by_count, v, v, {.pos = static_cast<u8>(count)}) == expected);
      }
    }
  }
}

TEST_CASE("multimedia: mix, unpack and pack", "[exec]") {
  Machine m;
  const Handler mix_left[] = {mix1_l_i2, mix2_l_i2, mix4_l_i2}, mix_right[] = {mix1_r_i2, mix2_r_i2, mix4_r_i2};
  const Handler high[] = {unpack1_h_i2, unpack2_h_i2, unpack4_h_i2}, low[] = {unpack1_l_i2, unpack2_l_i2, unpack4_l_i2};
  unsigned wrong = 0;
  for_pairs([&](u64 a, u64 b) {
    for (int size = 0; size < 3; size++) {
      const int width = 8 << size;
      const List x = split(a, width, false), y = split(b, width, false);
      const size_t count = x.size();
      List ml, mr, uh, ul;
      for (size_t n = 0; n < count; n += 2) {
        ml.push_back(x[n]), ml.push_back(y[n]);
        mr.push_back(x[n + 1]), mr.push_back(y[n + 1]);
        uh.push_back(x[n / 2]), uh.push_back(y[n / 2]);
        ul.push_back(x[count / 2 + n / 2]), ul.push_back(y[count / 2 + n / 2]);
      }
      wrong += m.result(mix_left[size], a, b) != join(ml, width);
      wrong += m.result(mix_right[size], a, b) != join(mr, width);
      wrong += m.result(high[size], a, b) != join(uh, width);
      wrong += m.result(low[size], a, b) != join(ul, width);
    }
    // pack: r3 gives the left half of the result, r2 the right.
    List p2s, p2u, p4s;
    for (u64 source : {b, a}) {
      for (long long e : split(source, 16, true)) p2s.push_back(clamp_signed(e, 8)), p2u.push_back(clamp_unsigned(e, 8));
      for (long long e : split(source, 32, true)) p4s.push_back(clamp_signed(e, 16));
    }
    wrong += m.result(pack2_sss_i2, a, b) != join(p2s, 8);
    wrong += m.result(pack2_uss_i2, a, b) != join(p2u, 8);
    wrong += m.result(pack4_sss_i2, a, b) != join(p4s, 16);
  });
  CHECK(wrong == 0);
}

TEST_CASE("multimedia: mux patterns", "[exec]") {
  Machine m;
  // Bytes of the source named by their place counted from the right, as in the figure of the manual.
  const u64 v = 0x0706050403020100;
  CHECK(m.result(mux1_i3, v, 0, {.imm = 0x0}) == 0);
  CHECK(m.result(mux1_i3, v + 9, 0, {.imm = 0x0}) == 0x0909090909090909);
  CHECK(m.result(mux1_i3, v, 0, {.imm = 0x8}) == 0x0703050106020400);  // @mix
  CHECK(m.result(mux1_i3, v, 0, {.imm = 0x9}) == 0x0703060205010400);  // @shuf
  CHECK(m.result(mux1_i3, v, 0, {.imm = 0xa}) == 0x0705030106040200);  // @alt
  CHECK(m.result(mux1_i3, v, 0, {.imm = 0xb}) == 0x0001020304050607);  // @rev
  for (unsigned type = 0; type < 256; type++) {
    const List x = split(0x4444333322221111, 16, false);
    const auto pick = [&](unsigned n) { return x[3 - (type >> (2 * n) & 3)]; };
    CHECK(m.result(mux2_i4, 0x4444333322221111, 0, {.imm = type}) == join({pick(3), pick(2), pick(1), pick(0)}, 16));
  }
}

TEST_CASE("multimedia: index of the first zero element", "[exec]") {
  Machine m;
  const auto index = [](const List& list) { return static_cast<u64>(std::find(list.begin(), list.end(), 0) - list.begin()); };
  auto values = interesting_values(8);
  for (unsigned n = 0; n < 256; n++) {  // every pattern of zero bytes
    u64 v = 0;
    for (unsigned k = 0; k < 8; k++) v |= (n >> k & 1 ? u64{0x80} : 0) << (8 * k);
    values.push_back(v);
  }
  for (u64 v : values) {
    List bytes = split(v, 8, false), halves = split(v, 16, false);
    CHECK(m.result(czx1_l_i29, 1, v) == index(bytes));
    CHECK(m.result(czx2_l_i29, 1, v) == index(halves));
    std::reverse(bytes.begin(), bytes.end());
    std::reverse(halves.begin(), halves.end());
    CHECK(m.result(czx1_r_i29, 1, v) == index(bytes));
    CHECK(m.result(czx2_r_i29, 1, v) == index(halves));
  }
}
