// What a user asks a machine to be. Every default is here.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/int_types.h"
#include "machine/engine_config.h"
#include "machine/resource_statement.h"

namespace ia64::machine {

struct KernelBoot {
  std::string kernel_path;  ///< empty: boot from disk through the boot manager
  std::string initrd_path;
  std::string arguments;
};

struct MachineConfig {
  std::string machine = "hpvm";             ///< board name; a bare name means its newest version
  std::string name = "guest";
  u64 memory_bytes = u64{1} << 30;
  unsigned cpus = 1;
  EngineConfig engine;
  std::vector<ResourceStatement> storage;   ///< with addresses allocated
  std::string nvram_path;                   ///< empty: variables last as long as the process
  int boot_timeout_s = -1;                  ///< -1: the guest's own Timeout variable (10 s when new)
  KernelBoot kernel;
  bool restored = false;                    ///< a snapshot will be loaded before the start: the kernel is not read now
  bool icount = false;                      ///< deterministic: see deterministic()
  bool idle_slack = true;                   ///< ticks of a guest that only ticks may be late (docs/idle.md)
  std::optional<i64> start_s;               ///< what the guest's clock shows at power-on, seconds since 1970 UTC

  /// Time is counted in instructions, and nothing else of the host reaches the guest (docs/icount.md).
  bool deterministic() const { return icount || engine.engine == Engine::Lockstep; }
};

}  // namespace ia64::machine
