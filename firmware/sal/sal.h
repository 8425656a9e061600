// SAL: the system abstraction layer of the board.
#pragma once

#include <array>

#include "base/address_space.h"
#include "base/state_archive.h"
#include "firmware/board_description.h"
#include "firmware/gate.h"

namespace ia64::firmware {

/// What one SAL procedure returns in r8..r11.
struct SalResult {
  i64 status = 0;
  u64 v0 = 0, v1 = 0, v2 = 0;
};

/// Status values. @source SAL 3.2, table 9-2
namespace sal_status {
inline constexpr i64 kSuccess = 0, kNotImplemented = -1, kInvalidArgument = -2, kError = -3,
                     kNoInformation = -5;
}

/// An entry point the OS registered: physical address, its gp, and the length/checksum word as given. entry
/// 0: none.
struct SalOsEntry {
  u64 entry = 0, gp = 0, length_checksum = 0;
  void visit_state(StateArchive& a) { a(entry, gp, length_checksum); }
};

/// Parameters of MC_SET_PARAMS as the OS set them.
struct SalMcParameter {
  bool set = false;
  u64 mechanism = 0;  ///< 1 interrupt, 2 memory semaphore
  u64 value = 0;      ///< vector or address
  u64 timeout_ms = 0;
  void visit_state(StateArchive& a) { a(set, mechanism, value, timeout_ms); }
};

/// SAL_PROC and what the OS registered through it. Works in physical and virtual mode: no guest pointer is
/// kept but those the OS declared physical. Thread rule: as every service, under the firmware's lock.
class Sal {
 public:
  /// Types of SET_VECTORS. @source SAL 3.2, 9.3
  enum Vector : u8 { kMca = 0, kInitMonarch = 1, kBootRendezvous = 2, kInitSlave = 3, kVectorCount = 4 };

  Sal(const BoardDescription& board, AddressSpace& bus) : board_(board), bus_(bus) {}

  /// Adds SAL_PROC to the gate. @returns its function descriptor
  GuestPhys install(ServiceTable& gate);

  /// One call: index in arg 0, results go to r8..r11. Unknown indices give -1 and are logged once.
  SalResult call(GateCall& gate_call);

  /// Where a woken secondary processor, an INIT or a machine check goes; entry 0 when the OS registered
  /// nothing.
  const SalOsEntry& os_entry(Vector v) const { return vectors_[v]; }
  SalOsEntry& os_entry(Vector v) { return vectors_[v]; }
  std::array<SalMcParameter, 4>& mc_parameters() { return mc_parameters_; }
  const BoardDescription& board() const { return board_; }
  AddressSpace& bus() { return bus_; }
  void visit_state(StateArchive& a) { a(vectors_, mc_parameters_); }

 private:
  BoardDescription board_;
  AddressSpace& bus_;
  std::array<SalOsEntry, kVectorCount> vectors_{};
  std::array<SalMcParameter, 4> mc_parameters_{};
};

namespace sal {

/// One call's view; a[0] is the first argument after the index.
struct Call {
  Sal& sal;
  GateCall& gate;
  u64 a[7] = {};
};

#define SAL_PROC(index, name, handler) SalResult handler(Call& call);
#include "firmware/sal/procs.inc"
#undef SAL_PROC

inline constexpr SalResult kInvalid{sal_status::kInvalidArgument};

}  // namespace sal

}  // namespace ia64::firmware
