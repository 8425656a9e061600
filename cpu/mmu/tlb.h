// The translation look-aside buffers of one processor: translation registers and caches for instructions and
// data.
#pragma once

#include <array>
#include <memory>
#include <vector>

#include "cpu/arch/model.h"
#include "cpu/arch/registers.h"
#include "cpu/mmu/tlb_entry.h"

namespace ia64 {
class StateArchive;
}

namespace ia64::cpu {

class Core;
class TranslationCache;

/// A purge as ptc.g broadcasts it. Plain data: may be queued between threads.
struct PurgeRequest {
  u64 va = 0;  ///< region bits are ignored
  u32 rid = 0;
  u8 ps = 12;  ///< 2^ps bytes, aligned down
};

/// One translation, for dumps.
struct TranslationInfo {
  enum class Kind : u8 { Itr, Dtr, Itc, Dtc } kind;
  unsigned index;  ///< register number, or place in the cache
  TlbEntry entry;
};

/// ITR, DTR, ITC and DTC, and the registers that take part in translation (RR, PKR). Keeps the Core's FastTlb
/// and the engine's code look-up true to every change.
///
/// Overlaps: what an insertion overlaps is purged from both caches of its kind and, for itr, from the other
/// registers of its kind. A cache insertion that overlaps a translation register, a machine check on
/// hardware, leaves the register in place and with priority; the rest of the inserted page works. Match
/// ignores the region number: RID and offset decide.
///
/// CPU thread only; no function fails or throws. @source SDM vol. 2, 4.1
class Tlb {
 public:
  explicit Tlb(Core& core);
  ~Tlb();
  Tlb(const Tlb&) = delete;

  /// The translation of `va` in the region of its region register, or nullptr. Registers go before caches.
  const TlbEntry* find_data(u64 va) const { return find(Side::Data, va); }
  const TlbEntry* find_instruction(u64 va) const { return find(Side::Instruction, va); }

  /// itc. The words must have passed is_reserved_translation().
  void insert_instruction(u64 va, u64 pte_word, u64 itir) { insert(Side::Instruction, va, pte_word, itir); }
  void insert_data(u64 va, u64 pte_word, u64 itir) { insert(Side::Data, va, pte_word, itir); }
  /// itr. @param slot below CpuModel::instruction_trs or data_trs
  void insert_instruction_register(unsigned slot, u64 va, u64 pte_word, u64 itir) {
    insert_register(Side::Instruction, slot, va, pte_word, itir);
  }
  void insert_data_register(unsigned slot, u64 va, u64 pte_word, u64 itir) {
    insert_register(Side::Data, slot, va, pte_word, itir);
  }

  /// ptc.l, and the local part of ptc.g and ptc.ga: both caches.
  void purge_caches(const PurgeRequest& request);
  /// ptr.i, ptr.d: registers and cache of one kind. The pages must be of the RID in `request`.
  void purge_instruction_registers(const PurgeRequest& request) {
    purge_registers(Side::Instruction, request);
  }
  void purge_data_registers(const PurgeRequest& request) { purge_registers(Side::Data, request); }
  /// ptc.e: both caches, whole.
  void purge_all_caches();

  /// Whether `value` has reserved bits or an unsupported page size, so that mov to rr faults.
  bool is_reserved_rr(u64 value) const;
  /// mov rr[] = value (checked).
  void write_rr(unsigned region, u64 value);
  /// mov pkr[] = value. A second valid register with the same key is invalidated. @param index below
  /// CpuModel::pkrs
  void write_pkr(unsigned index, u64 value);
  static constexpr u64 kPkrReserved = ~(low_mask(4) | low_mask(24) << 8);

  /// Somebody wrote DBR or IBR.
  void debug_registers_changed();
  /// Somebody replaced Registers (rr, pkr, dbr...) without going through this class. Translations stay.
  void registers_replaced();
  /// Power-on: no translation at all.
  void reset();

  /// Everything valid, registers first.
  std::vector<TranslationInfo> translations() const;
  /// Registers and caches, each translation at its place.
  void visit_state(StateArchive& a);

 private:
  friend class CoreCheckpoint;
  enum class Side : u8 { Instruction, Data };
  static constexpr unsigned kMaxRegisters = 64;
  struct Registers64 {
    std::array<TlbEntry, kMaxRegisters> entry;
    u64 valid = 0;  // bit n: entry n
  };

  const TlbEntry* find(Side side, u64 va) const;
  void insert(Side side, u64 va, u64 pte_word, u64 itir);
  void insert_register(Side side, unsigned slot, u64 va, u64 pte_word, u64 itir);
  void purge_registers(Side side, const PurgeRequest& request);
  void drop_registers(Side side, u32 rid, u64 offset, unsigned ps);
  void forget(Side side, const TlbEntry& entry);
  u32 rid_of(u64 va) const;

  Core& core_;
  Registers64 tr_[2];
  std::unique_ptr<TranslationCache> tc_[2];
};

}  // namespace ia64::cpu
