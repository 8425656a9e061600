// `ivm run`: a machine in front of a console, with scripting, a transcript and an exit status.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "machine/config.h"
#include "machine/host/console_script.h"

namespace ia64::machine {

/// Exit statuses of `ivm run`; a signal N that ends the run gives 128 + N.
enum class ExitStatus : int { Done = 0, Usage = 2, Timeout = 3, GuestStopped = 4, Internal = 5 };

struct RunOptions {
  MachineConfig machine;
  std::string console = "stdio";  ///< stdio, window, none or unix:PATH
  std::string control;            ///< unix:PATH or tcp:127.0.0.1:PORT (docs/control.md); empty for none
  std::string gdb;                ///< where a debugger may connect, as `control` (docs/debugging.md); empty for none
  bool paused = false;            ///< the machine waits, paused, for `continue` on the control socket
  bool held = false;              ///< the machine stands but for the command `go` (docs/icount.md)
  bool gdb_wait = false;          ///< the machine waits, paused, for the debugger's word
  std::string snapshot_dir;       ///< where snapshots are saved and found; empty for nowhere
  std::string restore;            ///< snapshot to start from, which `machine` was made to agree with; empty: power on
  std::vector<std::string> symbols;  ///< files with symbols: FILE, or FILE@EFI-NAME (docs/debugging.md)
  std::string log_path;           ///< transcript of guest output; empty for none
  unsigned timeout_s = 0;         ///< host time; 0 for none
  std::vector<ConsoleScript::Step> steps;
  std::string inspect_path;       ///< the machine's state as JSON goes here at the end, "-": standard output; empty for none
  bool print_state_hash = false;  ///< registers and memory at the end as one number on standard error
  bool print_speed = false;       ///< instructions, seconds and rate on stderr: at each script match and at the end
};

/// Runs a machine until it ends, the script is done, the user quits or time is up. Blocks.
/// @returns the exit status, or an error of configuration (exit status 2)
Result<ExitStatus> run_session(const RunOptions& options);

}  // namespace ia64::machine
