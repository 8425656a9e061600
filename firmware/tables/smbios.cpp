// SMBIOS structures of the board. @source SMBIOS 2.3.4, chapter 3
#include "firmware/tables/smbios.h"

#include <fmt/format.h>

#include <algorithm>

#include "cpu/arch/model.h"
#include "firmware/tables/byte_image.h"

namespace ia64::firmware {

namespace {

constexpr u16 kNoErrorInfo = 0xfffe;
constexpr u64 kModuleBytes = u64{16} << 30;  // the size field holds at most 32 GiB - 1 MiB

// Handles other structures refer to.
constexpr u16 kHandleChassis = 0x0300, kHandleProcessor = 0x0400, kHandleCache = 0x0700,
              kHandleArray = 0x1000, kHandleDevice = 0x1100, kHandleRange = 0x1300;

/// One structure under construction: formatted part, then strings numbered from 1.
class Structure {
 public:
  Structure(u8 type, u16 handle) { image.u8v(type).u8v(0).u16v(handle); }
  /// Adds a string. @returns its number, 0 for an empty one
  u8 text(std::string_view s) {
    if (s.empty()) return 0;
    strings_.append(s).push_back('\0');
    return ++count_;
  }
  std::vector<u8> finish() {
    image.patch<u8>(1, static_cast<u8>(image.size()));
    image.raw(strings_.data(), strings_.size());
    image.zeros(count_ ? 1 : 2);
    return image.take();
  }
  ByteImage image;

 private:
  std::string strings_;
  u8 count_ = 0;
};

class TableBuilder {
 public:
  void add(Structure s) {
    const auto bytes = s.finish();
    largest = std::max<u16>(largest, static_cast<u16>(bytes.size()));
    count++;
    image.append(bytes);
  }
  ByteImage image;
  u16 count = 0, largest = 0;
};

Structure firmware_information(const SmbiosIdentity& id) {
  Structure s(0, 0x0000);
  const u8 vendor = s.text("HP"), version = s.text(id.firmware_version), date = s.text("10/15/2008");
  constexpr u64 kPci = 1 << 7, kSelectableBoot = 1 << 16, kCdBoot = 1 << 15;
  s.image.u8v(vendor)
      .u8v(version)
      .u16v(0)
      .u8v(date)
      .u8v(63)
      .u64v(kPci | kCdBoot | kSelectableBoot)
      .u8v(1)
      .u8v(0);
  return s;
}

Structure system_information(const SmbiosIdentity& id) {
  Structure s(1, 0x0100);
  const u8 vendor = s.text(id.manufacturer), product = s.text(id.product), serial = s.text(id.serial);
  s.image.u8v(vendor).u8v(product).u8v(0).u8v(serial).raw(id.uuid, 16).u8v(6);  // woken by the power switch
  return s;
}

Structure base_board(const SmbiosIdentity& id) {
  Structure s(2, 0x0200);
  const u8 vendor = s.text(id.manufacturer), product = s.text(id.product), serial = s.text(id.serial);
  s.image.u8v(vendor).u8v(product).u8v(0).u8v(serial);
  return s;
}

Structure chassis(const SmbiosIdentity& id) {
  Structure s(3, kHandleChassis);
  const u8 vendor = s.text(id.manufacturer), serial = s.text(id.serial);
  s.image.u8v(vendor).u8v(0x17).u8v(0).u8v(serial).u8v(0);  // rack mount
  s.image.u8v(3).u8v(3).u8v(3).u8v(3).u32v(0);              // safe boot-up, power, thermal; no security
  return s;
}

Structure processor(const BoardDescription& board, size_t n) {
  Structure s(4, static_cast<u16>(kHandleProcessor + n));
  const u8 socket = s.text(fmt::format("CPU {}", n)), vendor = s.text("Intel"),
           version = s.text("Intel(R) Itanium(R) 2");
  const u64 mhz =
      board.itc_hz / 1'000'000 * 4;  // the core runs at four times the interval timer (PAL_FREQ_RATIOS)
  constexpr u8 kCentral = 3, kItaniumFamily = 0x82, kEnabled = 0x41, kUpgradeNone = 6;
  s.image.u8v(socket)
      .u8v(kCentral)
      .u8v(kItaniumFamily)
      .u8v(vendor)
      .u64v(cpu::kMontecito.cpuid[3])
      .u8v(version);
  s.image.u8v(0).u16v(board.base_hz / 1'000'000).u16v(mhz).u16v(mhz).u8v(kEnabled).u8v(kUpgradeNone);
  s.image.u16v(kHandleCache).u16v(kHandleCache + 1).u16v(kHandleCache + 2).u8v(0).u8v(0).u8v(0);
  return s;
}

Structure cache(u16 level, u16 kib, u8 associativity) {
  Structure s(7, static_cast<u16>(kHandleCache + level));
  const u8 name = s.text(fmt::format("L{} Cache", level + 1));
  // 64 KiB granularity (bit 15) once the size no longer fits; write-back, enabled, internal.
  const u16 size = kib < 0x8000 / 8 ? kib : static_cast<u16>(0x8000 | kib / 64);
  s.image.u8v(name)
      .u16v(0x0180 | level)
      .u16v(size)
      .u16v(size)
      .u16v(2)
      .u16v(2)
      .u8v(0)
      .u8v(5)
      .u8v(5)
      .u8v(associativity);
  return s;
}

Structure memory_array(u64 total_bytes, u16 devices) {
  Structure s(16, kHandleArray);
  s.image.u8v(3).u8v(3).u8v(6).u32v(total_bytes >> 10).u16v(kNoErrorInfo).u16v(devices);  // system memory,
                                                                                          // multi-bit ECC
  return s;
}

Structure memory_device(u16 n, u64 size_bytes) {
  Structure s(17, static_cast<u16>(kHandleDevice + n));
  const u8 place = s.text(fmt::format("DIMM {}", n));
  s.image.u16v(kHandleArray)
      .u16v(kNoErrorInfo)
      .u16v(72)
      .u16v(64)
      .u16v(size_bytes >> 20)
      .u8v(9)
      .u8v(0)
      .u8v(place)
      .u8v(0);
  s.image.u8v(0x13).u16v(0x80).u16v(0).u8v(0).u8v(0).u8v(0).u8v(0);  // DDR2, synchronous, speed unknown
  return s;
}

Structure mapped_range(u16 n, const MemoryRange& r) {
  Structure s(19, static_cast<u16>(kHandleRange + n));
  s.image.u32v(r.base >> 10).u32v((r.base + r.size_bytes - 1) >> 10).u16v(kHandleArray).u8v(1);
  return s;
}

void add_memory(TableBuilder& t, const std::vector<MemoryRange>& ram) {
  u64 total = 0;
  for (const auto& r : ram) total += r.size_bytes;
  const auto modules = static_cast<u16>(std::min<u64>((total + kModuleBytes - 1) / kModuleBytes, 0x100));
  t.add(memory_array(total, modules));
  for (u16 n = 0; n < modules; n++) t.add(memory_device(n, std::min(kModuleBytes, total - n * kModuleBytes)));
  for (size_t n = 0; n < ram.size(); n++) t.add(mapped_range(static_cast<u16>(n), ram[n]));
}

}  // namespace

std::vector<u8> build_smbios_structures(const BoardDescription& board, u16& structure_count, u16& largest) {
  TableBuilder t;
  t.add(firmware_information(board.smbios));
  t.add(system_information(board.smbios));
  t.add(base_board(board.smbios));
  t.add(chassis(board.smbios));
  for (size_t n = 0; n < board.cpus.size(); n++) t.add(processor(board, n));
  constexpr u8 kFourWay = 5, kEightWay = 7, kOtherWays = 1;
  t.add(cache(0, 32, kFourWay));
  t.add(cache(1, 1280, kEightWay));
  t.add(cache(2, 12288, kOtherWays));
  add_memory(t, board.ram);
  Structure boot_status(32, 0x2000);
  boot_status.image.zeros(6).u8v(0);
  t.add(std::move(boot_status));
  t.add(Structure(127, 0x7f00));
  structure_count = t.count;
  largest = t.largest;
  return t.image.take();
}

std::vector<u8> build_smbios_entry(GuestPhys table, u16 table_size, u16 structure_count, u16 largest) {
  ByteImage e;
  e.text("_SM_", 4).u8v(0).u8v(0x1f).u8v(2).u8v(3).u16v(largest).u8v(0).zeros(5);
  e.text("_DMI_", 5).u8v(0).u16v(table_size).u32v(table).u16v(structure_count).u8v(0x23);
  e.fix_checksum(0x15, 0x10, 0xf);
  e.fix_checksum(4, 0, 0x1f);
  return e.take();
}

GuestPhys install_smbios(const BoardDescription& board, AddressSpace& bus, const TableAllocator& allocate) {
  u16 count = 0, largest = 0;
  const auto structures = build_smbios_structures(board, count, largest);
  const GuestPhys table = place_table(bus, allocate, structures, 16, TableMemory::RuntimeData);
  return place_table(bus, allocate,
                     build_smbios_entry(table, static_cast<u16>(structures.size()), count, largest), 16,
                     TableMemory::RuntimeData);
}

}  // namespace ia64::firmware
