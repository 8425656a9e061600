// Processor interrupt block: decodes IPI and MSI stores.
#include "devices/irq/interrupt_block.h"

#include "base/bits.h"
#include "base/log.h"

namespace ia64::devices {

namespace {
constexpr u64 kIpiEnd = 0x10'0000;
constexpr u64 kInta = 0x1e'0000;
constexpr u64 kXtp = 0x1e'0008;
}  // namespace

AccessResult InterruptBlock::read(u64 offset, unsigned size, u64& value) {
  // INTA asks the 8259 for its vector; there is none, so the cycle ends in a master abort.
  if (offset == kInta && size == 1) {
    value = 0xff;
    return AccessResult::Ok;
  }
  return AccessResult::BadSize;
}

AccessResult InterruptBlock::write(u64 offset, unsigned size, u64 value) {
  if (offset >= kIpiEnd) {
    // XTP orders processors for lowest-priority arbitration, which always picks the addressed one here.
    if (offset != kXtp) LOG_ONCE(Unknown, 0xfee0'0000 + offset, "interrupt block: store at +{:#x}", offset);
    return AccessResult::Ok;
  }
  if (size < 4 || (offset & 7)) return AccessResult::BadSize;
  const auto id_eid = static_cast<u16>(field(offset, 4, 16));
  const auto mode = static_cast<unsigned>(field(value, 8, 3));
  LOG(Irq, "message vector {:#x} mode {} to {:#x}", value & 0xff, mode, id_eid);
  if (mode == 3 || mode == 6) return AccessResult::Ok;  // reserved
  bus_.deliver(id_eid, static_cast<DeliveryMode>(mode), static_cast<u8>(value));
  return AccessResult::Ok;
}

void InterruptBlock::inspect(InspectWriter& out) const {
  out.begin(name());
  out.end();
}

}  // namespace ia64::devices
