// PAL: the processor abstraction layer of a Montecito-class processor with one core and one thread per
// package.
#pragma once

#include <vector>

#include "base/state_archive.h"
#include "cpu/arch/model.h"
#include "firmware/board_description.h"
#include "firmware/gate.h"

namespace ia64::firmware {

/// What one procedure returns in r8..r11.
struct PalResult {
  i64 status = 0;
  u64 v0 = 0, v1 = 0, v2 = 0;
};

/// Status values. @source SDM vol. 2, 11.10.2.3
namespace pal_status {
inline constexpr i64 kSuccess = 0, kNotImplemented = -1, kInvalidArgument = -2, kError = -3,
                     kNoInformation = -6, kBeyondMaximumSet = -8;
}

/// PAL_PROC of all processors. Thread rule: as every service, under the firmware's lock.
class Pal {
 public:
  /// Values software may change, per processor.
  struct Processor {
    u64 features[3] = {};  ///< status of feature sets 0, 16, 17 (in that order)
    u64 bus_features = 0;
    u64 min_state_area = 0;  ///< MC_REGISTER_MEM; 0 while none
    u64 pmi_entry = 0;
    bool mc_expected = false;
    void visit_state(StateArchive& a) { a(features, bus_features, min_state_area, pmi_entry, mc_expected); }
  };

  Pal(const BoardDescription& board, AddressSpace& bus, const cpu::CpuModel& model = cpu::kMontecito);

  /// Adds PAL_PROC to the gate. @returns its function descriptor
  GuestPhys install(ServiceTable& gate);

  /// One call: dispatches on r28 and returns what goes to r8..r11. Unknown indices give -1 and are logged
  /// once.
  PalResult call(GateCall& gate_call);
  /// PAL_HALT_LIGHT, which an idle operating system calls at every tick. @returns false, having done nothing, for any other procedure
  static bool call_quickly(GuestCpu& cpu);

  const BoardDescription& board() const { return board_; }
  const cpu::CpuModel& model() const { return model_; }
  AddressSpace& bus() { return bus_; }
  /// First bundle of PAL_PROC; 0 before install().
  GuestPhys entry() const { return entry_; }
  Processor& processor(unsigned index);
  void visit_state(StateArchive& a) { a.fixed(processors_, "the number of processors"); }

 private:
  BoardDescription board_;
  AddressSpace& bus_;
  cpu::CpuModel model_;
  std::vector<Processor> processors_;
  GuestPhys entry_ = 0;
};

namespace pal {

/// One call's view: the three arguments already fetched by calling convention.
struct Call {
  Pal& pal;
  GateCall& gate;
  u64 a1 = 0, a2 = 0, a3 = 0;

  GuestCpu& cpu() const { return gate.cpu(); }
  Pal::Processor& processor() const { return pal.processor(gate.cpu().index()); }
};

#define PAL_PROC(index, name, handler) PalResult handler(Call& call);
#include "firmware/pal/procs.inc"
#undef PAL_PROC

inline constexpr PalResult kInvalid{pal_status::kInvalidArgument};
/// PAL_HALT_LIGHT, which takes no arguments.
PalResult halt_light(GuestCpu& cpu, u64 a1, u64 a2, u64 a3);

}  // namespace pal

}  // namespace ia64::firmware
