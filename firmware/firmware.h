// The simulated firmware of one board: tables in guest memory, EFI/SAL/PAL services behind gates, boot
// manager.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/address_space.h"
#include "base/clock.h"
#include "firmware/board_description.h"
#include "firmware/gate.h"
#include "firmware/inspection.h"

namespace ia64 {
class StateArchive;
}

namespace ia64::firmware {

/// What the engine does after a gate call.
enum class GateAction : u8 {
  NotMine,   ///< not one of our gates: deliver the Break Instruction fault
  Continue,  ///< go on with the instruction after the break
  Resume,    ///< ip, frame and registers were changed: go on from there
  Stop,      ///< the firmware gave up (crash screen shown, or power is off): leave the run loop
};

struct GateResult {
  GateAction action = GateAction::NotMine;
  /// When set (with Resume), nothing is to do before this virtual time: the CPU may sleep until then, or
  /// until console input or an interrupt arrives. Waking early is always allowed: the gate is simply entered
  /// again.
  std::optional<u64> idle_until_ns;
};

/// Which `break` immediates and which guest memory belong to the gates.
struct GateRange {
  u64 first_imm = 0, last_imm = 0;  ///< inclusive
  MemoryRange code;                 ///< stubs of EFI and SAL (guest physical)
  MemoryRange pal_code;             ///< the EfiPalCode block
};

struct FirmwareOptions {
  std::optional<DirectBoot> direct_boot;  ///< start this kernel instead of the boot manager
  std::optional<u32> boot_timeout_s;      ///< overrides the Timeout variable; 0 boots at once
  std::function<void(u64 spins)> relax{}; ///< called while firmware waits for a controller; empty: gives up host time
};

/// Firmware of one machine. One instance lives as long as the machine; power_on() may be called again after a
/// reset. Thread rule: on_break() may be called from any CPU's thread; services of different CPUs exclude
/// each other. power_on() and park() are called while no CPU runs.
class Firmware {
 public:
  /// @param board  fixed facts; ram[0] must start at 0 and hold at least kMinimumLowRam bytes
  /// @param bus    physical address space with RAM and devices already in place
  Firmware(BoardDescription board, AddressSpace& bus, Clock& clock, FirmwareHost& host,
           FirmwareOptions options = {});
  ~Firmware();
  Firmware(const Firmware&) = delete;
  Firmware& operator=(const Firmware&) = delete;

  static constexpr u64 kMinimumLowRam = u64{64} << 20;

  /// Builds every table in guest RAM and sets the boot processor's registers so that running it enters the
  /// boot manager. Forgets all state of an earlier power-on except non-volatile variables.
  void power_on(GuestCpu& boot);
  /// Sets a secondary processor's registers so that running it waits in the SAL rendezvous for the wake-up
  /// vector.
  void park(GuestCpu& cpu);
  /// Handles a `break` whose immediate lies in gate_range() and that was executed at privilege level 0.
  GateResult on_break(GuestCpu& cpu, u64 imm);
  GateRange gate_range() const;
  /// Variables, handles, memory map and images as they are now. No service may be running on another thread.
  EfiInspection inspect_efi();

  /// Why the state cannot be saved now, as a half-sentence; empty when it can: an operating system has taken over and no
  /// service is under way.
  std::string busy() const;
  /// Firmware as the operating system left it: variables, what it registered, its virtual address map. Loading follows
  /// power_on() and comes before guest memory is loaded, which it may write to.
  void visit_state(StateArchive& a);
  /// Changes the kernel that power_on() starts from the next time on.
  void set_direct_boot(DirectBoot kernel);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace ia64::firmware
