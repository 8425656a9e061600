// Runs translated blocks: decides what to translate, enters generated code, and does what it could not.
#pragma once

#include <memory>
#include <unordered_map>
#include <vector>

#include "cpu/interp/interpreter.h"
#include "cpu/jit/block_dump.h"
#include "cpu/jit/code_cache.h"
#include "cpu/jit/float_traps.h"
#include "cpu/jit/native_block.h"
#include "cpu/jit/stubs.h"
#include "cpu/translate/lowering.h"

namespace ia64::cpu::jit {

/// The translator's side of one processor. CPU thread only.
class NativeEngine {
 public:
  NativeEngine(Interpreter& interpreter, const TranslatorOptions& options);
  ~NativeEngine();
  NativeEngine(const NativeEngine&) = delete;

  /// Runs generated code from the block of `entry` on, which must be the one at ip and slot.
  /// @returns false when nothing was executed: the caller interprets the block
  bool run(const LookupEntry& entry);
  /// Forgets the translations of a 4 KiB page of guest memory.
  void drop_page(GuestPhys page);
  /// Forgets everything. Safe while generated code is on the stack.
  void drop_all(DropReason why) { flush_ = true, flush_reason_ = why; }

  const TranslatorCounters& counters() const { return counters_; }
  void inspect(InspectWriter& out) const;

 private:
  struct Key {
    GuestPhys phys;
    u64 ip, mode;
    bool operator==(const Key&) const = default;
  };
  struct KeyHash {
    /// All bits matter to all others: addresses differ in few, and the table may use the lowest alone.
    size_t operator()(const Key& k) const {
      u64 h = (k.phys + k.mode * 0xff51afd7ed558ccd) * 0x9e3779b97f4a7c15;
      h = (h ^ h >> 32 ^ k.ip) * 0xc4ceb9fe1a85ec53;
      return h ^ h >> 29;
    }
  };
  struct Shared : ExitState {
    NativeEngine* engine = nullptr;
  };

  static const void* dynamic_target(Shared* shared, const Insn* insn, NativeBlock* from) noexcept;
  static const void* find_target(Shared* shared) noexcept;
  static u64 judge_site(Core* core, SiteRecord* site, i64 left) noexcept;
  void judge_sites(NativeBlock& region, u64 now);
  void judge_fit(NativeBlock& head);
  void note_odd(const Insn& insn, const NativeBlock& native);
  void translate_again(const NativeBlock& old);
  void look_again();
  void give_back(const Insn& insn, const Block& block);
  void clear_returns();
  void look_for_nats();
  u32 mode_now(bool ed) const;
  NativeBlock* find_native(const LookupEntry& entry, u32 mode);
  NativeBlock* native_for(const LookupEntry& entry);
  std::unique_ptr<NativeBlock> translate(Block& block, u64 ip, u8 slot, u32 mode_bits);
  void make_region(NativeBlock& head);
  enum class Pages : u8 { Same, Unknown, Others };
  bool knows_page(const NativeBlock& head, u64 ip, GuestPhys& page);
  NativeBlock* known_block(const NativeBlock& head, u64 ip, u32 mode_bits);
  NativeBlock* worth_joining(const NativeBlock& head, u64 ip, u32 mode_bits);
  Pages look_at_parts(const NativeBlock& region);
  const void* way_in(NativeBlock& native);
  void enter_through(NativeBlock& head, std::unique_ptr<NativeBlock> region);
  void stays_alone(NativeBlock& head);
  void enter_at(NativeBlock& native, const void* code);
  bool emit(const ir::Unit& unit, NativeBlock& native);
  void connect(NativeBlock& native);
  void finish(NativeBlock& entered);
  void deopt(const Insn& insn, const NativeBlock& native);
  void flush(DropReason why);
  BailReason why_bailed(const NativeBlock& native) const;
  void note_for_perf(const NativeBlock& native, size_t size_bytes);

  Interpreter& interpreter_;
  Core& core_;
  TranslatorOptions options_;
  ir::LowerTable rules_;
  TranslatorCounters counters_;
  BlockDump dump_{options_, *core_.wires().bus};
  CoreLayout layout_;
  CodeCache cache_;
  FloatTraps traps_;
  Shared state_;
  Stubs stubs_;
  std::unordered_map<Key, std::unique_ptr<NativeBlock>, KeyHash> blocks_;
  std::unordered_map<GuestPhys, std::vector<Key>> by_page_;
  std::vector<std::unique_ptr<NativeBlock>> dropped_;  ///< may still be referred to until the next flush
  Link* pending_ = nullptr;                            ///< what the last exit wants connected
  size_t code_bytes_ = 0;
  unsigned nat_wait_ = 0;  ///< entries until NaTs are looked for again
  bool flush_ = false;
  SiteChooser sites_;
  /// How often generated code was left in front of a floating-point instruction.
  struct OddCount {
    u32 left = 0, judged = 0;
    u64 since = 0;  ///< instructions executed when the last count began
    u64 wait = 0;   ///< instructions for which it is left to its handler
    u64 until = 0;  ///< instructions executed when that ends; 0: it is not left to its handler
    Block* block = nullptr;  ///< that it belongs to
  };
  std::unordered_map<const Insn*, OddCount> odd_;
  u64 second_look_ = ~u64{0};  ///< instructions executed when the first of them is to be given back
  DropReason flush_reason_ = DropReason::Asked;
  std::vector<u64> handler_counts_;  ///< by row, when they are counted
};

}  // namespace ia64::cpu::jit
