// Builds the SAL system table.
#include "firmware/tables/sal_system_table.h"

#include "firmware/tables/byte_image.h"

namespace ia64::firmware {

namespace {

void entry_point(ByteImage& t, const SalTableInput& in) {
  t.u8v(0).zeros(7).u64v(in.pal_proc).u64v(in.sal_proc).u64v(in.gp).zeros(16);
}

void pal_memory(ByteImage& t, const MemoryRange& r) {
  constexpr u8 kWriteBack = 0x01, kReadExecute = 1, kRegularMemory = 0, kPalCode = 1;
  t.u8v(1).u8v(1).u8v(0).u8v(kReadExecute).u8v(kWriteBack).u8v(0).u8v(kRegularMemory).u8v(kPalCode);
  t.u64v(r.base).u32v(r.size_bytes >> 12).u32v(0).zeros(8);
}

void wake_vector(ByteImage& t) {
  t.u8v(5).u8v(0).zeros(6).u64v(kApWakeVector);
}

}  // namespace

std::vector<u8> build_sal_system_table(const SalTableInput& input) {
  const bool has_pal_code = input.pal_code.size_bytes != 0;
  ByteImage t;
  t.text("SST_", 4)
      .u32v(0)
      .u8v(kSalRevisionMinor)
      .u8v(kSalRevisionMajor)
      .u16v(has_pal_code ? 3 : 2)
      .u8v(0)
      .zeros(7);
  t.u8v(0x29).u8v(0x04).u8v(0x29).u8v(0x04);  // SAL_A and SAL_B 4.29
  t.text("HP", 32).text("", 32).zeros(8);
  entry_point(t, input);
  if (has_pal_code) pal_memory(t, input.pal_code);
  wake_vector(t);
  t.patch<u32>(4, static_cast<u32>(t.size()));
  t.fix_checksum(12, 0, t.size());
  return t.take();
}

GuestPhys install_sal_system_table(const SalTableInput& input, AddressSpace& bus,
                                   const TableAllocator& allocate) {
  return place_table(bus, allocate, build_sal_system_table(input), 16, TableMemory::RuntimeData);
}

}  // namespace ia64::firmware
