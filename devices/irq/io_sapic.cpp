// I/O SAPIC: select/window registers, level and edge delivery, EOI.
#include "devices/irq/io_sapic.h"

#include "base/invariant.h"
#include "base/log.h"
#include "devices/irq/io_sapic_regs.h"

namespace ia64::devices {

using namespace io_sapic;

class IoSapic::Line final : public IrqLine {
 public:
  Line(IoSapic& owner, unsigned n) : owner_(owner), n_(n) {}
  void set(bool asserted) override { owner_.set_line(n_, asserted); }

 private:
  IoSapic& owner_;
  const unsigned n_;
};

IoSapic::IoSapic(InterruptBus& bus, u8 id, unsigned pins) : bus_(bus), id_(id), asserted_(pins, false) {
  INVARIANT(pins >= 1 && pins <= 116);
  for (unsigned n = 0; n < pins; n++) lines_.push_back(std::make_unique<Line>(*this, n));
  state_ = power_on_state();
}

IoSapic::~IoSapic() = default;

IrqLine& IoSapic::pin(unsigned n) {
  INVARIANT(n < lines_.size());
  return *lines_[n];
}

IoSapic::State IoSapic::power_on_state() const {
  State s;
  s.rtes.assign(lines_.size(), Rte{kRteMask, 0});
  return s;
}

void IoSapic::reset() {
  std::lock_guard lock(mutex_);
  state_ = power_on_state();
}

void IoSapic::visit_state(StateArchive& a) {
  std::lock_guard lock(mutex_);
  a(state_);
  for (unsigned n = 0; n < pins(); n++) a.value(static_cast<bool>(asserted_[n]), [&](bool level) { asserted_[n] = level; });
}

bool IoSapic::active(unsigned n) const {
  const bool wire_high = !asserted_[n];
  return (state_.rtes[n].low & kRteActiveLow) ? !wire_high : wire_high;
}

// Only Fixed and LowestPriority wait for an EOI; the others are edges whatever the trigger bit says.
bool IoSapic::level_triggered(unsigned n) const {
  const u32 low = state_.rtes[n].low;
  return (low & kRteLevel) && ((low >> kRteModeShift) & 7) <= 1;
}

void IoSapic::send(unsigned n) {
  const Rte& rte = state_.rtes[n];
  const unsigned mode = (rte.low >> kRteModeShift) & 7;
  LOG(Irq, "io-sapic pin {} vector {:#x} mode {} to {:#x}", n, rte.low & kRteVectorMask, mode,
      rte.high >> 16);
  if (mode == 3 || mode == 6) return;  // reserved: nothing is sent
  // id is in bits 31:24 of the high word and eid in 23:16, the order InterruptBus wants.
  bus_.deliver(static_cast<u16>(rte.high >> 16), static_cast<DeliveryMode>(mode),
               static_cast<u8>(rte.low & kRteVectorMask));
}

void IoSapic::deliver_if_level(unsigned n) {
  u32& low = state_.rtes[n].low;
  if (!level_triggered(n) || (low & (kRteMask | kRteRemoteIrr)) || !active(n)) return;
  low |= kRteRemoteIrr;
  send(n);
}

void IoSapic::set_line(unsigned n, bool asserted) {
  std::lock_guard lock(mutex_);
  if (asserted_[n] == asserted) return;
  const bool was_active = active(n);
  asserted_[n] = asserted;
  if (level_triggered(n)) return deliver_if_level(n);
  // An edge while masked is lost.
  if (!was_active && active(n) && !(state_.rtes[n].low & kRteMask)) send(n);
}

u32 IoSapic::read_window() const {
  const unsigned index = state_.select;
  if (index == kIndexId) return u32{id_} << 24;
  if (index == kIndexVersion) return ((pins() - 1) << 16) | kVersion;
  const unsigned n = (index - kIndexRte0) / 2;
  if (index < kIndexRte0 || n >= pins()) return 0;
  return (index & 1) ? state_.rtes[n].high : state_.rtes[n].low;
}

void IoSapic::write_rte_low(unsigned n, u32 value) {
  u32& low = state_.rtes[n].low;
  low = (value & kRteLowWritable) | (low & kRteRemoteIrr);
  if (!level_triggered(n)) low &= ~kRteRemoteIrr;  // nobody will send an EOI for it
  deliver_if_level(n);
}

void IoSapic::write_window(u32 value) {
  const unsigned index = state_.select;
  const unsigned n = (index - kIndexRte0) / 2;
  if (index < kIndexRte0 || n >= pins()) return;
  if (index & 1)
    state_.rtes[n].high = value & kRteHighWritable;
  else
    write_rte_low(n, value);
}

// Pins may share a vector, so every entry that carries it is released.
void IoSapic::end_of_interrupt(u8 vector) {
  for (unsigned n = 0; n < pins(); n++) {
    u32& low = state_.rtes[n].low;
    if ((low & kRteVectorMask) != vector || !(low & kRteRemoteIrr)) continue;
    low &= ~kRteRemoteIrr;
    deliver_if_level(n);
  }
}

AccessResult IoSapic::read(u64 offset, unsigned size, u64& value) {
  if (size < 4) return AccessResult::BadSize;
  std::lock_guard lock(mutex_);
  value = 0;
  if (offset == kSelect) value = state_.select;
  if (offset == kWindow) value = read_window();
  return AccessResult::Ok;
}

AccessResult IoSapic::write(u64 offset, unsigned size, u64 value) {
  if (size < 4) return AccessResult::BadSize;
  std::lock_guard lock(mutex_);
  switch (offset) {
    case kSelect: state_.select = static_cast<u8>(value); break;
    case kWindow: write_window(static_cast<u32>(value)); break;
    case kEoi: end_of_interrupt(static_cast<u8>(value)); break;
    default: LOG_ONCE(Unknown, 0x105a'0000 | offset, "io-sapic: write to unknown register {:#x}", offset);
  }
  return AccessResult::Ok;
}

void IoSapic::inspect(InspectWriter& out) const {
  std::lock_guard lock(mutex_);
  out.begin(name());
  out.value("select", state_.select);
  for (unsigned n = 0; n < pins(); n++) {
    out.begin(fmt::format("pin{}", n));
    out.value("low", state_.rtes[n].low);
    out.value("high", state_.rtes[n].high);
    out.value("asserted", asserted_[n]);
    out.end();
  }
  out.end();
}

}  // namespace ia64::devices
