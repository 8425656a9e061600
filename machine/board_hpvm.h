// The Integrity VM board, version 1: 8 PCI buses of 8 slots, one I/O SAPIC, one 16550, ACPI PM block.
#pragma once

#include "machine/board.h"

namespace ia64::machine {

/// Builds board `hpvm-1` with its AVIO adapters and disks. @returns an error naming the option or image that is wrong
Result<std::unique_ptr<Board>> make_board_hpvm_1(const MachineConfig& config, const BoardWires& wires);

}  // namespace ia64::machine
