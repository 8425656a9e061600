// SAL machine check and INIT procedures: registration is kept, and there is never anything logged. @source
// SAL 3.2, 9.3-9.5
#include "firmware/sal/sal.h"

namespace ia64::firmware::sal {

namespace {
constexpr u64 kStateTypes = 4;           // MCA, INIT, CMC, CPE
constexpr u64 kStateBufferBytes = 8192;  // what the OS should allocate per record

bool entry_valid(u64 entry) {
  return entry % 16 == 0;
}
}  // namespace

SalResult set_vectors(Call& call) {
  const u64 type = call.a[0];
  if (type > Sal::kBootRendezvous || !entry_valid(call.a[1])) return kInvalid;
  if (type == Sal::kInitMonarch) {
    if (!entry_valid(call.a[4])) return kInvalid;
    call.sal.os_entry(Sal::kInitSlave) = {call.a[4], call.a[5], call.a[6]};
  }
  call.sal.os_entry(static_cast<Sal::Vector>(type)) = {call.a[1], call.a[2], call.a[3]};
  return {};
}

SalResult get_state_info(Call& call) {
  return call.a[0] < kStateTypes ? SalResult{sal_status::kNoInformation} : kInvalid;
}

SalResult get_state_info_size(Call& call) {
  return call.a[0] < kStateTypes ? SalResult{0, kStateBufferBytes} : kInvalid;
}

SalResult clear_state_info(Call& call) {
  return call.a[0] < kStateTypes ? SalResult{} : kInvalid;
}

SalResult mc_rendez(Call&) {
  // Without machine checks no monarch collects processors: the caller is released at once.
  return {};
}

SalResult mc_set_params(Call& call) {
  constexpr u64 kRendezvousInterrupt = 1, kCpe = 3, kInterrupt = 1, kMemory = 2;
  const u64 type = call.a[0], mechanism = call.a[1];
  if (type < kRendezvousInterrupt || type > kCpe) return kInvalid;
  if (mechanism != kInterrupt && mechanism != kMemory) return kInvalid;
  call.sal.mc_parameters()[type] = {true, mechanism, call.a[2], call.a[3]};
  return {};
}

}  // namespace ia64::firmware::sal
