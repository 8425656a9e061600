// A split virtqueue as the device sees it, on its guard against what the driver put there.
#pragma once

#include <vector>

#include "base/state_archive.h"
#include "devices/pci/dma_view.h"
#include "devices/virtio/virtio_regs.h"

namespace ia64::devices::virtio {

/// A piece of guest RAM named by a descriptor.
struct Segment {
  GuestPhys phys = 0;
  u64 size_bytes = 0;
  u8* host = nullptr;
};

/// One request taken from the available ring.
struct Chain {
  u16 head = 0;
  std::vector<Segment> readable;
  std::vector<Segment> writable;
};

/// Rings must lie in RAM. Every index, address and length is checked, each descriptor is read once: a hostile
/// driver gets Broken, nothing worse. Takes no lock; its device does. @source VIRTIO 1.1, 2.6
class Virtqueue {
 public:
  /// Longest chain taken, indirect tables included.
  static constexpr unsigned kMaxSegments = 1024;

  /// What the driver programs before it enables the queue.
  struct Setup {
    u16 size = 0;
    u16 vector = kNoVector;
    bool enabled = false;
    GuestPhys desc = 0, driver = 0, device = 0;
    void visit_state(StateArchive& a) { a(size, vector, enabled, desc, driver, device); }
  };
  Setup setup;

  enum class Taken { Empty, Chain, Broken };
  /// Takes the next chain. `out` is overwritten; its vectors keep their capacity.
  Taken pop(const DmaView& dma, u64 features, Chain& out);
  /// Asks for a notification of the next chain. @returns true when one has come meanwhile (go on popping)
  bool arm(const DmaView& dma, u64 features);
  /// Returns a chain. @param written bytes written to its writable part. @returns true when the driver wants
  /// an interrupt
  bool push(const DmaView& dma, u64 features, u16 head, u32 written);

  /// Loading looks the rings up in memory, which is there already. @param max_size the size after a reset
  void visit_state(StateArchive& a, const DmaView& dma, u16 max_size);

  void reset(u16 max_size) {
    *this = Virtqueue{};
    setup.size = max_size;
  }

 private:
  bool map(const DmaView& dma);
  bool add(const DmaView& dma, const u8* desc, Chain& out) const;
  bool walk(const DmaView& dma, u64 features, const u8* table, u32 count, u16 index, bool indirect,
            Chain& out) const;

  u8* desc_ = nullptr;
  u8* avail_ = nullptr;
  u8* used_ = nullptr;
  u16 last_avail_ = 0;
  u16 used_index_ = 0;
  unsigned outstanding_ = 0;  // taken and not yet returned
};

}  // namespace ia64::devices::virtio
