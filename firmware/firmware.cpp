// The public face of firmware: variables that outlive a power-on, entry states of the processors.
#include "firmware/firmware.h"

#include "base/invariant.h"
#include "base/state_archive.h"
#include "firmware/entry_state.h"
#include "firmware/firmware_impl.h"

namespace ia64::firmware {

Firmware::Firmware(BoardDescription board, AddressSpace& bus, Clock& clock, FirmwareHost& host,
                   FirmwareOptions options)
    : impl_(std::make_unique<Impl>(std::move(board), bus, clock, host, std::move(options))) {
  impl_->load_variables();
}

Firmware::~Firmware() = default;

void Firmware::power_on(GuestCpu& boot) {
  auto& i = *impl_;
  i.power_on.reset();
  i.variables.forget_volatile();
  i.power_on = std::make_unique<PowerOn>(i.board, i.bus, i.clock, i.host, i.options, i.variables);
  const PowerOn& p = *i.power_on;
  set_entry_state(boot, i.board,
                  {.ip = p.gate.core_address(core_stub::kBoot),
                   .gp = p.gate.global_pointer(),
                   .stack_top = p.layout.stack_top(),
                   .backing_store = p.layout.backing_store(),
                   .vectors = p.layout.vectors()});
}

void Firmware::park(GuestCpu& cpu) {
  INVARIANT(impl_->power_on);
  const PowerOn& p = *impl_->power_on;
  set_entry_state(cpu, impl_->board,
                  {.ip = p.gate.core_address(core_stub::kApWait),
                   .gp = p.gate.global_pointer(),
                   // Secondary processors never use more than a frame here; the OS brings its own store.
                   .stack_top = 0,
                   .backing_store = p.layout.runtime_data.base + p.layout.runtime_data.size_bytes -
                                    u64{cpu.index() + 1} * 1024,
                   .vectors = p.layout.vectors()});
  cpu.regs().psr &= ~cpu::psr::kI;
}

GateResult Firmware::on_break(GuestCpu& cpu, u64 imm) {
  return impl_->power_on ? impl_->power_on->gate.on_break(cpu, imm) : GateResult{};
}

GateRange Firmware::gate_range() const {
  const Layout l = Layout::of(impl_->board);
  return {gate_imm::kFirst, gate_imm::kLast, l.runtime_code, l.pal};
}

std::string Firmware::busy() const {
  if (!impl_->power_on || impl_->power_on->efi.boot_services) return "the guest is in firmware: no operating system has taken over";
  const PowerOn& p = *impl_->power_on;
  if (p.gate.busy()) return "the guest is in firmware: a service calls back into the guest";
  if (p.images.has_runtime_driver() && !p.runtime.virtual_mode())
    return "the guest has a runtime driver of EFI and has not yet said where it lies in virtual memory";
  return "";
}

void Firmware::visit_state(StateArchive& a) {
  INVARIANT(impl_->power_on);
  a(*impl_->power_on, impl_->variables);
}

void Firmware::set_direct_boot(DirectBoot kernel) { impl_->options.direct_boot = std::move(kernel); }

}  // namespace ia64::firmware
