// Shifts and bit fields against models that move one bit at a time.
#include "tests/unit/exec/exec_rig.h"

using namespace ia64;
using namespace ia64::cpu;
using namespace ia64::cpu::test;

namespace {

bool bit_of(u64 v, u64 n) { return (v >> n) & 1; }

// Result bit n is chosen by `pick(n)`.
template <class Pick>
u64 build(Pick pick) {
  u64 v = 0;
  for (unsigned n = 0; n < 64; n++)
    if (pick(n)) v += u64{1} << n;
  return v;
}

struct Machine : Rig {
  u64 result(Handler h, u64 a, u64 b, Insn i) {
    r.set_gr(10, a), r.set_gr(11, b);
    i.r1 = 12, i.r2 = 10, i.r3 = 11;
    step(h, i);
    return r.gr(12);
  }
};

const u64 kCounts[] = {0, 1, 7, 31, 32, 62, 63, 64, 65, 127, 128, 0x100000000, 0xffffffffffffffff};

}  // namespace

TEST_CASE("shift: variable counts use the whole register", "[exec]") {
  Machine m;
  for (u64 v : interesting_values(20)) {
    for (u64 count : kCounts) {
      CHECK(m.result(shl_i7, v, count, {}) == build([&](unsigned n) { return n >= count && bit_of(v, n - count); }));
      CHECK(m.result(shr_u_i5, count, v, {}) == build([&](unsigned n) { return count < 64 - n && bit_of(v, n + count); }));
      CHECK(m.result(shr_i5, count, v, {}) ==
            build([&](unsigned n) { return bit_of(v, count < 64 - n ? n + count : 63); }));
    }
  }
}

TEST_CASE("shift: shrp takes 64 bits out of 128", "[exec]") {
  Machine m;
  for (u64 a : interesting_values(5))
    for (unsigned count = 0; count < 64; count++) {
      const u64 b = ~a * 3;
      const u64 expected = build([&](unsigned n) { return n + count < 64 ? bit_of(b, n + count) : bit_of(a, n + count - 64); });
      CHECK(m.result(shrp_i10, a, b, {.pos = static_cast<u8>(count)}) == expected);
    }
}

TEST_CASE("shift: every position and length of extract and deposit", "[exec]") {
  Machine m;
  const u64 a = 0xa5c3f00f96691eb7, b = 0x0f1e2d3c4b5a6978;
  unsigned wrong = 0;
  for (unsigned pos = 0; pos < 64; pos++) {
    for (unsigned len = 1; len <= 64; len++) {
      const Insn i{.imm = ~u64{0}, .pos = static_cast<u8>(pos), .len = static_cast<u8>(len)};
      const unsigned end = pos + len > 64 ? 64 : pos + len;
      const auto inside = [&](unsigned n) { return n >= pos && n < end; };
      wrong += m.result(extr_u_i11, a, b, i) != build([&](unsigned n) { return pos + n < end && bit_of(b, pos + n); });
      wrong += m.result(extr_i11, a, b, i) != build([&](unsigned n) { return bit_of(b, pos + n < end ? pos + n : end - 1); });
      wrong += m.result(dep_z_i12, a, b, i) != build([&](unsigned n) { return inside(n) && bit_of(a, n - pos); });
      wrong += m.result(dep_z_i13, a, b, i) != build([&](unsigned n) { return inside(n); });
      wrong += m.result(dep_i14, a, b, i) != build([&](unsigned n) { return inside(n) || bit_of(b, n); });
      if (len <= 16)
        wrong += m.result(dep_i15, a, b, i) != build([&](unsigned n) { return inside(n) ? bit_of(a, n - pos) : bit_of(b, n); });
    }
  }
  CHECK(wrong == 0);
}
