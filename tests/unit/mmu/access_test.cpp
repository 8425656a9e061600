// Sizes, alignment, byte order, devices, ROM and semaphores.
#include "cpu/mmu/fetch.h"
#include "tests/unit/mmu/fixture.h"

namespace ia64::cpu::test {
namespace {
constexpr u64 kVa = 0x7000;
struct MappedFixture : MmuFixture {
  MappedFixture() {
    map(kVa, {.ppn_address = 0x10000}), map(kVa + 0x1000, {.ppn_address = 0x20000});
    for (unsigned n = 0; n < 0x1000; n++) ram()[0x10000 + n] = static_cast<u8>(n * 7 + 1);
  }
};
}  // namespace

TEST_CASE("every size at every alignment inside two lines") {
  MappedFixture f;
  for (const bool ac : {false, true})
    for (const unsigned size : {1u, 2u, 4u, 8u, 10u, 16u})
      for (u64 at = 0; at < 128; at++) {
        INFO("ac " << ac << " size " << size << " at " << at);
        ac ? f.psr_on(psr::kAc) : f.psr_off(psr::kAc);
        const unsigned align = size == 10 ? 16 : size;
        // Inside a 64-byte line unless PSR.ac; 16-byte accesses always aligned.
        const bool aligned = at % align == 0, in_line = at % 64 + size <= 64;
        const bool good = aligned || (!ac && in_line && size != 16);
        u8 image[16] = {};
        const Next read = f.core->load_bytes(kVa + at, image, size, align);
        CHECK((read == Next::Continue) == good);
        if (good)
          CHECK(std::memcmp(image, f.ram() + 0x10000 + at, size) == 0);
        else
          CHECK((f.fault().vector == Vector::UnalignedReference && f.fault().isr == isr::kR &&
                 f.fault().ifa == kVa + at));
        for (unsigned n = 0; n < size; n++) image[n] = static_cast<u8>(~f.ram()[0x10000 + at + n]);
        const Next write = f.core->store_bytes(kVa + at, image, size, align);
        CHECK((write == Next::Continue) == good);
        CHECK((std::memcmp(image, f.ram() + 0x10000 + at, size) == 0) == good);
        if (!good) CHECK((f.fault().vector == Vector::UnalignedReference && f.fault().isr == isr::kW));
      }
}

TEST_CASE("an access over a page boundary always faults") {
  MappedFixture f;
  for (const u64 at : {0xff9, 0xffc, 0xfff}) CHECK(f.faults(f.load8(kVa + at), Vector::UnalignedReference));
}

TEST_CASE("typed accesses swap by PSR.be, cold and warm") {
  for (const bool be : {false, true}) {
    MappedFixture f;
    if (be) f.psr_on(psr::kBe);
    u8* at = f.ram() + 0x10010;
    for (unsigned n = 0; n < 16; n++) at[n] = static_cast<u8>(n);
    for (int twice = 0; twice < 2; twice++) {
      u8 b = 0;
      u16 h = 0;
      u32 w = 0;
      u64 d = 0;
      u128 q = 0;
      CHECK((f.core->load(kVa + 0x11, b) == Next::Continue && b == 1));
      CHECK((f.core->load(kVa + 0x12, h) == Next::Continue && h == (be ? 0x0203 : 0x0302)));
      CHECK((f.core->load(kVa + 0x14, w) == Next::Continue && w == (be ? 0x04050607u : 0x07060504u)));
      CHECK((f.core->load(kVa + 0x18, d) == Next::Continue &&
             d == (be ? 0x08090a0b0c0d0e0fu : 0x0f0e0d0c0b0a0908u)));
      CHECK(f.core->load(kVa + 0x10, q) == Next::Continue);
      CHECK(static_cast<u64>(q) == (be ? 0x08090a0b0c0d0e0fu : 0x0706050403020100u));
      CHECK(static_cast<u64>(q >> 64) == (be ? 0x0001020304050607u : 0x0f0e0d0c0b0a0908u));
      CHECK(f.core->store<u32>(kVa + 0x20, 0x11223344) == Next::Continue);
      CHECK(f.ram()[0x10020] == (be ? 0x11 : 0x44));
      CHECK(f.core->store<u128>(kVa + 0x30, u128{0x1122334455667788} << 64 | 0x99) == Next::Continue);
      CHECK(f.ram()[0x10030] == (be ? 0x11 : 0x99));
      CHECK(f.ram()[0x1003f] == (be ? 0x99 : 0x11));
    }
    u128 q = 0;
    CHECK(f.faults(f.core->load(kVa + 8, q), Vector::UnalignedReference));
  }
}

TEST_CASE("devices see each access exactly once, whole, and little-endian") {
  for (const u64 ma : {0, 4}) {
    MmuFixture f;
    f.map(kVa, {.ma = ma, .ppn_address = MmuFixture::kDevice});
    u32 w = 0;
    CHECK((f.core->load(kVa + 4, w) == Next::Continue && w == 0x44332211));
    CHECK((f.device.reads == 1 && f.device.offset == 4 && f.device.size == 4));
    f.psr_on(psr::kBe);
    CHECK((f.core->load(kVa + 4, w) == Next::Continue && w == 0x11223344));
    CHECK(f.core->store<u16>(kVa + 6, 0x1234) == Next::Continue);
    CHECK((f.device.reads == 2 && f.device.writes == 1 && f.device.size == 2 && f.device.written == 0x3412));
    if (ma == 4) {
      CHECK(f.faults(f.core->load(kVa + 5, w), Vector::UnalignedReference));
      CHECK(f.device.reads == 2);
    }
  }
}

TEST_CASE("ROM is read, writes to it vanish, semaphores on it see it and change nothing") {
  MmuFixture f;
  u8* rom = f.ram() + MmuFixture::kRamSize;
  store_le<u64>(rom + 8, 0x1111);
  f.map(kVa, {.ppn_address = MmuFixture::kRom});
  CHECK((f.load8(kVa + 8) == Next::Continue && f.loaded == 0x1111));
  CHECK(f.store8(kVa + 8, 0x2222) == Next::Continue);
  CHECK(load_le<u64>(rom + 8) == 0x1111);
  auto* word = static_cast<u64*>(f.core->semaphore_address(kVa + 8, 8));
  REQUIRE(word);
  CHECK(*word == 0x1111);
  *word = 0x3333;
  CHECK(load_le<u64>(rom + 8) == 0x1111);
}

TEST_CASE("nothing there: all ones, writes vanish, semaphores are unsupported") {
  MmuFixture f;
  f.map(kVa, {.ppn_address = 0x3'0000'0000});
  CHECK((f.load8(kVa) == Next::Continue && f.loaded == ~u64{0}));
  CHECK(f.store8(kVa, 1) == Next::Continue);
  CHECK(f.core->semaphore_address(kVa, 4) == nullptr);
  CHECK(f.fault().vector == Vector::UnsupportedDataReference);
}

TEST_CASE("semaphores are strict about alignment and need both rights") {
  MappedFixture f;
  for (const unsigned size : {2u, 4u, 8u, 16u}) {
    CHECK(f.core->semaphore_address(kVa + size, size) == f.ram() + 0x10000 + size);
    CHECK(f.core->semaphore_address(kVa + size, size) == f.ram() + 0x10000 + size);
    CHECK(f.core->semaphore_address(kVa + size + 1, size) == nullptr);
    CHECK(f.fault().vector == Vector::UnalignedReference);
    CHECK(f.fault().isr == (isr::kR | isr::kW));
  }
  f.map(kVa, {.ar = 0, .ppn_address = 0x10000});
  CHECK(f.core->semaphore_address(kVa, 8) == nullptr);
  CHECK((f.fault().vector == Vector::DataAccessRights && f.fault().isr == (isr::kR | isr::kW)));
  f.map(kVa, {.d = 0, .ppn_address = 0x10000});
  CHECK(f.load8(kVa) == Next::Continue);
  CHECK(f.core->semaphore_address(kVa, 8) == nullptr);
  CHECK(f.fault().vector == Vector::DirtyBit);
}

TEST_CASE("breakpoint registers: kind, level, mask and any byte") {
  MappedFixture f;
  f.psr_on(psr::kDb);
  const auto set = [&](u64 address, u64 control) {
    f.r().dbr[4] = address, f.r().dbr[5] = control;
    f.tlb().debug_registers_changed();
  };
  const u64 exact = low_mask(56), level0 = u64{1} << 56;
  set(kVa + 7, bit(63) | level0 | exact);
  CHECK(f.faults(f.load8(kVa), Vector::Debug));
  CHECK(f.fault().ifa == kVa);
  CHECK(f.load8(kVa + 8) == Next::Continue);
  CHECK(f.store8(kVa, 0) == Next::Continue);
  set(kVa, bit(62) | level0 | exact);
  CHECK(f.load8(kVa) == Next::Continue);
  CHECK(f.faults(f.store8(kVa, 0), Vector::Debug));
  set(kVa, bit(62) | bit(63) | u64{0xe} << 56 | exact);
  CHECK(f.load8(kVa) == Next::Continue);
  set(kVa + 0x800, bit(63) | level0 | (exact & ~u64{0xff}));
  CHECK(f.faults(f.load8(kVa + 0x8f8), Vector::Debug));
  CHECK(f.load8(kVa + 0x900) == Next::Continue);
  set((kVa + 0x800) | bit(60), bit(63) | level0 | exact);  // bits 63:56 always count
  CHECK(f.load8(kVa + 0x800) == Next::Continue);
  f.r().ibr[6] = 0x4567, f.r().ibr[7] = bit(63) | level0 | exact;
  CHECK(instruction_debug_match(*f.core, 0x4560));
  CHECK_FALSE(instruction_debug_match(*f.core, 0x4570));
  f.set_cpl(1);
  CHECK_FALSE(instruction_debug_match(*f.core, 0x4560));
  CHECK(f.faults(raise_instruction_debug(*f.core, 0x4560), Vector::Debug));
  CHECK((f.fault().isr == isr::kX && f.fault().ifa == 0x4560));
}

TEST_CASE("lfetch.fault faults as a read and says so; lfetch never does") {
  MappedFixture f;
  CHECK(f.core->prefetch(0xdead000, false, false) == Next::Continue);
  CHECK(f.core->prefetch(kVa, true, false) == Next::Continue);
  CHECK(f.faults(f.core->prefetch(0xdead000, true, false), Vector::AlternateDataTlb));
  CHECK(f.fault().isr == (isr::kR | isr::kNa | isr::kLfetch));
  f.map(kVa, {.ma = 7});
  CHECK(f.faults(f.core->prefetch(kVa, true, false), Vector::NatConsumption));
  CHECK(f.fault().isr == (isr::kR | isr::kNa | 0x24));
  f.psr_on(psr::kEd);
  CHECK(f.core->prefetch(kVa, true, false) == Next::Continue);
}

}  // namespace ia64::cpu::test
