// The processor interrupt block: stores into it become messages on the processor interrupt bus.
#pragma once

#include "base/address_space.h"
#include "base/interrupt_bus.h"
#include "devices/device.h"

namespace ia64::devices {

/// The 2 MiB window at 0xFEE0_0000. The lower half holds one 16-byte slot per destination: an 8-byte store is
/// an inter-processor interrupt, a 4-byte store a message-signalled one of a device. The upper half holds
/// INTA and XTP. Lowest-priority redirection (address bit 3) goes to the addressed processor. Stateless, so
/// it needs no lock.
/// @source SDM vol. 2, 5.8.4 (Processor Interrupt Block); platform reference 3.1
class InterruptBlock final : public Device, public MmioRegion {
 public:
  static constexpr u64 kSizeBytes = 0x20'0000;

  explicit InterruptBlock(InterruptBus& bus) : bus_(bus) {}

  AccessResult read(u64 offset, unsigned size, u64& value) override;
  AccessResult write(u64 offset, unsigned size, u64 value) override;
  const char* name() const override { return "interrupt-block"; }
  void reset() override {}
  void visit_state(StateArchive&) override {}
  void inspect(InspectWriter& out) const override;

 private:
  InterruptBus& bus_;
};

}  // namespace ia64::devices
