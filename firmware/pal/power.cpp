// PAL power procedures: halt states. @source SDM vol. 2, 11.6.1, 11.10.3
#include "firmware/pal/pal.h"

namespace ia64::firmware::pal {

namespace {
constexpr u64 power_state(u64 exit_cycles, u64 entry_cycles, u64 milliwatts) {
  return exit_cycles | entry_cycles << 16 | milliwatts << 32 | bit(60) /* implemented */ |
         bit(61) /* coherent */;
}
constexpr u64 kStates[8] = {power_state(8700, 9000, 35000), 0, power_state(8700, 14000, 35000)};
}  // namespace

PalResult halt_info(Call& call) {
  if (call.a2 || call.a3) return kInvalid;
  return call.gate.write(call.a1, kStates, sizeof kStates) ? PalResult{} : kInvalid;
}

PalResult halt_light(GuestCpu& cpu, u64 a1, u64 a2, u64 a3) {
  if (a1 || a2 || a3) return kInvalid;
  cpu.halt();
  return {};
}

PalResult halt_light(Call& call) { return halt_light(call.cpu(), call.a1, call.a2, call.a3); }

PalResult halt(Call& call) {
  if (call.a1 >= std::size(kStates) || !kStates[call.a1] || call.a3) return kInvalid;
  if (call.a2) return {pal_status::kNotImplemented};  // no platform I/O transaction on entry
  call.cpu().halt();
  return {};
}

}  // namespace ia64::firmware::pal
