// The local SAPIC of one processor: external interrupt registers and the interval timer.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>

#include "base/clock.h"
#include "base/interrupt_bus.h"
#include "cpu/arch/registers.h"

namespace ia64 {
class StateArchive;
}

namespace ia64::cpu {

/// Told, on whichever thread, that an interrupt was pended.
class InterruptListener {
 public:
  virtual ~InterruptListener() = default;
  virtual void on_interrupt_pended() = 0;
  /// The timer is due much later and was not put on the clock: see LocalSapic::put_off_timers(). CPU thread.
  virtual void on_timer_put_off() {}
};

/// Pending and in-service external interrupts, their masking by TPR, and the timer that ITC and ITM make.
/// post() may be called from any thread; everything else belongs to the CPU thread.
/// @source SDM vol. 2, 5.8 (External Interrupts) and 3.3.4.2 (ITM)
class LocalSapic {
 public:
  static constexpr u8 kExtInt = 0, kNmi = 2, kSpurious = 0x0f;

  LocalSapic(Registers& regs, Clock* clock, u64 itc_hz, InterruptListener& listener);
  ~LocalSapic();
  LocalSapic(const LocalSapic&) = delete;

  void reset();

  /// Sets the IRR bit of `vector`; reserved vectors (1, 3..15) are dropped as the processor does.
  void post(u8 vector);

  /// Whether an interrupt may be taken now, PSR.i aside: something pending is above TPR (NMIs always are) and
  /// what is in service.
  bool deliverable() const { return highest_deliverable() >= 0; }

  /// Register reads and writes as `mov` performs them; field checks are the caller's.
  u64 read_ivr();  ///< side effect: the highest deliverable interrupt moves to in-service
  void write_eoi();
  u64 irr(unsigned n) const { return irr_[n].load(std::memory_order_acquire); }
  u64 in_service(unsigned n) const { return isr_[n]; }
  void write_itm(u64 value);
  void write_itv(u64 value);

  u64 itc() const;
  void write_itc(u64 value);
  /// Host-independent virtual time, in ns, of the next timer interrupt; ~0 when none is to come.
  u64 timer_due_ns() const { return due_ns_; }
  /// For a processor that is about to sleep until timer_due_ns() by itself: takes the timer off the clock, so that no
  /// other thread wakes for it.
  /// @returns the virtual time it is due, or ~0 when no timer runs
  u64 suspend_timer();
  /// Ends a suspension: pends the timer's interrupt when it is due, else puts the timer back on the clock.
  /// @param due_ns  what suspend_timer() returned
  void resume_timer(u64 due_ns);
  /// Timers that are due more than a millisecond ahead wait for settle_timer() before they go on the clock. A processor that halts
  /// in between takes them over (suspend_timer()) and the clock never hears of them, which saves an idle guest most of the
  /// cost of its tick. For who calls settle_timer() soon after on_timer_put_off().
  void put_off_timers(bool on) { may_put_off_ = on; }
  /// By how much the timer may be late while the processor sleeps (Core::wait_for_interrupt()): one that is late does not end the sleep when it
  /// is due, but an interrupt does that comes meanwhile. 0 at first.
  void allow_late(u64 ns) { late_ns_ = ns; }
  u64 late_ns() const { return late_ns_; }
  /// Puts a timer that was put off on the clock.
  void settle_timer() {
    if (put_off_) schedule_timer();
  }

  /// Pending and in-service interrupts and the timer; ITV and ITM are those of the register file, which is loaded before.
  void visit_state(StateArchive& a);

 private:
  friend class CoreCheckpoint;
  /// What the clock's callback may touch after the CPU moved on; outlives neither wire.
  struct Timer {
    std::mutex mutex;
    LocalSapic* owner = nullptr;
    u64 generation = 0;
    bool running = false;  ///< scheduled and not fired yet
  };

  int highest_pending() const;
  int highest_in_service() const;
  int highest_deliverable() const;
  void arm();
  void start_timer(u64 now_ns);
  void schedule_timer();
  void timer_fired();

  Registers& regs_;
  Clock* clock_;
  u64 itc_hz_;
  InterruptListener& listener_;

  std::atomic<u64> irr_[4] = {};
  u64 isr_[4] = {};
  u64 itc_offset_ = 0;
  std::atomic<bool> itv_masked_{true};
  std::atomic<u8> itv_vector_{0};
  u64 due_ns_ = ~u64{0};
  std::shared_ptr<Timer> timer_;
  Clock::TimerId timer_id_ = 0;
  bool may_put_off_ = false, put_off_ = false;
  u64 late_ns_ = 0;
};

}  // namespace ia64::cpu
