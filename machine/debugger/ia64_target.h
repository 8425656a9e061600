// Registers in the numbers and sizes of GDB's ia64 target.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "cpu/core.h"

namespace ia64::machine::debugger {

/// Numbers of GDB's raw ia64 registers, which a `g` packet carries in this order. Checked against gdb-multiarch's
/// `maint print raw-registers`.
namespace gdb {
enum : unsigned {
  kGr0 = 0,     ///< r0..r31; GDB finds stacked registers in memory below $bsp, so 32..127 stay empty
  kFr0 = 128,   ///< f0..f127, 16 bytes each, physical numbering
  kPr0 = 256,   ///< empty: GDB takes predicates from kPr
  kBr0 = 320,
  kVfp = 328,   ///< empty, as kVrap: GDB's own
  kVrap = 329,
  kPr = 330,    ///< all predicates, physical numbering: GDB applies rotation
  kIp = 331,    ///< bundle; $pc is this plus PSR.ri
  kPsr = 332,
  kCfm = 333,
  kAr0 = 334,   ///< application registers by their numbers
  kRawRegisters = 462,
};
}

/// Bytes of a register in packets: 8 or 16. @param number below gdb::kRawRegisters
unsigned register_bytes(unsigned number);
/// Contents, little-endian; nullopt when the number stands for nothing. BSP and RNAT are those after all registers of the current
/// frame have been stored, as GDB expects them. CPU thread.
std::optional<std::vector<u8>> read_register(cpu::Core& core, unsigned number);
/// @returns false when the register cannot be written so. CPU thread, outside run().
bool write_register(cpu::Core& core, unsigned number, std::span<const u8> value);
/// Bundle address and slot, as GDB's $pc.
u64 program_counter(const cpu::Core& core);
void set_program_counter(cpu::Core& core, u64 pc);

/// What `qXfer:features:read:target.xml` gives. GDB's ia64 port takes no register description; it names the architecture.
std::string target_description();

}  // namespace ia64::machine::debugger
