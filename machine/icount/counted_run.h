// Runs a machine's processor in quanta of instructions that make virtual time: equal input gives equal runs.
#pragma once

#include <atomic>
#include <mutex>
#include <utility>
#include <vector>

#include "base/interrupt_bus.h"
#include "base/state_archive.h"
#include "cpu/core.h"
#include "machine/icount/virtual_clock.h"

namespace ia64::machine {

class Lockstep;

/// Virtual time is the count of instructions executed, and stands still within a quantum: the instructions up to the next timer,
/// kQuantumSlots at most. At its end time moves on by what was executed, timers run, and interrupts that came meanwhile reach the
/// processor. Halting, firmware's gates and nothing else end a quantum early. run() may return in the middle of one, for a
/// debugger, a pause or a client of the machine; it goes on where it stopped, so none of them changes the guest's course.
/// CPU thread only except where noted.
class CountedRun {
 public:
  /// A 1.6 GHz Itanium 2 issues up to six instructions a cycle and retires between one half and two of typical code, so one a
  /// nanosecond is about its speed; a whole number keeps the count and the time the same thing.
  static constexpr u64 kNsPerSlot = 1;
  /// The longest an interrupt waits. A timer of the guest is never late by more than this; entering and leaving the translator
  /// costs a few per cent of it.
  static constexpr u64 kQuantumSlots = 20'000;

  /// @param gate     serves the breaks of firmware
  /// @param lockstep nullptr: the processor runs alone
  CountedRun(cpu::Core& core, VirtualClock& clock, cpu::BreakGate& gate, Lockstep* lockstep);
  ~CountedRun();

  /// The processor was reset: a new quantum begins, and interrupts that were under way are gone.
  void powered_on();
  /// Sends an interrupt, which arrives with the next quantum. Any thread.
  void post(DeliveryMode mode, u8 vector);
  /// Makes run() return soon. Any thread.
  void request_stop();

  static constexpr u64 kNoLimit = ~u64{0};
  /// Runs until the processor halts, a gate wants to stop, somebody asked (Requested), a debugger's reason comes up, or so many
  /// instructions were executed (Budget; a gate's come in one piece).
  cpu::StopReason run(u64 at_most_slots = kNoLimit);
  /// Runs to the end of the quantum at most. @returns Budget there or behind so many instructions, else as run()
  cpu::StopReason advance(u64 at_most_slots = kNoLimit);
  /// The smallest piece of a run: executes one instruction or takes one interruption (Interruption), external ones too.
  cpu::StopReason advance_once();
  /// As Core::step().
  cpu::StopReason step();
  /// The run ends with what is happening now: a gate that the processor stands at is not entered any more.
  void end() { over_ = true; }
  /// There is nothing to do before `until_ns` of virtual time, or before the next timer or interrupt: goes there.
  void idle_until(u64 until_ns);
  /// The quantum, wherever in it the processor stands, and interrupts under way. Not in lockstep.
  void visit_state(StateArchive& a);

 private:
  class Gate;
  void begin_quantum();
  void end_quantum();
  template <class Run>
  cpu::StopReason count(Run run);
  bool stops_at_gate();

  cpu::Core& core_;
  VirtualClock& clock_;
  std::unique_ptr<Gate> gate_;
  Lockstep* const lockstep_;
  u64 left_ = 0;   ///< instructions of this quantum to come; 0: none has begun
  u64 spent_ = 0;  ///< executed, and not yet virtual time
  std::atomic<bool> stop_{false}, over_{false};
  std::mutex posts_mutex_;
  std::vector<std::pair<DeliveryMode, u8>> posts_;
};

}  // namespace ia64::machine
