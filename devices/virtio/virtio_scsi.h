// The AVIO storage adapter: a virtio SCSI host in front of up to 128 targets.
#pragma once

#include <array>
#include <atomic>
#include <list>
#include <memory>
#include <span>

#include "devices/scsi_host.h"
#include "devices/virtio/virtio_pci.h"

namespace ia64::devices::virtio {

/// Requests run asynchronously, many in flight; data go straight between guest RAM and the target's store.
/// Task management answers when every task it hit has ended, so no memory is touched after an abort or reset
/// is confirmed. Locking: see VirtioPci; requests go to targets without a lock, their completions take it.
/// Only resets, and the power-on look at a target, are called with it held.
/// @source VIRTIO 1.1, 5.6
class VirtioScsi final : public VirtioPci, public ScsiHost {
 public:
  static constexpr unsigned kTargets = 128;  ///< addresses 0..127 (Integrity VM, avio_stor)
  static constexpr u32 kMaxTransferBytes = 1 << 20;

  struct Config {
    unsigned request_queues = 1;  ///< 1..64; one per virtual CPU serves best
    Clock* deferral = nullptr;    ///< where notifications are served (DeferredWork)
  };
  VirtioScsi(const Config& config, IrqLine& intx, AddressSpace& memory);
  ~VirtioScsi() override;

  unsigned addresses() const override { return kTargets; }
  void attach(unsigned number, std::unique_ptr<storage::scsi::ScsiTarget> target) override;
  std::unique_ptr<storage::scsi::ScsiTarget> detach(unsigned number) override;
  storage::scsi::ScsiTarget* target(unsigned number) const override;
  unsigned requests_in_flight(unsigned number) const override;
  void target_changed(unsigned number, u16 code) override;
  bool drain(std::chrono::milliseconds limit) override;

  const char* name() const override { return "virtio-scsi"; }

 private:
  struct Request;
  using RequestList = std::list<Request>;
  struct Management;
  struct Address;

  void queue_notified(unsigned queue) override;
  u32 device_config_read(unsigned offset, unsigned size) override;
  void device_config_write(unsigned offset, unsigned size, u32 value) override;
  bool idle() const override;
  void device_state_reset() override;
  void visit_device_state(StateArchive& a) override;

  // request queues
  void serve_requests(unsigned queue);
  bool next_request(unsigned queue, RequestList::iterator& out, storage::scsi::Task& task,
                    Interrupts& interrupts);
  bool parse(Request& request, storage::scsi::Task& task);
  void complete(RequestList::iterator request, const storage::scsi::Result& result);
  void respond(Request& request, ScsiResponse response, const storage::scsi::Result& result,
               Interrupts& interrupts);
  void retire(RequestList::iterator request, Interrupts& interrupts);

  // control queue
  void serve_control();
  void control(Chain chain, Interrupts& interrupts);
  void manage(Management& m, u32 subtype, Interrupts& interrupts);
  bool waits(const Management& m) const;
  void finish_management(Interrupts& interrupts);
  void answer(const Chain& chain, ScsiResponse response, u32 head_bytes, Interrupts& interrupts);

  // event queue
  void serve_events();
  void report_event(u32 event, unsigned number, u32 reason, Interrupts& interrupts);

  const unsigned request_queues_;
  std::array<std::unique_ptr<storage::scsi::ScsiTarget>, kTargets> targets_;
  RequestList in_flight_;
  RequestList spare_;  // retired nodes, so that a request costs no allocation
  u64 next_sequence_ = 0;
  std::atomic<unsigned> completing_{0};  // completions whose interrupt has not been sent yet
  std::list<Management> management_;
  // volatile state
  struct State {
    u32 sense_size = kScsiDefaultSenseSize;
    u32 cdb_size = kScsiDefaultCdbSize;
    bool events_missed = false;
    void visit_state(StateArchive& a) { a(sense_size, cdb_size, events_missed); }
  };
  State state_;
};

}  // namespace ia64::devices::virtio
