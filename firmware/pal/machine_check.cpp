// PAL machine check and PMI procedures. This machine never raises a machine check, so there is never anything
// logged.
// @source SDM vol. 2, 11.3, 11.10.3
#include "firmware/pal/pal.h"

namespace ia64::firmware::pal {

PalResult mc_clear_log(Call& call) {
  if (call.a1 || call.a2 || call.a3) return kInvalid;
  return {0, 0};  // no machine check or INIT pending
}

PalResult mc_drain(Call& call) {
  return call.a1 || call.a2 || call.a3 ? kInvalid : PalResult{};
}

PalResult mc_expected(Call& call) {
  if (call.a1 > 1 || call.a2 || call.a3) return kInvalid;
  const bool before = call.processor().mc_expected;
  call.processor().mc_expected = call.a1 != 0;
  return {0, before};
}

PalResult mc_dynamic_state(Call&) {
  return {0, 0, 0};
}

PalResult mc_error_info(Call& call) {
  if (call.a1 > 4) return kInvalid;
  return {pal_status::kNoInformation};
}

PalResult mc_resume(Call&) {
  // Only valid while handling a machine check or INIT, and none is in progress.
  return {pal_status::kError};
}

PalResult mc_register_mem(Call& call) {
  constexpr u64 kAlignment = 512, kUncacheable = bit(63);
  const GuestPhys area = call.a1 & ~kUncacheable;
  if (area % kAlignment || !call.pal.bus().is_ram(area)) return kInvalid;
  call.processor().min_state_area = call.a1;
  constexpr u64 kRequiredBytes = 0x400;
  return {0, kRequiredBytes};
}

PalResult pmi_entrypoint(Call& call) {
  if (call.a2 || call.a3 || (call.a1 & 0xff)) return kInvalid;
  call.processor().pmi_entry = call.a1;
  return {};
}

}  // namespace ia64::firmware::pal
