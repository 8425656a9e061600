// The virtio 1.x PCI transport: capabilities, common configuration, notification, interrupts, reset.
#pragma once

#include <array>
#include <condition_variable>
#include <mutex>
#include <vector>

#include "devices/deferred_work.h"
#include "devices/pci/pci_device.h"
#include "devices/virtio/virtqueue.h"

namespace ia64::devices::virtio {

/// Base of a non-transitional virtio device. BAR 0 holds the four structures, BAR 1 the MSI-X table.
/// Locking: mutex_ guards transport and rings. Subclasses take it through the hooks that say so and never
/// hold it while they hand a request to storage. Interrupts raised under it are collected in `Interrupts` and
/// sent after it is dropped. A driver's reset ends when the last request in flight has come back; until then
/// device_status keeps its old value.
/// @source VIRTIO 1.1, 4.1
class VirtioPci : public pci::PciDevice {
 public:
  struct Description {
    u16 type = 0;  ///< virtio device type
    u32 class_code = 0;
    u16 subsystem_vendor = 0x103c;
    u16 subsystem_id = 0;
    u64 features = 0;      ///< beyond VERSION_1, INDIRECT_DESC and EVENT_IDX
    unsigned queues = 1;   ///< 1..1024
    u16 queue_size = 256;  ///< a power of two
    Clock* deferral = nullptr;  ///< where notifications are served (DeferredWork)
  };
  VirtioPci(const Description& description, IrqLine& intx, AddressSpace& memory);

  /// Power-on state; waits for the requests in flight.
  void reset() final;
  void visit_state(StateArchive& a) final;
  void inspect(InspectWriter& out) const override;

 protected:
  /// MSI-X vectors to send once the lock is gone. One operation reaches four at most: a request queue, the
  /// control and event queues, and configuration.
  struct Interrupts {
    std::array<u16, 4> vectors;
    unsigned count = 0;
    void add(u16 vector) {
      for (unsigned i = 0; i < count; i++)
        if (vectors[i] == vector) return;
      if (count < vectors.size()) vectors[count++] = vector;
    }
  };

  // Hooks. No lock held:
  virtual void queue_notified(unsigned queue) = 0;
  virtual u32 device_config_read(unsigned offset, unsigned size) = 0;
  virtual void device_config_write(unsigned offset, unsigned size, u32 value) = 0;
  // mutex_ held:
  virtual bool idle() const = 0;          ///< nothing in flight
  virtual void device_state_reset() = 0;  ///< the device's own volatile state
  virtual void visit_device_state(StateArchive& a) = 0;

  // For subclasses, mutex_ held:
  bool running() const;
  Virtqueue& queue(unsigned n) { return queues_[n]; }
  u64 features() const { return state_.driver_features; }
  void interrupt_queue(unsigned n, Interrupts& out);
  /// The driver broke the rules: DEVICE_NEEDS_RESET and a configuration interrupt.
  void break_device(const char* why, Interrupts& out);
  /// From now on nothing that completes reaches the guest; lasts until the next reset ends.
  void silence() { state_.resetting = true; }
  /// To be called when the last request in flight has gone.
  void became_idle();
  // No lock held:
  void send(const Interrupts& interrupts);
  /// Whether a notification has not been served yet: only with deferral.
  bool notification_waits() const { return deferred_.waits(); }

  mutable std::mutex mutex_;
  std::condition_variable idle_changed_;

 private:
  AccessResult bar_read(unsigned bar, u64 offset, unsigned size, u64& value) final;
  AccessResult bar_write(unsigned bar, u64 offset, unsigned size, u64 value) final;
  bool special_config_read(unsigned reg, unsigned size, u32& value) final;
  bool special_config_write(unsigned reg, unsigned size, u32 value) final;

  void add_structure(u8 type, u32 offset, u32 length);
  u64 common_read(unsigned offset, unsigned size);
  void common_write(unsigned offset, unsigned size, u32 value);
  void write_status(u8 value);
  void write_queue(unsigned offset, unsigned size, u32 value);
  void notified(unsigned queue);
  void serve_notified();
  u16 checked_vector(u32 value) const;
  u8 read_isr();
  void finish_reset();
  void raise(u16 vector, u8 isr_bit, Interrupts& out);

  // configuration
  const u64 device_features_;
  const u16 queue_size_;
  unsigned pci_cfg_at_ = 0;
  // volatile state
  struct State {
    u64 driver_features = 0;
    u32 device_feature_select = 0, driver_feature_select = 0;
    u16 queue_select = 0;
    u16 config_vector = kNoVector;
    u8 status = 0;
    u8 isr = 0;
    bool resetting = false;
    void visit_state(StateArchive& a) {
      a(driver_features, device_feature_select, driver_feature_select, queue_select, config_vector, status, isr);
    }
  };
  State state_;
  std::vector<Virtqueue> queues_;
  std::vector<unsigned> notified_;  ///< queues to serve, only with deferral
  DeferredWork deferred_;
};

}  // namespace ia64::devices::virtio
