// The way back: checkpoints of a machine whose time is counted, and how it went from each to the next.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>

#include "machine/history/memory_history.h"
#include "machine/history/position.h"
#include "machine/machine.h"
#include "storage/wrappers/undo.h"

namespace ia64::machine {

/// What a machine is at one moment, its memory and disks excepted.
class Moment {
 public:
  virtual ~Moment() = default;
};

/// The machine as its history drives it. Processor's thread, at the safe point.
class Repeatable {
 public:
  virtual ~Repeatable() = default;
  virtual Position position() = 0;
  /// Whether all there is to it can be set aside now: firmware is left and nothing is in flight.
  virtual bool at_rest() = 0;
  virtual std::unique_ptr<Moment> set_aside() = 0;
  /// First and second half of going back; memory and disks are put back between them. @returns an error where it cannot be done, and
  /// the machine is a mixture
  virtual Result<void> let_go(const Moment& moment) = 0;
  virtual Result<void> take_up(const Moment& moment) = 0;
  /// A page of memory has another content than the one it had.
  virtual void page_changed(size_t range, u64 offset) = 0;

  /// Goes on as it always does, so many instructions at most.
  virtual cpu::StopReason run(u64 at_most_slots) = 0;
  /// Executes one instruction or takes one interruption.
  virtual cpu::StopReason run_once() = 0;
  /// The same as a debugger does it: external interrupts wait.
  virtual cpu::StopReason step_held() = 0;
  /// Whether the processor stands at a debugger's breakpoint.
  virtual bool at_stop_address(DebugStop& stop) = 0;
  virtual DebugStop watch_hit() = 0;
  virtual void suspend_watches(bool on) = 0;
  /// Somebody wants the machine elsewhere.
  virtual bool called_off() = 0;
};

/// Going back is: the newest checkpoint before the goal, and from there forward, exactly as it went, which is determined but for single
/// steps; those are written down. Old checkpoints are thinned out, the oldest go when pages and disk blocks take too much memory.
/// Going back forgets what came behind the goal. Processor's thread, at the safe point.
class History {
 public:
  struct Limits {
    u64 interval_slots = 100'000'000;  ///< between checkpoints
    size_t checkpoints = 100;
    u64 bytes = u64{1} << 30;
  };
  /// All outlive this. @param disks  keeps nothing yet
  History(Repeatable& machine, std::span<GuestMemory> ram, storage::UndoJournal& disks, const Limits& limits);
  ~History();

  /// A checkpoint is due: how many instructions from now; 0: as soon as the machine is at rest.
  u64 due_in_slots();
  /// Makes a checkpoint, if the machine is at rest.
  void keep();
  /// The debugger has made a single step, and the machine was at `from` before.
  void stepped(const Position& from);
  /// The machine was changed from outside, so that nothing before can be repeated up to here.
  void forget();
  /// The machine was reset, or became another one: RAM is in other hands again.
  void memory_replaced();
  /// The machine is being driven here.
  bool repeating() const { return repeating_; }

  enum class End : u8 {
    Arrived,      ///< one instruction back, or at a point
    Begin,        ///< nothing before this is kept
    CalledOff,    ///< somewhere between
    Failed,       ///< error() says why; the machine cannot be relied upon
  };
  struct Arrival {
    End end = End::Begin;
    DebugStop stop{.why = DebugStop::Why::HistoryBegin};
  };
  /// To where the processor was before the last instruction, or interruption.
  Arrival back_one();
  /// To the last stop address passed, or to before the last watched access.
  Arrival back_to_point();
  const std::string& error() const { return error_; }

 private:
  struct Checkpoint {
    Position at;
    std::unique_ptr<Moment> moment;
    EarlierPages pages;                    ///< what was here of those written up to the next one; open in the last checkpoint
    storage::UndoJournal::Entries blocks;  ///< the same of disks
    u64 bytes() const;
  };
  struct Steps {
    Position from, to;
    u64 count = 0;
  };
  struct Hit {
    Position at;
    DebugStop stop;
  };
  enum class Way : u8 { There, CalledOff, Failed };

  size_t before(const Position& goal) const;
  bool fail(std::string why);
  bool return_to(size_t checkpoint);
  Way repeat(const Position& goal, bool exact, std::optional<Hit>* last_hit);
  Way approach(const Position& goal);
  void repeat_piece(u64 goal_slots, bool once, std::optional<Hit>* last_hit);
  Arrival arrive(Way way, const DebugStop& stop);
  void limit();
  void merge(size_t checkpoint);

  Repeatable& machine_;
  const std::span<GuestMemory> ram_;
  storage::UndoJournal& disks_;
  const Limits limits_;
  std::unique_ptr<MemoryHistory> memory_;
  std::deque<Checkpoint> checkpoints_;
  std::deque<Steps> steps_;
  size_t next_steps_ = 0;   ///< while repeating: the entry that comes next, and
  u64 steps_done_ = 0;      ///< how much of it is done
  u64 bytes_ = 0;           ///< of all checkpoints but the last
  bool repeating_ = false;
  std::string error_;
};

}  // namespace ia64::machine
