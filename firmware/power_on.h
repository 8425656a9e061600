// One power-on of firmware: everything that is built anew each time the machine starts.
#pragma once

#include <memory>

#include "base/state_archive.h"
#include "firmware/call_gate.h"
#include "firmware/efi/boot_services.h"
#include "firmware/efi/console.h"
#include "firmware/efi/runtime_services.h"
#include "firmware/media/media.h"
#include "firmware/pal/pal.h"
#include "firmware/sal/sal.h"

namespace ia64::firmware {

/// Hands out a range of guest memory from its start; tables are placed once and never freed.
class Bump {
 public:
  explicit Bump(MemoryRange range) : next_(range.base), end_(range.base + range.size_bytes) {}
  /// Running out is our own mistake in the layout and stops the program.
  GuestPhys take(u64 size_bytes, u64 alignment);

 private:
  GuestPhys next_, end_;
};

/// What lives from one power-on to the next. Members are public to firmware itself and its tests.
/// Thread rule: built while no CPU runs, used under the gate's lock.
struct PowerOn {
  PowerOn(const BoardDescription& board, AddressSpace& bus, Clock& clock, FirmwareHost& host,
          const FirmwareOptions& options, VariableStore& variables);
  ~PowerOn() { gate.forget_calls(); }

  const BoardDescription& board;
  FirmwareHost& host;
  const FirmwareOptions& options;
  VariableStore& variables;
  const Layout layout;
  CallGate gate;
  EfiContext efi;
  Bump runtime_data, acpi_reclaim, acpi_nvs;
  // The map must exist before anything takes pool memory.
  struct MapBuilt {
    explicit MapBuilt(PowerOn& p) { p.build_memory_map(); }
  } map_built;
  SystemTable table;
  Images images;
  Watchdog watchdog;
  MonotonicCounter counter;
  RuntimeServices runtime;
  Console console;
  Pal pal;
  Sal sal;
  Media media;
  GuestPhys fpswa = 0;

  /// What lives on after ExitBootServices.
  void visit_state(StateArchive& a) { a(gate, efi, table, runtime, counter, pal, sal); }

 private:
  void build_memory_map();
  void install_tables();
  void install_services();
  void boot(GateCall& call);
  void crashed(GateCall& call, unsigned vector);
  void woken(GateCall& call);
  u32 count_start();
};

}  // namespace ia64::firmware
