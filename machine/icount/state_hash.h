// A number that stands for a machine's registers and memory.
#pragma once

#include <span>
#include <string>

#include "cpu/arch/registers.h"
#include "firmware/board_description.h"
#include "machine/guest_memory.h"

namespace ia64::machine {

/// 32 hexadecimal digits over all architected registers and all RAM. Equal states give equal hashes, whichever engine made them;
/// not a cryptographic hash. Translations and devices are not part of it. No processor may run meanwhile.
/// @param ranges where each of `ram` lies
std::string state_hash(const cpu::Registers& registers, std::span<const firmware::MemoryRange> ranges, std::span<GuestMemory> ram);

}  // namespace ia64::machine
