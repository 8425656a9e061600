// Runs a machine on two engines at once and stops where they differ.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/interrupt_bus.h"
#include "cpu/core.h"
#include "cpu/core_checkpoint.h"
#include "machine/guest_memory.h"
#include "machine/lockstep/device_log.h"

namespace ia64::machine {

/// RAM of a board as lockstep wants it: the mapping that everybody uses, and where it lies.
struct LockstepRam {
  GuestPhys base = 0;
  GuestMemory* memory = nullptr;  ///< made by GuestMemory::map_shared()
};

/// The machine's processor translates; a second one, the shadow, interprets. Execution goes in slices: the shadow runs first,
/// on a private view of memory and on the devices, whose answers are recorded; then the translator runs as many
/// instructions on the real memory, devices being played back. Then registers, the memory that either wrote, device accesses
/// and the reason to stop must be equal. Time stands still during a run, and interrupts are posted to both before it.
/// Firmware runs once, between runs; afterwards the shadow takes over the processor's state.
/// Limits: one processor; no DMA may reach memory during a run. CPU thread only. CountedRun uses it.
class Lockstep {
 public:
  Lockstep(AddressSpace& board_bus, std::vector<LockstepRam> ram, Clock& clock, u64 itc_hz);
  ~Lockstep();

  /// The bus of the processor that translates.
  AddressSpace& primary_bus() { return primary_bus_; }
  /// Joins the processor, which must live as long as run() is called. Its gate must stop it.
  void attach(cpu::Core& primary) { primary_ = &primary; }
  /// The processor was reset and firmware set its registers.
  void powered_on(GuestPhys gate_base, u64 gate_size);

  /// Posts an interrupt to both. Between runs.
  void post(DeliveryMode mode, u8 vector);
  /// Runs slices: `max_slots` instructions, or fewer when the processors halt or reach a gate. With a difference, Requested.
  cpu::StopReason run(u64 max_slots);
  /// The shadow continues with the state of the processor, which was changed between runs.
  void take_over();
  /// The report of the first difference: what differs at the end of its slice, then where in the slice it begins and by which
  /// instructions; empty while there is none.
  const std::string& difference() const { return difference_; }
  u64 slices() const { return slices_; }

 private:
  class Gate;
  struct View {
    GuestPhys base = 0;
    u64 size = 0;
    u8* real = nullptr;
    u8* own = nullptr;  ///< the shadow's private mapping
  };

  /// How one engine went through a slice.
  struct Way {
    cpu::StopReason reason{};
    u64 executed = 0;
  };
  u64 next_slice_length();
  Way run_engine(cpu::Core& core, u64 max_slots);
  void save_originals();
  std::string differences(const Way& expected, const Way& actual);
  std::string memory_difference();
  void discard_private_pages();
  // narrowing (narrow.cpp)
  void back_to_start();
  std::string repeat(u64 slots);
  u64 native_slots() const;
  std::string narrow(u64 executed);
  std::string describe(u64 from, u64 to);
  bool bundle_at(u64 ip, std::string (&lines)[3]) const;
  std::string listing(u64 ip) const;

  AddressSpace& board_bus_;
  std::vector<View> views_;
  AddressSpace primary_bus_, shadow_bus_;
  DeviceRecorder recorder_;
  DeviceReplayer replayer_;
  std::vector<GuestPhys> written_, shadow_written_;  // pages, by slice
  // The state at the beginning of the slice.
  cpu::CoreCheckpoint start_, shadow_start_;
  std::vector<GuestPhys> original_pages_;
  std::vector<u8> originals_;
  std::unique_ptr<cpu::Core> shadow_;
  std::unique_ptr<Gate> gate_;
  cpu::Core* primary_ = nullptr;
  u64 slices_ = 0, random_ = 0x9e3779b97f4a7c15;
  std::string difference_;
};

}  // namespace ia64::machine
