// Floating-point software assistance: hands enabled exceptions back to the operating system.
#include "firmware/efi/fpswa.h"

#include "base/log.h"

namespace ia64::firmware {
namespace {
constexpr u64 kRaiseFault = 1, kRaiseTrap = 3;
}

GuestPhys install_fpswa(EfiContext& efi, RuntimeServices& runtime, GuestPhys at) {
  const GuestPhys function = efi.gate.add("FPSWA", StubKind::Stacked, [](GateCall& call) {
    const bool fault = call.arg(0) & 1;
    u64 isr = 0;
    (void)call.read_value(call.arg(4), isr);
    LOG(Efi, "FPSWA {} isr {:#x}", fault ? "fault" : "trap", isr);
    call.ret(fault ? kRaiseFault : kRaiseTrap, 0, 0, 0);
  });
  const u64 interface[] = {kFpswaRevision, function};
  efi.bus.write_bytes(at, interface, sizeof interface);
  EfiHandle handle = 0;
  (void)efi.handles.install(handle, guid::kFpswa, at);
  runtime.add_runtime_pointer(at + 8);
  return at;
}

}  // namespace ia64::firmware
