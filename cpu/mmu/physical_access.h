// Accesses of up to 16 bytes at a physical address that has been translated and checked.
#pragma once

#include "base/address_space.h"

namespace ia64::cpu::mmu {

/// Copies `size` bytes (1..16) between host memory and guest memory; sizes 1, 2, 4, 8 in one access, aligned
/// 16 too.
void copy_from_memory(const u8* host, void* out, unsigned size) noexcept;
void copy_to_memory(u8* host, const void* in, unsigned size) noexcept;

/// One read of a place that is not memory: sizes 1, 2, 4, 8 as one bus access, others as 8-, 4-, 2- and
/// 1-byte accesses in address order. Nothing there: all ones.
void read_device(AddressSpace& bus, GuestPhys phys, void* out, unsigned size) noexcept;
/// The same for writes, which vanish where nothing is.
void write_device(AddressSpace& bus, GuestPhys phys, const void* in, unsigned size) noexcept;

}  // namespace ia64::cpu::mmu
