// Firmware's view of a processor.
#include "cpu/rse/rse.h"
#include "machine/guest_cpu_adapter.h"
#include "tests/support/bare_machine.h"

using namespace ia64;

TEST_CASE("a call into a guest whose backing store is nowhere loses its frames, not the emulator", "[machine]") {
  test::BareMachine m;
  cpu::Registers& r = m.regs();
  machine::GuestCpuAdapter guest(m.core(), 0);
  r.bspstore = u64{1} << 55;  // no such physical address
  r.cfm = {.sof = 96, .sol = 96};
  guest.push_frame(8);
  CHECK(r.cfm == cpu::Cfm{.sof = 8, .sol = 8});
  CHECK(r.rse_dirty == 0);
  r.set_gr(39, 5);
  CHECK(r.gr(39) == 5);
}
