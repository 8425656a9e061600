// The physical bus: memory, devices, code marks.
#include "base/address_space.h"

#include "tests/support/test.h"

using namespace ia64;

namespace {

struct Recorder final : MmioRegion {
  u64 last_offset = 0, last_value = 0;
  unsigned last_size = 0;
  AccessResult read(u64 offset, unsigned size, u64& value) override {
    last_offset = offset, last_size = size, value = 0x5a;
    return size == 8 ? AccessResult::BadSize : AccessResult::Ok;
  }
  AccessResult write(u64 offset, unsigned size, u64 value) override {
    last_offset = offset, last_size = size, last_value = value;
    return AccessResult::Ok;
  }
};

}  // namespace

TEST_CASE("address space: RAM keeps what was written, little-endian", "[base]") {
  std::vector<u8> ram(8192);
  AddressSpace bus;
  bus.add_ram(0x10000, ram.size(), ram.data(), "ram");
  CHECK(bus.write(0x10ffc, 8, 0x0102030405060708) == AccessResult::Ok);
  CHECK(ram[0xffc] == 8);
  u64 v = 0;
  CHECK(bus.read(0x11000, 4, v) == AccessResult::Ok);
  CHECK(v == 0x01020304);
}

TEST_CASE("address space: nothing there reads as ones and swallows writes", "[base]") {
  AddressSpace bus;
  u64 v = 0;
  CHECK(bus.read(0x1234, 2, v) == AccessResult::Unmapped);
  CHECK(v == 0xffff);
  CHECK(bus.write(0x1234, 2, 1) == AccessResult::Unmapped);
}

TEST_CASE("address space: ROM ignores guest writes", "[base]") {
  std::vector<u8> rom(4096, 7);
  AddressSpace bus;
  bus.add_rom(0, rom.size(), rom.data(), "rom");
  CHECK(bus.write(0, 1, 9) == AccessResult::Ok);
  CHECK(rom[0] == 7);
  CHECK(bus.host_ptr(0, true) == nullptr);
}

TEST_CASE("address space: a device sees offset and size, and a refused width reads ones", "[base]") {
  Recorder dev;
  AddressSpace bus;
  bus.add_mmio(0xff000000, 0x100, &dev, "dev");
  bus.write(0xff000010, 4, 0xabcd);
  CHECK(dev.last_offset == 0x10);
  CHECK(dev.last_size == 4);
  CHECK(dev.last_value == 0xabcd);
  u64 v = 0;
  CHECK(bus.read(0xff000008, 8, v) == AccessResult::BadSize);
  CHECK(v == ~u64{0});
  bus.remove_mmio(0xff000000, &dev);
  CHECK(bus.read(0xff000008, 4, v) == AccessResult::Unmapped);
}

TEST_CASE("address space: writing a marked page calls the listeners once per marked page", "[base]") {
  std::vector<u8> ram(0x4000);
  AddressSpace bus;
  bus.add_ram(0, ram.size(), ram.data(), "ram");
  std::vector<GuestPhys> dropped;
  bus.add_code_listener([&](GuestPhys page) { dropped.push_back(page); });
  bus.mark_code(0x1000);
  bus.mark_code(0x2000);
  bus.write(0x0ff8, 8, 0);
  CHECK(dropped.empty());
  std::vector<u8> block(0x2000);
  bus.write_bytes(0x0800, block.data(), block.size());
  CHECK(dropped == std::vector<GuestPhys>{0x1000, 0x2000});
  CHECK_FALSE(bus.has_code_mark(0x1000));
}

TEST_CASE("address space: an aligned 4-byte DMA write reaches a device whole", "[base]") {
  Recorder dev;
  AddressSpace bus;
  bus.add_mmio(0xfee00000, 0x1000, &dev, "msi");
  const u32 v = 0x41;
  bus.write_bytes(0xfee00010, &v, 4);
  CHECK(dev.last_size == 4);
  CHECK(dev.last_value == 0x41);
}
