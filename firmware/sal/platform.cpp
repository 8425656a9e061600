// SAL platform procedures: caches, clocks, identification, PAL update. @source SAL 3.2, 9.6-9.12
#include "firmware/sal/sal.h"

namespace ia64::firmware::sal {

SalResult register_physical_addr(Call& call) {
  return call.a[0] == 0 ? SalResult{} : kInvalid;
}

SalResult cache_flush(Call& call) {
  if (call.a[0] < 1 || call.a[0] > 4) return kInvalid;
  call.gate.cpu().flush_code();
  return {};
}

SalResult cache_init(Call&) {
  return {};
}

SalResult freq_base(Call& call) {
  constexpr u64 kPlatform = 0, kRealTimeClock = 2, kDriftPpm = 100;
  if (call.a[0] > kRealTimeClock) return kInvalid;
  if (call.a[0] != kPlatform) return {0, 0, ~u64{0}};  // derived from the platform clock, or none
  return {0, call.sal.board().base_hz, kDriftPpm};
}

SalResult physical_id_info(Call& call) {
  return {0, field(call.gate.cpu().regs().lid, 24, 8)};
}

SalResult update_pal(Call&) {
  constexpr i64 kNoUpdateSupport = -10;
  return {sal_status::kError, static_cast<u64>(kNoUpdateSupport)};
}

}  // namespace ia64::firmware::sal
