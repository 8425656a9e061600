// One virtual machine: board, processors, firmware and media put together and run.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/char_channel.h"
#include "base/clock.h"
#include "base/inspect.h"
#include "base/result.h"
#include "cpu/core.h"
#include "firmware/inspection.h"
#include "machine/config.h"

namespace ia64::machine {

/// Why a machine stopped by itself.
enum class MachineEnd : u8 {
  PowerOff,      ///< the guest or its firmware switched the power off
  ResetLoop,     ///< reset again and again without getting anywhere
  FirmwareStop,  ///< firmware gave up: the console shows why
  Finished,      ///< finish() was called
  EnginesDiffer, ///< a lockstep run found a difference; it is on standard error
  CpuStop,       ///< a processor cannot go on (machine check, no handler to enter)
};

const char* describe(MachineEnd end);

/// What somebody who watches a machine hears of. @source integrity-vm reference 5.1, where an operating system runs or not
enum class MachineEvent : u8 { Reset, OperatingSystem };

/// Why a machine paused itself for a debugger.
struct DebugStop {
  /// HistoryBegin: nothing before this moment was kept.
  enum class Why : u8 { StopAddress, Watch, Step, HistoryBegin } why;
  /// StopAddress: of the instruction that comes next; Watch: of the access, which has been done, or after go_back() comes next
  u64 address = 0;
  bool read = false, write = false;  ///< Watch
};

/// EFI images come and go. @source EFI 1.10, 5.4
struct ImageEvent {
  enum class What : u8 { Loaded, Unloaded, AllGone } what = What::AllGone;  ///< AllGone: the machine was reset
  const firmware::EfiImage* image = nullptr;                                ///< valid during the call; not for AllGone
};

class Board;
struct SnapshotManifest;
struct SnapshotOptions;

/// Lifetime: create(), start(), any number of reset()/stop(), destruction. Media are closed by the destructor, after every
/// request in flight has ended.
class Machine : public Inspectable {
 public:
  /// Opens media and builds the board. Nothing runs yet and no image has been changed.
  /// @param console  host end of the first serial line; must outlive the machine
  static Result<std::unique_ptr<Machine>> create(const MachineConfig& config, CharChannel& console);
  ~Machine() override = default;

  /// Powers on. `on_end` is called once, on a CPU thread, if the machine stops by itself.
  virtual void start(std::function<void(MachineEnd)> on_end) = 0;
  /// Presses the reset button. Any thread.
  virtual void reset() = 0;
  /// Presses the power button: an operating system that listens shuts down. Any thread.
  virtual void press_power_button() = 0;
  /// Called on a CPU thread for every MachineEvent. To be set before start().
  virtual void set_observer(std::function<void(MachineEvent)> observer) = 0;
  /// Runs `fn` on the processor's thread at its safe point (safe_point.h): between two instructions, with no firmware service
  /// and no register access of the guest under way. Works while paused. Any thread.
  /// @returns false, and never calls it, when the machine has stopped for good
  virtual bool call(std::function<void()> fn) = 0;
  /// Processors wait at the safe point and virtual time stands until resume(). Devices finish what they have begun. Any thread.
  virtual void pause() = 0;
  virtual void resume() = 0;
  virtual bool paused() const = 0;
  /// As resume(), but pauses again after one instruction (Core::step()) and says so. Any thread; pause() takes it back.
  virtual void step() = 0;
  /// Why the machine can never go back, in a sentence; empty when it can: its time is counted, and nothing in it is the host's own. Any thread.
  virtual std::string irreversible() const = 0;
  /// Keeps from now on what going back needs, or forgets it. Inside call() only; a machine that cannot go back keeps nothing.
  virtual void keep_history(bool on) = 0;
  /// While paused: becomes what it was before its last instruction, or when it passed the last stop address or watched access, and says so as
  /// after step(). What came behind is forgotten. Any thread; pause() ends it somewhere on the way.
  virtual void go_back(bool to_point) = 0;
  /// Somebody outside changed the machine, or is about to: it cannot go back to before this. Any thread.
  virtual void history_ends() = 0;
  /// Where the machine pauses itself: Core::set_stop_addresses() and set_watches(). Inside call(), or before start().
  virtual void set_points(std::vector<u64> stop_addresses, std::vector<cpu::WatchRange> watches) = 0;
  /// Called on the processor's thread when the machine has paused itself: at a stop address or behind a watched access
  /// (set_points) or after step(). Any thread may set it while the machine is paused.
  virtual void set_debug_observer(std::function<void(const DebugStop&)> observer) = 0;
  /// Called on the processor's thread for every ImageEvent, a service of firmware being under way. To be set before start().
  virtual void set_image_observer(std::function<void(const ImageEvent&)> observer) = 0;
  /// Whether an operating system has taken over from firmware. Any thread.
  virtual bool operating_system_runs() const = 0;
  /// Resets since start(). Any thread.
  virtual u64 resets() const = 0;
  /// Virtual time since start(), pauses excluded. Any thread.
  virtual u64 virtual_ns() const = 0;
  /// For functions that run inside call() only.
  virtual Board& board() = 0;
  virtual cpu::Core& core() = 0;
  virtual firmware::EfiInspection inspect_efi() = 0;
  /// Executes one instruction, watched accesses too. While paused only; not under lockstep.
  virtual cpu::StopReason step_here() = 0;
  /// Virtual time since start() in which the processor waited: halted, or in firmware that waits for a key. Any thread.
  virtual u64 idle_ns() const = 0;
  /// Writes the whole machine to disk and lets it go on. Inside call() only.
  virtual Result<SnapshotManifest> save_snapshot(const SnapshotOptions& options) = 0;
  /// Makes this machine the saved one. Before start(), which then goes on from there, or inside call(). When what was saved does
  /// not fit, nothing has changed; when it fails later, a started machine is reset.
  virtual Result<void> load_snapshot(const std::string& directory, const std::string& name) = 0;
  /// Stops all processors as a power failure would and waits for them. Any thread but a CPU's; idempotent.
  virtual void stop() = 0;
  /// Runs `fn` on the processor's thread at the next point that depends on counts of instructions alone, and so does everything
  /// that is input to a guest whose time is counted. Only with MachineConfig::deterministic(). Any thread; never within this call.
  virtual void at_boundary(std::function<void()> fn) = 0;
  /// Within a function of at_boundary(): going back and on again can do by `again` what it did, or need do nothing. A function that does
  /// not say so ends the history.
  virtual void repeat_by(std::function<void()> again) = 0;
  /// Ends the run with MachineEnd::Finished at the next such point. As at_boundary().
  virtual void finish() = 0;
  /// What virtual time runs by. Functions it calls are input, as those of at_boundary(), only with MachineConfig::deterministic().
  virtual Clock& clock() = 0;
  /// A number for registers and memory (state_hash.h). Inside call(), or after stop().
  virtual std::string state_hash() = 0;
  /// Instructions executed by all processors since power-on.
  virtual u64 slots_retired() const = 0;
  /// Host processor time that went into translating guest code since power-on; 0 under the interpreter. Any thread.
  virtual u64 translating_ns() const = 0;
};

}  // namespace ia64::machine
