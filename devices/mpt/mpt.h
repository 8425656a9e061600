// The VIO SCSI adapter: an LSI 53C1030 with one Ultra320 channel.
#pragma once

#include <array>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <list>
#include <memory>
#include <mutex>
#include <span>

#include "devices/deferred_work.h"
#include "devices/mpt/config_pages.h"
#include "devices/mpt/mpi.h"
#include "devices/mpt/mpt_doorbell.h"
#include "devices/mpt/mpt_fifo.h"
#include "devices/mpt/mpt_regs.h"
#include "devices/mpt/mpt_sgl.h"
#include "devices/pci/pci_device.h"
#include "devices/scsi_host.h"

namespace ia64::devices::mpt {

/// Requests run asynchronously, many in flight; data go straight between guest RAM and the target's store.
/// Task management answers when every task it hit has ended, and a reset ends when the last request has come
/// back, so no memory is touched after an abort or reset is confirmed. Every message, list and reply must lie
/// in RAM; what does not is refused or, where the chip would have nobody to tell, leaves the IOC in its fault
/// state. Locking: mutex_ guards everything; requests go to targets without a lock, their completions take
/// it. Only resets, and the power-on look at a target, are called with it held. Message-signalled interrupts
/// are sent without it.
/// @source LSI Fusion-MPT Message Passing Interface 1.2; LSI53C1030 technical manual
class Mpt final : public pci::PciDevice, public ScsiHost {
 public:
  static constexpr unsigned kTargets = 15;  ///< addresses 0..14 (Integrity VM, scsi)
  static constexpr u8 kOwnId = 15;
  static constexpr unsigned kCredits = 255;     ///< requests a driver may have outstanding
  static constexpr unsigned kFrameBytes = 128;  ///< of a request

  /// @param deferral where the IOC does what needs guest memory (DeferredWork)
  Mpt(IrqLine& intx, AddressSpace& memory, Clock* deferral = nullptr);
  ~Mpt() override;

  unsigned addresses() const override { return kTargets; }
  void attach(unsigned number, std::unique_ptr<storage::scsi::ScsiTarget> target) override;
  std::unique_ptr<storage::scsi::ScsiTarget> detach(unsigned number) override;
  storage::scsi::ScsiTarget* target(unsigned number) const override;
  unsigned requests_in_flight(unsigned number) const override;
  bool drain(std::chrono::milliseconds limit) override;
  void target_changed(unsigned, u16) override {}  ///< a parallel bus has no such message; the next command tells

  const char* name() const override { return "mpt"; }
  /// Power-on state; waits for the requests in flight.
  void reset() override;
  void visit_state(StateArchive& a) override;
  void inspect(InspectWriter& out) const override;

 private:
  struct Request;
  using RequestList = std::list<Request>;
  struct Management;
  struct Submission;
  struct Row;
  enum class Reset : u8 { None, MessageUnit, IoUnit, Adapter, PowerOn };
  using Frame = std::span<const u8>;  // a request; at least kFrameBytes long

  /// A reply on its way. A context reply is the request's context alone.
  struct Reply {
    std::array<u8, 64> bytes{};
    unsigned size_bytes = 0;
    bool context_only = false;
    Reply() = default;
    Reply(Frame request, unsigned size);
    void status(IocStatus s);
    std::span<const u8> span() const { return {bytes.data(), size_bytes}; }
    void visit_state(StateArchive& a) {
      a(bytes, size_bytes, context_only);
      a.require(size_bytes <= bytes.size(), "the size of a reply");
    }
  };

  // registers (mpt.cpp); mutex_ held except where an AccessResult comes back
  AccessResult bar_read(unsigned bar, u64 offset, unsigned size, u64& value) override;
  AccessResult bar_write(unsigned bar, u64 offset, unsigned size, u64 value) override;
  u32 read_register(unsigned offset);
  void write_register(unsigned offset, u32 value);
  u32 doorbell_value() const;
  void write_doorbell(u32 value);
  void write_sequence(u32 value);
  void write_diagnostic(u32 value);
  void post_request(u32 address);
  void free_reply(u32 address);
  void update_interrupt();

  // resets and faults (mpt.cpp); mutex_ held
  void begin_reset(Reset kind);
  void finish_reset();
  void fault(u16 code);
  bool operational() const { return pending_reset_ == Reset::None && state_.ioc == kStateOperational; }

  // requests and replies (mpt_queues.cpp)
  void serve();  // no lock held
  void serve_accesses();  // no lock held
  void memory_work();
  bool next_request(Submission& out);
  void dispatch(Frame frame, Submission& out);
  void handshake_request();
  void answer(Frame frame, const Row& row, Reply& reply);
  void post_reply(const Reply& reply);
  void flush_replies();
  bool write_reply(const Reply& reply, u32 address);
  void post_event(u32 event, u32 data);
  size_t outstanding() const;

  // messages that are answered on the spot (mpt_messages.cpp); mutex_ held
  static const Row kRows[];
  static const Row* find(u8 function);
  void ioc_facts(Frame frame, Reply& reply);
  void ioc_init(Frame frame, Reply& reply);
  void port_facts(Frame frame, Reply& reply);
  void port_enable(Frame frame, Reply& reply);
  void event_notification(Frame frame, Reply& reply);
  void event_ack(Frame frame, Reply& reply);
  void config(Frame frame, Reply& reply);
  void refuse(Frame frame, Reply& reply);
  IocStatus config_action(Frame frame, const PageName& name, const Page& page);
  bool read_page(Frame frame, std::span<const u8> page);
  bool fetch_page(Frame frame, size_t size, std::vector<u8>& out);

  // SCSI I/O (mpt_scsi_io.cpp); mutex_ held except in complete()
  void start_scsi_io(Frame frame, Submission& out);
  IocStatus check_scsi_io(Frame frame) const;
  IocStatus map_data(Frame frame, Request& request, storage::scsi::Task& task) const;
  void complete(RequestList::iterator request, const storage::scsi::Result& result);
  void reply_to(const Request& request, const storage::scsi::Result& result);
  void report_sense(const Request& request, const storage::scsi::Result& result, Reply& reply) const;
  void retire(RequestList::iterator request);

  // task management (mpt_task.cpp); mutex_ held
  void manage(Frame frame);
  IocStatus check_management(const Management& m) const;
  void end_tasks(Management& m);
  bool waits(const Management& m) const;
  void finish_management();
  void reset_targets(const Management& m);

  mutable std::mutex mutex_;
  std::condition_variable idle_changed_;
  std::array<std::unique_ptr<storage::scsi::ScsiTarget>, kTargets> targets_;
  ConfigPages pages_{kOwnId};
  RequestList in_flight_;
  RequestList spare_;  // retired nodes, so that a request costs no allocation
  u64 next_sequence_ = 0;
  std::list<Management> management_;
  std::deque<Reply> waiting_;  // replies in order, until the driver provides frames and room for them
  Reset pending_reset_ = Reset::None;
  bool silenced_ = false;  // being destroyed
  bool serving_ = false;   // some thread is in serve() and will look at the queue again
  bool message_due_ = false;
  std::atomic<unsigned> completing_{0};  // completions that may still hand on requests or send an interrupt
  DeferredWork deferred_;

  // volatile state
  struct State {
    u32 ioc = kStateReady;
    u16 fault_code = 0;
    u8 who_init = 0;
    u8 max_devices = kTargets + 1, max_buses = 1;
    bool port_enabled = false;
    bool events_on = false;
    u32 event_context = 0;
    u32 mfa_high = 0, sense_high = 0;
    u16 reply_frame_bytes = 0;
    Doorbell doorbell;
    Fifo<kCredits + 1> requests;
    Fifo<256> free_replies;
    Fifo<512> posted_replies;
    u32 interrupt_mask = kMaskReply | kMaskDoorbell;
    bool interrupt = false;  // level of the wire
    u8 sequence_step = 0;
    u32 diagnostic = 0;
    u32 test_base = 0, rw_address = 0;
    void visit_state(StateArchive& a) {
      a(ioc, fault_code, who_init, max_devices, max_buses, port_enabled, events_on, event_context, mfa_high, sense_high);
      a(reply_frame_bytes, doorbell, requests, free_replies, posted_replies, interrupt_mask, interrupt, sequence_step);
      a(diagnostic, test_base, rw_address);
      a.require(sequence_step < std::size(kSequenceKeys), "the write sequence");
    }
  };
  State state_;
};

}  // namespace ia64::devices::mpt
