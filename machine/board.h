// A board: everything around the processors. One class per board family; boards.cpp lists them.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>

#include "base/address_space.h"
#include "base/char_channel.h"
#include "base/clock.h"
#include "base/inspect.h"
#include "base/interrupt_bus.h"
#include "base/result.h"
#include "firmware/board_description.h"
#include "machine/config.h"
#include "machine/guest_memory.h"

namespace ia64::devices::pci {
class PciHost;
}

namespace ia64::storage {
class UndoJournal;
}

namespace ia64::machine {

class StateSections;
class StorageBays;

/// What a board gets from the machine that holds it. All outlive the board.
struct BoardWires {
  Clock* clock = nullptr;
  Clock* pace = nullptr;  ///< not null: storage works at times of this clock alone
  storage::UndoJournal* undo = nullptr;  ///< not null: what writes to disks replace goes there
  InterruptBus* interrupts = nullptr;
  CharChannel* console = nullptr;
  std::function<void()> on_soft_off;  ///< the guest switched the power off through ACPI; any thread
};

class Board : public Inspectable {
 public:
  virtual AddressSpace& bus() = 0;
  virtual const firmware::BoardDescription& description() const = 0;
  /// The memory behind each of description().ram, in the same order.
  virtual std::span<GuestMemory> ram() = 0;
  /// What sits on the board's PCI buses, and its storage. At the machine's safe point only.
  virtual devices::pci::PciHost& pci() = 0;
  virtual StorageBays& storage() = 0;
  /// Power-on state of every device; RAM is cleared too when `cold`. No processor runs meanwhile.
  virtual void reset(bool cold) = 0;
  /// The user presses the power button; what follows is the guest's affair. Any thread.
  virtual void press_power_button() = 0;
  /// The state of every device, a section each; RAM is not part of it. No processor runs, nothing is in flight.
  virtual void visit_state(StateSections& state) = 0;
};

/// Builds the board that config.machine names, with its RAM, devices and opened media.
/// @returns Invalid naming the option for an unknown board or impossible sizes; errors of media as they are
Result<std::unique_ptr<Board>> make_board(const MachineConfig& config, const BoardWires& wires);

}  // namespace ia64::machine
