// Configuration space: header, BAR sizing, capability chain.
#include "devices/pci/config_space.h"

#include "base/bits.h"
#include "base/invariant.h"

namespace ia64::devices::pci {

ConfigSpace::ConfigSpace(const Identity& id) {
  set(kVendorId, 2, id.vendor_id);
  set(kDeviceId, 2, id.device_id);
  set(kRevision, 1, id.revision);
  set(kClass, 1, id.class_code & 0xff);
  set(kClass + 1, 2, id.class_code >> 8);
  set(kSubsystemVendor, 2, id.subsystem_vendor);
  set(kSubsystemId, 2, id.subsystem_id);
  set(kInterruptPin, 1, id.interrupt_pin);
  set_mask(
      kCommand, 2,
      kCommandIo | kCommandMemory | kCommandMaster | kCommandParity | kCommandSerr | kCommandIntxDisable);
  set_mask(kCacheLine, 2, 0xffff);  // cache line size and latency timer
  set_mask(kInterruptLine, 1, 0xff);
  bytes_ = initial_;
}

void ConfigSpace::set(unsigned reg, unsigned size, u32 value) {
  for (unsigned i = 0; i < size; i++) initial_[reg + i] = static_cast<u8>(value >> (8 * i));
}

void ConfigSpace::set_mask(unsigned reg, unsigned size, u32 mask) {
  for (unsigned i = 0; i < size; i++) writable_[reg + i] = static_cast<u8>(mask >> (8 * i));
}

void ConfigSpace::add_bar(unsigned n, BarKind kind, u64 size_bytes) {
  INVARIANT(n < 6 && size_bytes >= 4 && (size_bytes & (size_bytes - 1)) == 0);
  bars_[n] = {kind, size_bytes};
  const unsigned reg = kBar0 + 4 * n;
  const u64 mask = ~(size_bytes - 1);
  set_mask(reg, 4, static_cast<u32>(mask));
  if (kind == BarKind::Io) set(reg, 4, 1);
  if (kind == BarKind::Memory64) {
    INVARIANT(n < 5);
    set(reg, 4, 4);
    set_mask(reg + 4, 4, static_cast<u32>(mask >> 32));
  }
  bytes_ = initial_;
}

unsigned ConfigSpace::add_capability(u8 id, std::span<const u8> body, std::span<const u8> writable) {
  const unsigned at = next_capability_;
  INVARIANT(at + 2 + body.size() <= kConfigSize);
  initial_[at] = id;
  initial_[last_capability_ + 1] = static_cast<u8>(at);
  for (size_t i = 0; i < body.size(); i++) initial_[at + 2 + i] = body[i];
  for (size_t i = 0; i < writable.size(); i++) writable_[at + 2 + i] = writable[i];
  set(kStatus, 2, kStatusCapabilities);
  last_capability_ = at;
  next_capability_ = static_cast<unsigned>(align_up(at + 2 + body.size(), 4));
  bytes_ = initial_;
  return at;
}

u32 ConfigSpace::read(unsigned reg, unsigned size) const {
  u32 v = 0;
  for (unsigned i = 0; i < size; i++) v |= u32{bytes_[reg + i]} << (8 * i);
  return v;
}

void ConfigSpace::write(unsigned reg, unsigned size, u32 value) {
  for (unsigned i = 0; i < size; i++) {
    const u8 mask = writable_[reg + i];
    const u8 v = static_cast<u8>(value >> (8 * i));
    bytes_[reg + i] = static_cast<u8>((bytes_[reg + i] & ~mask) | (v & mask));
  }
}

void ConfigSpace::set16(unsigned reg, u16 value) {
  bytes_[reg] = static_cast<u8>(value);
  bytes_[reg + 1] = static_cast<u8>(value >> 8);
}

void ConfigSpace::visit_state(StateArchive& a) {
  auto bytes = bytes_;
  a(bytes);
  for (unsigned reg = 0; reg < kConfigSize; reg++)
    if (reg / 2 != kStatus / 2)  // which the device itself changes
      a.require(((bytes[reg] ^ initial_[reg]) & ~writable_[reg]) == 0, "a read-only configuration register");
  if (a.ok()) bytes_ = bytes;
}

u64 ConfigSpace::decoded_base(unsigned n) const {
  const unsigned reg = kBar0 + 4 * n;
  switch (bars_[n].kind) {
    case BarKind::None: return kNotDecoded;
    case BarKind::Io: return command() & kCommandIo ? read(reg, 4) & ~u64{3} : kNotDecoded;
    case BarKind::Memory32: return command() & kCommandMemory ? read(reg, 4) & ~u64{15} : kNotDecoded;
    case BarKind::Memory64:
      if (!(command() & kCommandMemory)) return kNotDecoded;
      return (read(reg, 4) & ~u64{15}) | (u64{read(reg + 4, 4)} << 32);
  }
  return kNotDecoded;
}

}  // namespace ia64::devices::pci
