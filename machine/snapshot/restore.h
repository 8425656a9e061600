// The configuration of a machine that is to become a saved one.
#pragma once

#include "machine/config.h"
#include "machine/snapshot/directory.h"

namespace ia64::machine {

/// What the user has said about the machine; all else is as it was saved.
struct GivenOptions {
  bool machine = false, name = false, memory = false, processors = false, kernel = false, storage = false;
};

/// Completes `config` for Machine::load_snapshot() of a snapshot. Whether what was given agrees with what was saved is looked at
/// there.
Result<void> configure_for_restore(const SnapshotDirectory& directory, const std::string& name, const GivenOptions& given, MachineConfig& config);

}  // namespace ia64::machine
