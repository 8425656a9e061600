// Snapshots of a whole machine: docs/snapshots.md is their description.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "machine/snapshot/directory.h"
#include "machine/snapshot/state_sections.h"

namespace ia64::cpu {
class Core;
}
namespace ia64::firmware {
class Firmware;
}

namespace ia64::machine {

class Board;
class CountedRun;
class SettableClock;

struct SnapshotOptions {
  std::string directory, name;
  bool replace = false;         ///< an older snapshot of that name goes
  bool external_disks = false;  ///< the user keeps what writable disks hold now; else they are refused
  MemoryProgress progress = {};  ///< on the thread that saves
};

/// The parts of a machine that have state. Its processors stand between two instructions.
struct MachineParts {
  const MachineConfig& config;
  Board& board;
  cpu::Core& core;
  firmware::Firmware& firmware;
  SettableClock& clock;
  CountedRun* counted = nullptr;  ///< where time is counted
  bool started = false;  ///< it has run already: its disks hold something else
  std::function<void(StateArchive&)> visit_machine;  ///< what the machine itself keeps
};

/// Waits until nothing is in flight, with virtual time at a standstill, and writes everything. The machine can go on afterwards.
/// @returns Unsupported with the reason where the state cannot be saved, host errors as they are; nothing is left behind then
Result<SnapshotManifest> save_snapshot(const MachineParts& parts, const SnapshotOptions& options);

/// A snapshot whose files are there and undamaged.
class OpenSnapshot {
 public:
  static Result<std::unique_ptr<OpenSnapshot>> open(const std::string& directory, const std::string& name);
  const SnapshotManifest& manifest() const { return manifest_; }

  /// Whether a machine has the configuration that was saved. @returns Unsupported naming the first difference
  Result<void> check(const MachineParts& parts) const;
  /// Replaces the whole state of a machine that has just been powered on. Virtual time stands afterwards, at the saved value.
  /// After a failure the machine is a mixture and has to be reset.
  Result<void> load(const MachineParts& parts);

 private:
  OpenSnapshot(SnapshotDirectory directory, SnapshotManifest manifest, StateSections state)
      : directory_(std::move(directory)), manifest_(std::move(manifest)), state_(std::move(state)) {}
  Result<void> load_memory(const MachineParts& parts) const;

  const SnapshotDirectory directory_;
  const SnapshotManifest manifest_;
  StateSections state_;
};

}  // namespace ia64::machine
