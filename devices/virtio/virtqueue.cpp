// Split virtqueue: descriptor walks, used ring, notification suppression.
#include "devices/virtio/virtqueue.h"

#include <array>
#include <atomic>
#include <cstring>

#include "base/endian.h"

namespace ia64::devices::virtio {

namespace {

// Ring layout: avail = flags, idx, ring[size], used_event; used = flags, idx, ring[size] of {id, len},
// avail_event.
constexpr unsigned kIndexAt = 2, kRingAt = 4;

u16 load16(const u8* p, std::memory_order order) {
  return std::atomic_ref(*reinterpret_cast<u16*>(const_cast<u8*>(p))).load(order);
}
void store16(u8* p, u16 v, std::memory_order order) {
  std::atomic_ref(*reinterpret_cast<u16*>(p)).store(v, order);
}

u64 avail_bytes(u16 size) {
  return kRingAt + 2u * size + 2;
}
u64 used_bytes(u16 size) {
  return kRingAt + 8u * size + 2;
}

}  // namespace

bool Virtqueue::map(const DmaView& dma) {
  if (used_) return true;
  if ((setup.desc & 15) || (setup.driver & 1) || (setup.device & 3)) return false;
  u8* const desc = dma.ram_span(setup.desc, u64{kDescBytes} * setup.size);
  u8* const avail = dma.ram_span(setup.driver, avail_bytes(setup.size));
  u8* const used = dma.ram_span(setup.device, used_bytes(setup.size));
  if (!desc || !avail || !used) return false;
  desc_ = desc, avail_ = avail, used_ = used;
  return true;
}

void Virtqueue::visit_state(StateArchive& a, const DmaView& dma, u16 max_size) {
  bool mapped = used_ != nullptr;
  a(setup, last_avail_, used_index_, outstanding_, mapped);
  a.require(setup.size > 0 && setup.size <= max_size && (setup.size & (setup.size - 1)) == 0, "the size of a queue");
  a.require(outstanding_ == 0, "the number of requests in flight");
  if (!a.loading()) return;
  desc_ = avail_ = used_ = nullptr;
  // The driver may have moved on to memory that is none since the rings were looked up.
  if (mapped && a.ok()) map(dma);
}

bool Virtqueue::add(const DmaView& dma, const u8* desc, Chain& out) const {
  const GuestPhys phys = load_le<u64>(desc);
  const u32 size = load_le<u32>(desc + 8);
  const bool write = load_le<u16>(desc + 12) & kDescWrite;
  if (!write && !out.writable.empty()) return false;  // what the device reads comes first
  if (out.readable.size() + out.writable.size() >= kMaxSegments) return false;
  if (size == 0) return true;
  u8* const host = dma.ram_span(phys, size);
  if (!host) return false;
  (write ? out.writable : out.readable).push_back({phys, size, host});
  return true;
}

bool Virtqueue::walk(const DmaView& dma, u64 features, const u8* table, u32 count, u16 index, bool indirect,
                     Chain& out) const {
  // A chain longer than its table has a loop.
  for (u32 steps = 0; steps < count; steps++) {
    if (index >= count) return false;
    std::array<u8, kDescBytes> desc;  // a copy: the driver may change it under us
    std::memcpy(desc.data(), table + size_t{kDescBytes} * index, kDescBytes);
    const u16 flags = load_le<u16>(&desc[12]);
    if (flags & kDescIndirect) {
      const u32 bytes = load_le<u32>(&desc[8]);
      if (indirect || !(features & kFeatureIndirect) || (flags & kDescNext) || bytes % kDescBytes || !bytes)
        return false;
      const u8* inner = dma.ram_span(load_le<u64>(&desc[0]), bytes);
      return inner && walk(dma, features, inner, bytes / kDescBytes, 0, true, out);
    }
    if (!add(dma, desc.data(), out)) return false;
    if (!(flags & kDescNext)) return true;
    index = load_le<u16>(&desc[14]);
  }
  return false;
}

Virtqueue::Taken Virtqueue::pop(const DmaView& dma, u64 features, Chain& out) {
  if (!setup.enabled || !dma.enabled()) return Taken::Empty;
  if (!map(dma)) return Taken::Broken;
  const u16 ahead = static_cast<u16>(load16(avail_ + kIndexAt, std::memory_order_acquire) - last_avail_);
  if (ahead == 0) return Taken::Empty;
  // A driver may offer a chain again only after it got it back, so more than `size` of them cannot be out.
  if (ahead > setup.size || outstanding_ >= setup.size) return Taken::Broken;
  const u16 head = load_le<u16>(avail_ + kRingAt + 2 * (last_avail_ % setup.size));
  out.head = head;
  out.readable.clear();
  out.writable.clear();
  if (!walk(dma, features, desc_, setup.size, head, false, out)) return Taken::Broken;
  last_avail_++;
  outstanding_++;
  return Taken::Chain;
}

bool Virtqueue::arm(const DmaView& dma, u64 features) {
  if (!used_ || !(features & kFeatureEventIndex)) return false;  // flags stay 0: every chain notifies
  const u64 at = kRingAt + 8u * setup.size;
  // The driver publishes its index, then reads avail_event; we do the opposite. Both halves are sequentially
  // consistent, so one of us sees the other.
  store16(used_ + at, last_avail_, std::memory_order_seq_cst);
  dma.written(setup.device + at, 2);
  return load16(avail_ + kIndexAt, std::memory_order_seq_cst) != last_avail_;
}

bool Virtqueue::push(const DmaView& dma, u64 features, u16 head, u32 written) {
  if (outstanding_) outstanding_--;
  if (!used_ || !dma.enabled()) return false;
  const u64 at = kRingAt + 8u * (used_index_ % setup.size);
  store_le<u32>(used_ + at, head);
  store_le<u32>(used_ + at + 4, written);
  const u16 before = used_index_++;
  // As in arm(): the index goes out before the driver's wish for an interrupt is read.
  store16(used_ + kIndexAt, used_index_, std::memory_order_seq_cst);
  dma.written(setup.device + at, 8);
  dma.written(setup.device + kIndexAt, 2);
  if (!(features & kFeatureEventIndex))
    return !(load16(avail_, std::memory_order_seq_cst) & kAvailNoInterrupt);
  const u16 event = load16(avail_ + kRingAt + 2u * setup.size, std::memory_order_seq_cst);
  return static_cast<u16>(used_index_ - event - 1) < static_cast<u16>(used_index_ - before);
}

}  // namespace ia64::devices::virtio
