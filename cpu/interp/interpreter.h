// The reference engine: runs decoded blocks, steps single instructions where exactness needs it, delivers
// interruptions.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "cpu/core.h"
#include "cpu/interp/block.h"
#include "cpu/jit/options.h"
#include "cpu/mmu/fetch.h"

namespace ia64::cpu {

namespace jit {
class NativeEngine;
struct NativeBlock;
}

/// Executes instructions on a Core. Two ways, with one definition of semantics (the handlers):
/// - blocks, the fast path: many instructions between two looks at interrupts, traps and stop requests;
/// - step(): one freshly decoded instruction with every check, used while PSR has single step, taken-branch
/// trap, one-shot or
///   debug bits, when a target register may lie outside the frame, and to honour an exact instruction budget.
/// CPU thread only, apart from the code listener it registers at the bus.
class Interpreter {
 public:
  explicit Interpreter(Core& core);
  ~Interpreter();
  Interpreter(const Interpreter&) = delete;

  StopReason run(u64 max_slots);
  void drop_all_code();
  /// Ends run() with `reason` before the next block.
  void stop(StopReason reason);
  /// @param changed stop addresses that came or went
  void stop_addresses_changed(const std::vector<u64>& changed);
  void use_translator(const TranslatorOptions& options);
  const TranslatorCounters* translator_counters() const;
  void inspect_translator(InspectWriter& out) const;

  /// Delivers `fault`; ip and slot are those to be recorded in IIP and IPSR.ri.
  /// @param ei         slot of the instruction at fault, for ISR.ei
  /// @param bundle     physical address of the bundle for IIB0/1, or ~0
  /// @source SDM vol. 2, 5.5 and ch. 8
  void deliver(const Fault& fault, unsigned ei, GuestPhys bundle = ~GuestPhys{0});
  bool is_fruitless();
  void note_interruption(const Fault& fault, InterruptionRecord& record);

 private:
  friend class jit::NativeEngine;
  /// Pages whose code was written, filled by any thread. Shared with the bus listener, which may outlive
  /// this.
  struct CodeInbox {
    std::mutex mutex;
    std::vector<GuestPhys> pages;
    Core* core = nullptr;
  };
  static constexpr unsigned kLookup = 1u << 13;
  static constexpr u64 kTimerPatience = 16384;  ///< instructions that a timer is put off for
  /// PSR bits under which every instruction needs individual care.
  static constexpr u64 kStepBits = psr::kSs | psr::kTb | psr::kIa | psr::kDa | psr::kDd | psr::kId | psr::kEd;

  // Between blocks (interpreter.cpp).
  template <bool kStepAll>
  StopReason run_loop();
  bool look_up_events(u32 bits);
  static bool must_step(const Registers& r);
  bool at_stop_address() const;
  bool stops_here() const;
  void drop_written_code();
  bool take_external_interrupt();
  bool halt_goes_on();
  /// Does what attention::kRseFill asks for. @returns false when an interruption was delivered
  bool complete_frame_quietly();

  /// Instructions retired when run() must see to something.
  u64 next_look() const { return budget_end_ < timer_end_ ? budget_end_ : timer_end_; }

  // Blocks (interpreter.cpp).
  u64 fetch_key() const;
  LookupEntry& lookup_entry(u64 ip) { return lookup_[((ip >> 4) ^ (ip >> 17) ^ (ip << 11)) % kLookup]; }
  const LookupEntry* find_block();
  const LookupEntry* find_in_table(u64 ip, u64 key);
  const LookupEntry* find_block_slow(LookupEntry& entry);
  Block* decode_block(const FetchPage& page, GuestPhys phys);
  void execute(Block& block);
  void end_block(Next next, const Insn& i, Block& block, bool ic);
  void leave_by_fault(const Insn& i, Block& block, bool ic);

  // One instruction and the endings of instructions (step.cpp).
  void step();
  const Insn* fetch_for_step(GuestPhys& bundle_phys);
  void finish_step(const Insn& i, u64 psr_before, Next next, GuestPhys bundle_phys);
  void handle_fault(const Insn& i, GuestPhys bundle_phys);
  bool call_gate(const Insn& insn);
  void deliver_traps(Fault trap, u8 bits, unsigned ei, GuestPhys bundle_phys);
  void advance(const Insn& i);
  void complete_frame();

  std::unique_ptr<jit::NativeEngine> native_;  ///< nullptr: everything is interpreted
  Core& core_;
  BlockCache cache_;
  std::vector<LookupEntry, LargePages<LookupEntry>> lookup_;
  Block* last_ = nullptr;  ///< the block that ran last, whose links are tried first
  std::shared_ptr<CodeInbox> inbox_;
  std::optional<StopReason> stop_;
  std::vector<u16> stop_offsets_;       ///< page offsets of the stop addresses, sorted
  static constexpr u64 kNowhere = 3;    ///< never an instruction address
  u64 passed_stop_address_ = kNowhere;  ///< where run() was entered, until an instruction that may stop was executed
  u64 budget_end_ = ~u64{0};
  u64 timer_end_ = ~u64{0};  ///< instructions retired when a timer that was put off goes on the clock
  u64 retired_at_interruption_ = 0;  // for kInterruptionLoop
  unsigned fruitless_interruptions_ = 0;
  Insn decoded_[3];  ///< step()'s bundle
};

}  // namespace ia64::cpu
