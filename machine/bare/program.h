// A bare-metal program: memory, registers, where to start and stop. From the command line or from one line of JSON.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/int_types.h"
#include "base/result.h"

namespace ia64::machine {

struct MemoryImage {
  GuestPhys address = 0;
  std::vector<u8> bytes;
};

struct MemorySpan {
  GuestPhys address = 0;
  u64 size_bytes = 0;
};

/// What `ivm bare` runs. Documented in docs/bare.md.
struct BareProgram {
  std::string id;                    ///< batch: echoed as JSON text; empty for none
  u64 memory_bytes = u64{64} << 20;  ///< RAM from physical address 0
  unsigned cpus = 1;
  std::vector<MemoryImage> memory;   ///< loads and pokes, in order
  std::vector<std::pair<std::string, std::string>> registers;  ///< name, value; in order
  std::optional<u64> entry_ip;
  u8 entry_slot = 0;
  std::vector<u64> stop_at;
  bool stop_on_interruption = false;
  u64 max_insns = 0;                 ///< per processor; 0 for no limit
  u64 slice = 0;                     ///< instructions per turn; 0: one processor runs straight through, several take turns of 1000
  std::vector<MemorySpan> dump_memory;
};

/// An unsigned number: decimal, 0x hexadecimal, or negative (two's complement). @returns Invalid naming `what` and the text
Result<u64> parse_number(const std::string& text, const std::string& what);

/// `ADDR=FILE`: raw bytes of a file at a physical address.
Result<void> add_load(BareProgram& program, const std::string& argument);
/// An ELF file of either byte order: its PT_LOAD segments at their physical addresses; sets the entry when none is set.
Result<void> add_elf(BareProgram& program, const std::string& path);
/// `ADDR:SIZE=VALUE`: a little-endian integer of 1, 2, 4 or 8 bytes.
Result<void> add_poke(BareProgram& program, const std::string& argument);
/// `NAME=VALUE`.
Result<void> add_register(BareProgram& program, const std::string& argument);
/// `IP[:SLOT]`.
Result<void> set_entry(BareProgram& program, const std::string& argument);
/// `ADDR:SIZE`.
Result<void> add_dump(BareProgram& program, const std::string& argument);
/// One line of a batch file. @returns Invalid with the member that is wrong
Result<BareProgram> parse_program(const std::string& json_line);

}  // namespace ia64::machine
