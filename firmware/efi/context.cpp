// Functions and structures that EFI code places in guest memory.
#include "firmware/efi/context.h"

#include "base/log.h"

namespace ia64::firmware {

EfiContext::EfiContext(const BoardDescription& board, AddressSpace& bus, Clock& clock, FirmwareHost& host,
                       ServiceTable& gate)
    : board(board), bus(bus), clock(clock), host(host), gate(gate), pool(memory), events(clock) {
  handles.on_install([this](u64 event) { (void)events.signal(event); });
}

GuestPhys EfiContext::add(std::string_view name, EfiFunction fn, bool runtime) {
  if (const auto it = functions_.find(name); it != functions_.end()) return it->second;
  auto service = [this, runtime, label = std::string(name), fn = std::move(fn)](GateCall& call) {
    if (!runtime && !boot_services) {
      LOG(Efi, "{} called after ExitBootServices", label);
      return call.ret(efi::kUnsupported);
    }
    if (!runtime) events.check_timers();
    const EfiStatus status = fn(call);
    LOG(Efi, "{}({:#x}, {:#x}, {:#x}, {:#x}) = {}", label, call.arg(0), call.arg(1), call.arg(2), call.arg(3),
        status_name(status));
    if (!runtime && boot_services) events.dispatch(call);
    call.ret(status);
  };
  const GuestPhys descriptor = gate.add(std::string(name), StubKind::Stacked, std::move(service));
  functions_.emplace(name, descriptor);
  return descriptor;
}

GuestPhys EfiContext::function(std::string_view name, EfiFunction fn) {
  return add(name, std::move(fn), false);
}
GuestPhys EfiContext::runtime_function(std::string_view name, EfiFunction fn) {
  return add(name, std::move(fn), true);
}

GuestPhys EfiContext::place(std::span<const u8> bytes, MemoryType type) {
  GuestPhys at = 0;
  if (efi_error(pool.allocate(type, bytes.size(), at))) return 0;
  bus.write_bytes(at, bytes.data(), bytes.size());
  return at;
}

void EfiContext::run_exit_hooks() {
  for (auto it = exit_hooks_.rbegin(); it != exit_hooks_.rend(); ++it) (*it)();
  exit_hooks_.clear();
}

void EfiContext::visit_state(StateArchive& a) {
  a(memory, events);
  if (!a.loading()) return;
  exit_hooks_.clear();
  boot_services = false;
}

ProtocolBuilder& ProtocolBuilder::raw(const void* p, size_t size) {
  bytes_.resize(align_up(bytes_.size(), size));
  const auto* from = static_cast<const u8*>(p);
  bytes_.insert(bytes_.end(), from, from + size);
  return *this;
}

GuestPhys ProtocolBuilder::build() {
  bytes_.resize(align_up(bytes_.size(), 8));
  return efi_.place(bytes_, type_);
}

}  // namespace ia64::firmware
