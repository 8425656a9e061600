// One IA-64 processor: state, memory access as instructions see it, interruptions, and the engine that runs it.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <vector>

#include "base/address_space.h"
#include "base/clock.h"
#include "base/inspect.h"
#include "base/interrupt_bus.h"
#include "cpu/arch/fault.h"
#include "cpu/arch/float_file.h"
#include "cpu/arch/model.h"
#include "cpu/arch/registers.h"
#include "cpu/branch_log.h"
#include "cpu/decode/insn.h"
#include "cpu/exec/alat.h"
#include "cpu/jit/native_scratch.h"
#include "cpu/mmu/fast_tlb.h"
#include "cpu/sleeper.h"
#include "cpu/watchpoints.h"

namespace ia64 {
class StateArchive;
}

namespace ia64::cpu {

/// What the outside world gives a processor.
struct CoreWires {
  AddressSpace* bus = nullptr;
  Clock* clock = nullptr;
  u64 itc_hz = 400'000'000;  ///< AR.ITC increments per second of virtual time
  const CpuModel* model = &kMontecito;
};

/// What a gate asks of the engine after it handled a `break`.
enum class GateAction : u8 {
  NotMine,   ///< deliver the Break Instruction fault
  Continue,  ///< go on with the instruction after the break
  Resume,    ///< the gate changed ip/psr/cfm itself: go on from there
  Stop,      ///< leave run() with StopReason::Gate
};

/// The firmware gate: called for `break` instructions fetched from gate ROM. Runs on the CPU's thread.
class BreakGate {
 public:
  virtual ~BreakGate() = default;
  virtual GateAction on_break(Core& core, u64 imm) = 0;
};

enum class StopReason : u8 {
  Budget, Requested, Halted, Gate, Interruption, StopAddress,
  InterruptionLoop,  ///< only with a budget: kInterruptionLoop interruptions in a row and no instruction retired between them
  Watch,             ///< the next instruction makes an access that is watched: see watch_hit()
};

/// INIT and PMI enter processor firmware, which is simulated on the host. Called on the CPU thread at an instruction boundary
/// with ip/slot/psr of the interrupted instruction; the handler may change the whole state.
class PlatformEvents {
 public:
  virtual ~PlatformEvents() = default;
  virtual void on_init(Core& core) = 0;
  virtual void on_pmi(Core& core, u8 vector) = 0;
};

/// One interruption that was taken, for dumps and tests. Values of the control registers right after delivery; ifa, itir, iim and
/// iha are the fault's own also where PSR.ic = 0 kept them out of the registers.
struct InterruptionRecord {
  Vector vector = Vector::GeneralException;
  u64 isr = 0, ifa = 0, iip = 0, iipa = 0;
  u64 ip = 0;     ///< of the interrupted instruction with its slot (0..2), also where PSR.ic = 0 kept it out of IIP
  u64 psr = 0;    ///< before delivery, without ri
  u64 itir = 0, iim = 0, iha = 0;
  u64 bundle[2] = {};  ///< the instruction at fault, or the one behind a trap, is in this bundle
  bool has_bundle = false;
  bool is_trap = false;
};

/// Hears of interruptions as they are taken: on the CPU thread, right after delivery. Must not change the processor.
class InterruptionObserver {
 public:
  virtual ~InterruptionObserver() = default;
  virtual void on_interruption(Core& core, const InterruptionRecord& record) = 0;
};

/// Reasons for the engine to look up between two blocks; any thread may set one with Core::attend().
namespace attention {
enum : u32 {
  kStop = 1,        ///< request_stop()
  kInterrupt = 2,   ///< local SAPIC state or PSR.i changed
  kCode = 4,        ///< physical pages with cached code were written
  kPurge = 8,       ///< a remote ptc.g waits
  kRseFill = 16,    ///< the current frame is incomplete and must be loaded
  kInit = 32,
  kPmi = 64,
  kHalt = 128,      ///< halt()
  kOwnStop = 256,   ///< the engine itself ends run()
  kTimer = 512,     ///< the timer was put off: it goes on the clock if the processor does not halt soon
};
}

/// How an access is used, for rights, ISR and deferral.
struct AccessKind {
  bool read = false, write = false, execute = false;
  bool non_access = false;
  u8 na_code = 0;  ///< isr::NonAccess when non_access
};

class Tlb;
class Rse;
class LocalSapic;
class Interpreter;
struct TranslatorCounters;
struct TranslatorOptions;
namespace jit {
struct CoreLayout;
class NativeEngine;
}
class CoreCheckpoint;
class CoreGroup;
class InterruptListener;
class RemoteRequests;

class Core final : public Inspectable {
 public:
  explicit Core(const CoreWires& wires);
  ~Core() override;
  Core(const Core&) = delete;
  /// In large pages of its own: the tables that every access looks into cost few of the host's translations.
  static void* operator new(std::size_t size);
  static void operator delete(void* core) noexcept;

  // --- running (CPU thread) --------------------------------------------------------------------------------------
  /// Architected reset state. @source SDM vol. 2, 11.2 (PALE_RESET state as far as software can see it)
  void reset();
  /// Runs up to `max_slots` instructions (0 = no limit), delivering interruptions, until something stops it.
  StopReason run(u64 max_slots);
  /// Makes run() return soon with Requested. Any thread.
  void request_stop();
  /// Makes run() look at interrupts and stop requests soon, and wakes a halted CPU. Any thread.
  void kick();
  /// Translates hot code to host code from now on; without, everything is interpreted. CPU thread, outside run().
  void use_translator(const TranslatorOptions& options);
  /// What the translator did so far; nullptr when it is not used.
  const TranslatorCounters* translator_counters() const;
  /// Instructions executed since construction. Any thread; exact when the processor does not run.
  u64 slots_retired() const { return slots_retired_.load(std::memory_order_relaxed); }
  void set_gate(BreakGate* gate) { gate_ = gate; }
  /// Only `break` instructions whose physical address lies here reach the gate; the rest are Break Instruction faults.
  void set_gate_range(GuestPhys base, u64 size_bytes) { gate_base_ = base, gate_size_ = size_bytes; }
  void set_platform_events(PlatformEvents* events) { events_ = events; }

  // --- bare-metal runs and debuggers (CPU thread, outside run()) -------------------------------------------------------
  /// run() returns StopAddress before it executes the instruction at any of these: bundle addresses with the slot (0..2) in the
  /// low bits. A run that starts at one passes it. Only instructions that stand there are slowed down; code that is cached from
  /// pages with an instruction at the same place is built anew when the set changes.
  void set_stop_addresses(std::vector<u64> ips);
  /// run() returns Watch before an instruction that would access one of these. Fills of the register stack, instruction
  /// fetches and what firmware does are not seen; accesses to the other bytes of such a 4 KiB page become slow.
  void set_watches(std::vector<WatchRange> ranges);
  const Watchpoints& watchpoints() const { return watchpoints_; }
  /// Nothing is watched while suspended.
  void suspend_watches(bool on) { watchpoints_.suspend(on); }
  /// The access that the last run() stopped before with Watch.
  const Fault& watch_hit() const { return watch_hit_; }
  /// Executes one instruction, or delivers the interruption it raises; external interrupts wait.
  /// @returns Budget when it was executed, Interruption, Watch, or why nothing was executed (Halted, Requested)
  StopReason step();
  /// run() returns Interruption after it delivered one (state is that of the handler's first instruction).
  void set_stop_on_interruption(bool on) { stop_on_interruption_ = on; }
  /// The last kInterruptionLog interruptions taken, oldest first. `total` counts all since reset.
  static constexpr unsigned kInterruptionLog = 64;
  static constexpr unsigned kInterruptionLoop = 65536;
  std::vector<InterruptionRecord> interruptions() const;
  u64 interruptions_taken() const { return interruptions_taken_; }
  /// Calls `observer` for every interruption; nullptr for nobody. Must outlive the runs that follow.
  void set_interruption_observer(InterruptionObserver* observer) { interruption_observer_ = observer; }
  /// Keeps the last BranchLog::kKept taken branches from the next run() on. While it does, instructions are stepped one by one.
  void record_branches(bool on);
  /// nullptr while they are not recorded.
  const BranchLog* branches() const { return branches_.get(); }

  // --- interrupts (any thread) -----------------------------------------------------------------------------------
  /// Pends a message from the interrupt bus (IRR, NMI, INIT, PMI).
  void post_interrupt(DeliveryMode mode, u8 vector);
  /// PAL_HALT_LIGHT: run() returns Halted until an unmasked interrupt is pending, whatever PSR.i says. CPU thread.
  void halt();
  bool halted() const { return halted_; }
  /// Sleeps on the host until something may end a halt (interrupt, INIT, PMI, kick, stop request) or the time is over.
  /// CPU thread, outside run(). @returns false when the time ran out
  bool wait_for_interrupt(std::chrono::nanoseconds host_time);
  /// Makes the engine look at `bits` of attention:: before its next block. Any thread.
  void attend(u32 bits) { attention_.fetch_or(bits, std::memory_order_release); }

  Registers& regs() { return r_; }
  const Registers& regs() const { return r_; }
  const CoreWires& wires() const { return wires_; }

  // --- state changes that engines must hear of (CPU thread) ---------------------------------------------------------------
  /// PSR with ri, as IPSR would record it.
  u64 full_psr() const { return r_.psr | u64{r_.slot} << psr::kRiPos; }
  /// Replaces PSR (ri excepted): switches banks when bn changes and lets the MMU and the engine follow. The caller's
  /// instruction must end its block (Next::Sync or Next::Branch).
  void set_psr(u64 psr) noexcept;
  /// Asks the engine for a look at pending interrupts: PSR.i, TPR or the in-service state changed. Cheap when nothing waits.
  void interrupt_masking_changed() noexcept;
  /// ITC as AR.ITC reads now.
  u64 itc() const;
  /// Forget virtual->block shortcuts: an instruction translation went away or its protection changed.
  void instruction_mappings_changed() noexcept { fast_tlb_.end_fetch_epoch(); }
  /// Forget every decoded block of this processor (PAL_CACHE_FLUSH, loaders).
  void drop_all_code() noexcept;
  /// Whether the page of the running code has ITLB.ed set (exception deferral of speculative loads).
  bool code_ed() const { return code_ed_; }
  /// The engine keeps code_ed() true to the page it executes from (FetchPage::ed).
  void set_code_ed(bool ed) { code_ed_ = ed; }

  // --- several processors -------------------------------------------------------------------------------------------------
  CoreGroup* group() const { return group_; }
  void set_group(CoreGroup* group) { group_ = group; }
  RemoteRequests& remote_requests() { return *remote_requests_; }

  // --- services for instruction handlers (CPU thread, noexcept) ----------------------------------------------------
  /// Address of the bundle that holds `i`, in the block being executed.
  u64 insn_ip(const Insn& i) const { return block_ip_ + u64{i.bundle} * 16; }
  /// Branch: sets ip/slot and returns Next::Branch. Taken-branch traps are the engine's business.
  Next branch_to(u64 ip) {
    r_.ip = ip & ~u64{15};
    r_.slot = 0;
    return Next::Branch;
  }

  /// Loads and stores as `ldN`/`stN` do: translation, rights, keys, debug, alignment, byte order (PSR.be).
  /// On Next::Fault the fault is pending and nothing happened; otherwise Continue (or Sync after self-modifying stores).
  /// @tparam T u8, u16, u32, u64, or u128 for ld16/st16 (always aligned, write-back memory only; atomic)
  template <class T>
  Next load(u64 va, T& value) noexcept;
  template <class T>
  Next store(u64 va, T value) noexcept;
  /// Any size 1..16 at natural alignment `align` into/out of a byte image in guest memory order (no byte swap): the
  /// floating-point forms. 10-byte accesses need write-back memory (Unsupported Data Reference elsewhere).
  Next load_bytes(u64 va, void* out, unsigned size, unsigned align) noexcept {
    return load_slow(va, out, size, align, size == 10);
  }
  Next store_bytes(u64 va, const void* in, unsigned size, unsigned align) noexcept {
    return store_slow(va, in, size, align, size == 10);
  }
  /// Speculative load: as load_bytes, but sets `deferred` (and no fault; `out` untouched) where PSR, DCR, ITLB.ed or the
  /// memory attribute say so. @source SDM vol. 2, 5.5.5
  Next load_speculative(u64 va, void* out, unsigned size, unsigned align, bool& deferred) noexcept;
  /// Advanced load (ld.a; with `speculative` ld.sa): as load_bytes or load_speculative. `host` receives the host address
  /// for the ALAT, or nullptr when no entry may be made (memory that is not speculative: then no access is done and
  /// `out` is zeroed; deferred loads).
  Next load_advanced(u64 va, void* out, unsigned size, unsigned align, bool speculative, bool& deferred,
                     const u8*& host) noexcept;
  /// Physical address of data the program could reach at `va` without a miss now (for ALAT checks of stores that have just
  /// been done); false when unknown. No side effects.
  bool data_physical(u64 va, GuestPhys& phys) const noexcept;
  /// Atomic read-modify-write on `size` 4..16 bytes (1 and 2 too); `op(old image) -> new image` may run more than once.
  /// Always strict about alignment; raises the faults of a semaphore (read and write rights; Unsupported Data Reference
  /// outside write-back memory).
  /// Returns a host pointer for the caller's atomic operation, or nullptr with the fault pending. Code cached from the page is
  /// dropped beforehand.
  void* semaphore_address(u64 va, unsigned size) noexcept;
  /// Brings the page of an access into the software TLB when the access would succeed and the page is memory. Nothing is
  /// accessed and no fault raised. @returns false when the access must go the ordinary way
  bool prepare_access(u64 va, unsigned size, bool write) noexcept;
  /// The line prefetch: nothing at all for plain lfetch; for lfetch.fault the faults of a read (none when PSR.ed = 1).
  Next prefetch(u64 va, bool fault, bool exclusive) noexcept;
  /// The page at `phys` now holds decoded code: this CPU's stores to it must reach AddressSpace::code_written(). To be called
  /// after AddressSpace::mark_code() and before the code is read. Other CPUs that still store to the page directly are
  /// covered by the fc or fc.i that the architecture asks of them.
  void watch_code_page(GuestPhys phys) noexcept;
  bool big_endian() const { return r_.psr & psr::kBe; }
  /// Non-access translations (probe, tpa, tak, fc) are in exec/system_tlb.cpp, RSE traffic in mmu/rse_access.h.

  // --- raising faults: fill pending_fault() and return Next::Fault ---------------------------------------------------
  Next raise(const Fault& f) noexcept {
    pending_ = f;
    return Next::Fault;
  }
  Next raise_general(isr::General code) noexcept;             ///< General Exception
  Next raise_illegal_operation() noexcept { return raise_general(isr::kIllegalOperation); }
  Next raise_register_nat(AccessKind kind) noexcept;          ///< Register NaT Consumption
  Next raise_nat_consumption() noexcept { return raise_register_nat({}); }  ///< by a non-memory instruction
  Next raise_break(u64 imm) noexcept;
  Next raise_speculation(u64 imm) noexcept;                   ///< chk/fchkf failure, when not branching natively
  Next raise_disabled_fp(bool low, bool high) noexcept;       ///< ISR.code: bit 0 mfl bank, bit 1 mfh bank
  Next raise_fp_fault(u64 isr_code) noexcept;
  Next raise_fp_trap(u64 isr_code) noexcept;                  ///< a trap: the instruction has completed
  const Fault& pending_fault() const { return pending_; }
  /// To be called by what gives a general register a NaT that comes from no other general register. CPU thread.
  void note_nat() noexcept { nats_ = 1; }
  /// Registers::set_gr_nat() for such instructions.
  void set_gr_nat(unsigned r, u64 v, bool nat) noexcept {
    nats_ |= nat;
    r_.set_gr_nat(r, v, nat);
  }
  /// Notes a Lower-Privilege Transfer trap of the branch that is executing; delivered after it.
  void note_lower_privilege_trap() noexcept { trap_bits_ |= 2; }

  // --- parts --------------------------------------------------------------------------------------------------------
  Tlb& tlb() { return *tlb_; }
  const Tlb& tlb() const { return *tlb_; }
  FastTlb& fast_tlb() { return fast_tlb_; }
  const FastTlb& fast_tlb() const { return fast_tlb_; }
  /// Of use inside generated code only.
  FloatFile& float_file() { return float_file_; }
  Rse& rse() { return *rse_; }
  Alat& alat() { return alat_; }
  LocalSapic& sapic() { return *sapic_; }
  void inspect(InspectWriter& out) const override;
  /// Everything that decides what the processor does next, the time of its timer included. The ALAT is emptied, also when
  /// saving, so that both goes on from the same state. Loading forgets all decoded code. CPU thread, outside run(), while the
  /// clock stands.
  void visit_state(StateArchive& a);

 private:
  friend class Interpreter;
  friend class CoreGroup;
  friend class CoreCheckpoint;
  friend struct jit::CoreLayout;
  friend class jit::NativeEngine;
  void retire(u64 slots) {
    slots_retired_.store(slots_retired() + slots, std::memory_order_relaxed);  // one writer: needs no locked add
  }
  Next load_slow(u64 va, void* out, unsigned size, unsigned align, bool write_back_only) noexcept;
  Next store_slow(u64 va, const void* in, unsigned size, unsigned align, bool write_back_only) noexcept;

  FastTlb fast_tlb_;
  alignas(16) u8 rom_copy_[16] = {};  ///< what semaphores on ROM work on
  Registers r_;
  Alat alat_;
  jit::NativeScratch native_scratch_;
  FloatFile float_file_;
  u64 block_ip_ = 0;
  Fault pending_;
  alignas(8) std::atomic<u32> attention_{0};
  /// Generated code looks at both words at once. 0: no general register holds a NaT, banked and unused ones included.
  u32 nats_ = 1;
  u8 trap_bits_ = 0;             ///< concurrent traps of the last instruction, as in ISR.code{3:0}
  bool code_ed_ = false;
  bool halted_ = false;
  bool stop_on_interruption_ = false;
  bool hold_interrupts_ = false;  ///< during step()
  CoreWires wires_;
  BreakGate* gate_ = nullptr;
  GuestPhys gate_base_ = 0;
  u64 gate_size_ = 0;
  PlatformEvents* events_ = nullptr;
  CoreGroup* group_ = nullptr;
  std::atomic<u64> slots_retired_{0};  ///< written by the CPU thread only
  u64 interruptions_taken_ = 0;
  std::array<InterruptionRecord, kInterruptionLog> interruption_log_;
  InterruptionObserver* interruption_observer_ = nullptr;
  std::unique_ptr<BranchLog> branches_;
  std::vector<u64> stop_addresses_;
  Watchpoints watchpoints_;
  Fault watch_hit_;
  std::atomic<u32> pmi_vectors_{0};
  Sleeper sleeper_;
  std::unique_ptr<Tlb> tlb_;
  std::unique_ptr<Rse> rse_;
  std::unique_ptr<InterruptListener> interrupt_listener_;
  std::unique_ptr<LocalSapic> sapic_;
  std::unique_ptr<RemoteRequests> remote_requests_;
  std::unique_ptr<Interpreter> interpreter_;
};

}  // namespace ia64::cpu

#include "cpu/mmu/access_inl.h"
