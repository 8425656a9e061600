// PCI function: decoding, interrupt pins and messages.
#include "devices/pci/pci_device.h"

#include "base/bits.h"
#include "base/endian.h"
#include "base/invariant.h"
#include "base/log.h"

namespace ia64::devices::pci {

PciDevice::PciDevice(const Identity& identity, IrqLine& intx, AddressSpace& memory)
    : intx_(intx), memory_(memory), config_(identity) {
  for (auto& base : bases_) base.store(ConfigSpace::kNotDecoded, std::memory_order_relaxed);
}

void PciDevice::add_bar(unsigned n, BarKind kind, u64 size_bytes) {
  config_.add_bar(n, kind, size_bytes);
  bars_[n] = config_.bar(n);
}

unsigned PciDevice::add_capability(u8 id, std::span<const u8> body, std::span<const u8> writable) {
  return config_.add_capability(id, body, writable);
}

void PciDevice::add_msi() {
  std::array<u8, 12> body{}, writable{};
  store_le<u16>(&body[0], kMsi64Bit);
  store_le<u16>(&writable[0], kMsiEnable);
  store_le<u32>(&writable[2], ~u32{3});
  store_le<u32>(&writable[6], ~u32{0});
  store_le<u16>(&writable[10], 0xffff);
  msi_at_ = add_capability(kCapMsi, body, writable);
}

void PciDevice::add_msix(unsigned bar, unsigned vectors) {
  INVARIANT(vectors >= 1 && vectors <= 2048);
  pba_offset_ = align_up(u64{vectors} * kMsixEntryBytes, 0x800);
  const u64 used = pba_offset_ + align_up((vectors + 7) / 8, 8);
  u64 size = 0x1000;
  while (size < used) size *= 2;
  add_bar(bar, BarKind::Memory32, size);
  std::array<u8, 10> body{}, writable{};
  store_le<u16>(&body[0], static_cast<u16>(vectors - 1));
  store_le<u32>(&body[2], bar);
  store_le<u32>(&body[6], static_cast<u32>(pba_offset_) | bar);
  store_le<u16>(&writable[0], kMsixEnable | kMsixFunctionMask);
  msix_at_ = add_capability(kCapMsix, body, writable);
  msix_bar_ = bar;
  msix_.assign(vectors, {});
}

// --- configuration
// ----------------------------------------------------------------------------------------------------

u32 PciDevice::raw_config(unsigned reg, unsigned size) const {
  std::lock_guard lock(pci_mutex_);
  return config_.read(reg, size);
}

u32 PciDevice::config_read(unsigned reg, unsigned size) {
  if (u32 v; special_config_read(reg, size, v)) return v;
  return raw_config(reg, size);
}

void PciDevice::config_write(unsigned reg, unsigned size, u32 value) {
  if (special_config_write(reg, size, value)) return;
  {
    std::lock_guard lock(pci_mutex_);
    config_.write(reg, size, value);
    config_changed();
  }
  send_pending();
}

void PciDevice::config_changed() {
  master_.store(config_.command() & kCommandMaster, std::memory_order_relaxed);
  for (unsigned n = 0; n < bases_.size(); n++)
    bases_[n].store(config_.decoded_base(n), std::memory_order_relaxed);
  msix_enabled_.store(msix_at_ && (config_.read(msix_at_ + 2, 2) & kMsixEnable), std::memory_order_relaxed);
  drive_intx();
}

void PciDevice::drive_intx() {
  config_.set16(kStatus, static_cast<u16>(with_field(config_.read(kStatus, 2), 3, 1, intx_asserted_)));
  const bool msi = msi_at_ && (config_.read(msi_at_ + 2, 2) & kMsiEnable);
  intx_.set(intx_asserted_ && !(config_.command() & kCommandIntxDisable) && !msix_enabled() && !msi);
}

void PciDevice::set_intx(bool asserted) {
  std::lock_guard lock(pci_mutex_);
  intx_asserted_ = asserted;
  drive_intx();
}

void PciDevice::reset_pci() {
  std::lock_guard lock(pci_mutex_);
  config_.reset();
  intx_asserted_ = false;
  msix_.assign(msix_.size(), {});
  config_changed();
}

void PciDevice::visit_pci(StateArchive& a) {
  std::lock_guard lock(pci_mutex_);
  a(config_, intx_asserted_);
  a.fixed(msix_, "the number of MSI-X vectors");
  if (a.loading()) config_changed();
}

// --- BARs
// -------------------------------------------------------------------------------------------------------------

std::optional<PciDevice::Hit> PciDevice::decode(bool io, u64 address, unsigned size) const {
  for (unsigned n = 0; n < bars_.size(); n++) {
    if (bars_[n].kind == BarKind::None || (bars_[n].kind == BarKind::Io) != io) continue;
    const u64 base = bases_[n].load(std::memory_order_relaxed);
    if (base == ConfigSpace::kNotDecoded) continue;
    const u64 offset = address - base;
    if (offset < bars_[n].size_bytes && size <= bars_[n].size_bytes - offset) return Hit{n, offset};
  }
  return std::nullopt;
}

AccessResult PciDevice::access_read(const Hit& hit, unsigned size, u64& value) {
  if (hit.bar != msix_bar_) return bar_read(hit.bar, hit.offset, size, value);
  if (size < 4 || hit.offset % size) return AccessResult::BadSize;
  std::lock_guard lock(pci_mutex_);
  value = msix_read(hit.offset, size);
  return AccessResult::Ok;
}

AccessResult PciDevice::access_write(const Hit& hit, unsigned size, u64 value) {
  if (hit.bar != msix_bar_) return bar_write(hit.bar, hit.offset, size, value);
  if (size < 4 || hit.offset % size) return AccessResult::BadSize;
  {
    std::lock_guard lock(pci_mutex_);
    msix_write(hit.offset, size, value);
  }
  send_pending();
  return AccessResult::Ok;
}

// --- MSI-X table
// ------------------------------------------------------------------------------------------------------

u32 PciDevice::msix_word(u64 offset) const {
  if (const u64 n = offset / kMsixEntryBytes; n < msix_.size()) {
    const MsixEntry& e = msix_[n];
    switch (offset % kMsixEntryBytes) {
      case 0: return static_cast<u32>(e.address);
      case 4: return static_cast<u32>(e.address >> 32);
      case 8: return e.data;
      default: return e.control;
    }
  }
  if (offset < pba_offset_) return 0;
  u32 bits = 0;
  for (unsigned i = 0; i < 32; i++)
    if (const u64 n = (offset - pba_offset_) * 8 + i; n < msix_.size() && msix_[n].pending) bits |= 1u << i;
  return bits;
}

void PciDevice::set_msix_word(u64 offset, u32 value) {
  const u64 n = offset / kMsixEntryBytes;
  if (n >= msix_.size()) return;  // the PBA is read-only
  MsixEntry& e = msix_[n];
  switch (offset % kMsixEntryBytes) {
    case 0: e.address = with_field(e.address, 0, 32, value & ~u32{3}); break;
    case 4: e.address = with_field(e.address, 32, 32, value); break;
    case 8: e.data = value; break;
    default: e.control = value & kMsixVectorMasked;
  }
}

u64 PciDevice::msix_read(u64 offset, unsigned size) const {
  const u64 low = msix_word(offset);
  return size == 8 ? low | (u64{msix_word(offset + 4)} << 32) : low;
}

void PciDevice::msix_write(u64 offset, unsigned size, u64 value) {
  set_msix_word(offset, static_cast<u32>(value));
  if (size == 8) set_msix_word(offset + 4, static_cast<u32>(value >> 32));
}

bool PciDevice::deliverable(const MsixEntry& e) const {
  return !(config_.read(msix_at_ + 2, 2) & kMsixFunctionMask) && !(e.control & kMsixVectorMasked);
}

// --- messages
// ---------------------------------------------------------------------------------------------------------

void PciDevice::raise_msix(unsigned n) {
  Message message;
  {
    std::lock_guard lock(pci_mutex_);
    if (!msix_enabled() || n >= msix_.size()) return;
    MsixEntry& e = msix_[n];
    if (!deliverable(e)) {
      e.pending = true;
      return;
    }
    message = {e.address, e.data};
  }
  send(message);
}

bool PciDevice::raise_msi() {
  Message message;
  {
    std::lock_guard lock(pci_mutex_);
    if (!msi_at_ || !(config_.read(msi_at_ + 2, 2) & kMsiEnable)) return false;
    message = {config_.read(msi_at_ + 4, 4) | (u64{config_.read(msi_at_ + 8, 4)} << 32),
               config_.read(msi_at_ + 12, 2)};
  }
  send(message);
  return true;
}

std::vector<PciDevice::Message> PciDevice::take_pending() {
  std::vector<Message> out;
  std::lock_guard lock(pci_mutex_);
  if (!msix_enabled()) return out;
  for (auto& e : msix_) {
    if (!e.pending || !deliverable(e)) continue;
    e.pending = false;
    out.push_back({e.address, e.data});
  }
  return out;
}

void PciDevice::send_pending() {
  for (const auto& message : take_pending()) send(message);
}

void PciDevice::send(const Message& m) {
  // A message aimed at a device register could make that device send the next one, without end: one level
  // only.
  static thread_local bool sending = false;
  if (!dma_.enabled() || sending) return;
  sending = true;
  memory_.write(m.address, 4, m.data);
  sending = false;
}

void PciDevice::inspect_pci(InspectWriter& out) const {
  std::lock_guard lock(pci_mutex_);
  out.begin("pci");
  for (unsigned reg = 0; reg < kConfigSize; reg += 4) {
    const u32 v = config_.read(reg, 4);
    if (v) out.value(fmt::format("{:02x}", reg), v);
  }
  out.value("intx", intx_asserted_);
  out.end();
}

}  // namespace ia64::devices::pci
