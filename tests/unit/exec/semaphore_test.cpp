// Semaphores: results and memory in both byte orders, comparison with the whole of CCV, alignment, NaT, two hosts threads.
#include <thread>

#include "tests/unit/exec/exec_rig.h"

using namespace ia64;
using namespace ia64::cpu;
using namespace ia64::cpu::test;

namespace {

constexpr u64 kAt = Rig::kRam + 0x200;

struct Machine : Rig {
  explicit Machine(bool be = false) {
    big_endian(be);
    r.set_gr(40, kAt);
  }
  bool swapped() const { return r.psr & psr::kBe; }
  // The number of `size` bytes that the guest sees at `at`.
  u64 guest(u64 at, unsigned size) const {
    u64 v = 0;
    for (unsigned n = 0; n < size; n++) v = v << 8 | peek<u8>(at + (swapped() ? n : size - 1 - n));
    return v;
  }
  void set_guest(u64 at, unsigned size, u64 v) {
    for (unsigned n = 0; n < size; n++) poke<u8>(at + (swapped() ? size - 1 - n : n), static_cast<u8>(v >> (8 * n)));
  }
};

struct Sized {
  unsigned size;
  Handler acquire, release, exchange;
};
#define SIZED(n) {n, cmpxchg##n##_acq_m16, cmpxchg##n##_rel_m16, xchg##n##_m16}
const Sized kSizes[] = {SIZED(1), SIZED(2), SIZED(4), SIZED(8)};

}  // namespace

TEST_CASE("cmpxchg: writes on equality only and returns the old value zero-extended", "[exec]") {
  for (bool be : {false, true}) {
    Machine m(be);
    for (const Sized& s : kSizes) {
      const u64 mask = s.size == 8 ? ~u64{0} : (u64{1} << (8 * s.size)) - 1, old = 0xf1e2d3c4b5a69788 & mask;
      for (Handler h : {s.acquire, s.release}) {
        m.set_guest(kAt, 8, ~u64{0}), m.set_guest(kAt, s.size, old);
        m.r.set_gr(7, 0x0102030405060708), m.r.ccv = old;
        m.step(h, {.r1 = 33, .r2 = 7, .r3 = 40});
        CHECK(m.r.gr(33) == old);
        CHECK(m.guest(kAt, s.size) == (0x0102030405060708 & mask));
        m.r.ccv = old ^ 1;
        m.step(h, {.r1 = 33, .r2 = 33, .r3 = 40});
        CHECK(m.r.gr(33) == (0x0102030405060708 & mask));
        CHECK(m.guest(kAt, s.size) == (0x0102030405060708 & mask));
        if (s.size < 8) {
          m.r.ccv = m.guest(kAt, s.size) | u64{1} << 63;  // equal but for a bit the operand does not have
          m.step(h, {.r1 = 33, .r2 = 0, .r3 = 40});
          CHECK(m.guest(kAt, s.size) == (0x0102030405060708 & mask));
        }
      }
    }
  }
}

TEST_CASE("xchg: swaps memory and register", "[exec]") {
  for (bool be : {false, true}) {
    Machine m(be);
    for (const Sized& s : kSizes) {
      const u64 mask = s.size == 8 ? ~u64{0} : (u64{1} << (8 * s.size)) - 1;
      m.set_guest(kAt, s.size, 0x8877665544332211 & mask);
      m.r.set_gr_nat(33, 1, true), m.r.set_gr(7, 0xa1b2c3d4e5f60718);
      m.step(s.exchange, {.r1 = 33, .r2 = 7, .r3 = 40});
      CHECK(m.r.gr(33) == (0x8877665544332211 & mask));
      CHECK_FALSE(m.r.nat(33));
      CHECK(m.guest(kAt, s.size) == (0xa1b2c3d4e5f60718 & mask));
    }
  }
}

TEST_CASE("fetchadd: every increment, carries across the operand only", "[exec]") {
  for (bool be : {false, true}) {
    Machine m(be);
    for (int increment : {-16, -8, -4, -1, 1, 4, 8, 16}) {
      for (u64 old : {u64{0}, u64{0xffffffff}, u64{0xfffffffc}, u64{0x7fffffff}, ~u64{0}}) {
        const Insn i{.imm = static_cast<u64>(static_cast<i64>(increment)), .r1 = 33, .r3 = 40};
        for (Handler h : {fetchadd8_acq_m17, fetchadd8_rel_m17}) {
          m.set_guest(kAt, 8, old);
          m.step(h, i);
          CHECK(m.r.gr(33) == old);
          CHECK(m.guest(kAt, 8) == old + static_cast<u64>(static_cast<i64>(increment)));
        }
        for (Handler h : {fetchadd4_acq_m17, fetchadd4_rel_m17}) {
          m.set_guest(kAt, 8, 0x5555555555555555), m.set_guest(kAt, 4, old & 0xffffffff);
          m.step(h, i);
          CHECK(m.r.gr(33) == (old & 0xffffffff));
          CHECK(m.guest(kAt, 4) == ((old + static_cast<u64>(static_cast<i64>(increment))) & 0xffffffff));
          CHECK(m.guest(kAt + 4, 4) == 0x55555555);
        }
      }
    }
  }
}

TEST_CASE("cmp8xchg16: compares eight bytes, in either half, and writes the sixteen around them", "[exec]") {
  for (bool be : {false, true}) {
    for (Handler h : {cmp8xchg16_acq_m16, cmp8xchg16_rel_m16}) {
      for (u64 half : {u64{0}, u64{8}}) {
        Machine m(be);
        m.set_guest(kAt, 8, 0x1111), m.set_guest(kAt + 8, 8, 0x2222);
        m.r.set_gr(40, kAt + half), m.r.set_gr(7, 0xaaaa000000000001), m.r.csd = 0xbbbb000000000002;
        m.r.ccv = 0x3333;
        m.step(h, {.r1 = 33, .r2 = 7, .r3 = 40});
        CHECK(m.r.gr(33) == (half ? 0x2222 : 0x1111));
        CHECK(m.guest(kAt, 8) == 0x1111);
        m.r.ccv = half ? 0x2222 : 0x1111;
        m.step(h, {.r1 = 33, .r2 = 7, .r3 = 40});
        CHECK(m.r.gr(33) == m.r.ccv);
        CHECK(m.guest(kAt, 8) == 0xaaaa000000000001);
        CHECK(m.guest(kAt + 8, 8) == 0xbbbb000000000002);
        CHECK(m.r.csd == 0xbbbb000000000002);
      }
    }
  }
}

TEST_CASE("semaphores: NaT sources are consumed as a read and write", "[exec]") {
  Machine m;
  for (Handler h : {cmpxchg1_acq_m16, cmpxchg8_rel_m16, cmp8xchg16_acq_m16, xchg4_m16, fetchadd8_acq_m17}) {
    for (int n = 1; n < 4; n++) {
      m.r.set_gr_nat(40, kAt, n & 1), m.r.set_gr_nat(7, 1, n & 2);
      if (h == fetchadd8_acq_m17 && !(n & 1)) continue;  // has no value operand
      const Fault f = m.fault(h, {.imm = 1, .r1 = 33, .r2 = 7, .r3 = 40});
      CHECK(f.vector == Vector::NatConsumption);
      CHECK((f.isr & (isr::kR | isr::kW | 0xff)) == (isr::kR | isr::kW | isr::kRegisterNat));
    }
  }
}

TEST_CASE("semaphores: must be aligned and in cacheable memory whatever PSR.ac says", "[exec]") {
  Machine m;
  for (Handler h : {cmpxchg2_acq_m16, cmpxchg4_acq_m16, cmpxchg8_rel_m16, cmp8xchg16_acq_m16, xchg4_m16, fetchadd4_rel_m17}) {
    m.r.set_gr(40, kAt + 1);
    CHECK(m.fault(h, {.imm = 1, .r1 = 33, .r2 = 7, .r3 = 40}).vector == Vector::UnalignedReference);
    m.r.set_gr(40, kAt | Rig::kUncacheable);
    CHECK(m.fault(h, {.imm = 1, .r1 = 33, .r2 = 7, .r3 = 40}).vector == Vector::UnsupportedDataReference);
  }
}

TEST_CASE("semaphores: increments of two processors are never lost", "[exec]") {
  for (bool be : {false, true}) {
    Machine first(be);
    first.set_guest(kAt, 8, 0);
    first.set_guest(kAt + 16, 8, 0);
    Core second(CoreWires{.bus = &first.bus, .clock = &first.clock});
    second.reset();
    second.regs().psr = first.r.psr, second.regs().cfm = first.r.cfm;
    constexpr unsigned kTimes = 20000;
    const auto count = [](Core& core) {
      Registers& r = core.regs();
      r.set_gr(40, kAt), r.set_gr(41, kAt + 16);
      for (unsigned n = 0; n < kTimes; n++) {
        fetchadd8_acq_m17(core, {.imm = 1, .r1 = 33, .r3 = 40});
        do {  // and by compare and exchange
          ld8_m1(core, {.r1 = 34, .r3 = 41});
          r.ccv = r.gr(34);
          r.set_gr(35, r.ccv + 1);
          cmpxchg8_acq_m16(core, {.r1 = 36, .r2 = 35, .r3 = 41});
        } while (r.gr(36) != r.ccv);
      }
    };
    std::thread other([&] { count(second); });
    count(first.core);
    other.join();
    CHECK(first.guest(kAt, 8) == 2 * kTimes);
    CHECK(first.guest(kAt + 16, 8) == 2 * kTimes);
  }
}
