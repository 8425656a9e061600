// What one processor model implements: identification and sizes. @source SDM vol. 1, 3.1.11; platform reference 4.4
#pragma once

#include "base/int_types.h"

namespace ia64::cpu {

/// Identification and implementation limits of a processor model.
struct CpuModel {
  const char* name;
  u64 cpuid[5];
  unsigned physical_address_bits;
  unsigned virtual_address_msb;  ///< highest implemented bit of the 61-bit region offset, counted as VM_SUMMARY does
  unsigned rid_bits;
  unsigned key_bits;
  unsigned instruction_trs, data_trs;
  unsigned pkrs;
  u64 insertable_page_sizes;  ///< bit n: 2^n bytes
  u64 purgeable_page_sizes;
};

/// Montecito-class processor without IA-32 execution.
inline constexpr CpuModel kMontecito = {
    .name = "montecito",
    .cpuid = {0x49656e69756e6547 /* "GenuineI" */, 0x6c65746e /* "ntel" */, 0, 0x20000704, 5},
    .physical_address_bits = 50,
    .virtual_address_msb = 60,
    .rid_bits = 24,
    .key_bits = 24,
    .instruction_trs = 64,
    .data_trs = 64,
    .pkrs = 16,
    .insertable_page_sizes = 0x155557000  /* 4K 8K 16K 64K 256K 1M 4M 16M 64M 256M 1G 4G */,
    .purgeable_page_sizes = 0x155557000,
};

}  // namespace ia64::cpu
