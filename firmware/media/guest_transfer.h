// Byte ranges between a medium and a caller's buffer, without a bounce where whole blocks meet physical
// memory.
#pragma once

#include "firmware/gate.h"
#include "firmware/media/block_medium.h"

namespace ia64::firmware {

/// Moves `size_bytes` at byte `offset` of the medium to or from the caller's address `va`.
/// @returns InvalidParameter for a range outside the medium or a buffer that is not mapped, else what the
/// medium says
EfiStatus read_to_caller(GateCall& call, AddressSpace& bus, BlockMedium& medium, u64 offset, u64 size_bytes,
                         u64 va);
EfiStatus write_from_caller(GateCall& call, AddressSpace& bus, BlockMedium& medium, u64 offset,
                            u64 size_bytes, u64 va);

}  // namespace ia64::firmware
