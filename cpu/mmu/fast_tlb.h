// The software TLB: for each access kind a direct-mapped table from guest page to host address, checked in
// one compare.
//
// Every entry of the data tables stands for a translation that is live in the Tlb (or for physical mode), for
// which the access would raise no fault in the context of its tag, and whose page is plain write-back RAM
// (ROM too for reads). Whoever removes a translation calls forget_data() or
// forget_fetch().
#pragma once

#include "base/bits.h"
#include "cpu/arch/psr.h"
#include "cpu/mmu/access_sites.h"
#include "cpu/mmu/slot_log.h"

namespace ia64::cpu {

namespace jit {
struct CoreLayout;
}

/// Tags. Bits 63:12 are the virtual page, bits 11:4 a context key, bits 3:0 zero, so that one compare of
/// (va & page-and-alignment bits) | context with the tag also refuses misaligned addresses.
///
/// A context key stands, per region, for (RID, privilege level, translated or physical, PSR.pk, PSR.db):
/// neither kernel entry nor a context switch flushes anything. When the keys of a region run out, everything
/// is dropped and they start anew.
class FastTlb {
 public:
  static constexpr unsigned kDataSlots = 2048;  ///< each for reads and writes
  static constexpr unsigned kSecondSlots = 16384;  ///< of the second level, which the slow path asks before it translates
  static constexpr unsigned kFetchSlots = 256;
  /// PSR bits that decide what a data access may do.
  static constexpr u64 kModeBits = psr::kDt | psr::kCpl | psr::kPk | psr::kDb;

  struct Entry {
    u64 tag;
    u64 addend;  ///< host address = virtual address + addend (mod 2^64)
  };
  /// Index of a set of context keys.
  using Mode = unsigned;

  FastTlb() { reset(); }

  /// Host address of an aligned `Size`-byte read or write at `va`, or nullptr: take the slow path.
  template <unsigned Size>
  u8* read_pointer(u64 va, u64 psr) const {
    return pointer<Size>(read_, va, psr);
  }
  template <unsigned Size>
  u8* write_pointer(u64 va, u64 psr) const {
    return pointer<Size>(write_, va, psr);
  }

  static constexpr Mode make_mode(bool translated, unsigned pl, bool keys, bool debug) {
    return Mode{translated} | pl << 1 | Mode{keys} << 3 | Mode{debug} << 4;
  }
  /// The mode of the program's own data accesses.
  static constexpr Mode data_mode(u64 psr) {
    return make_mode(psr & psr::kDt, static_cast<unsigned>(field(psr, psr::kCplPos, 2)), psr & psr::kPk,
                     psr & psr::kDb);
  }
  /// The mode of instruction fetch.
  static constexpr Mode fetch_mode(u64 psr) {
    return make_mode(psr & psr::kIt, static_cast<unsigned>(field(psr, psr::kCplPos, 2)), psr & psr::kPk, false);
  }
  /// Makes read_pointer/write_pointer work in the mode of `psr`. @returns false when they did already
  bool follow_psr(u64 psr);

  /// Accesses that read_pointer or write_pointer did not serve.
  struct Misses {
    u64 second_level = 0;  ///< found in the second level
    u64 translated = 0;    ///< translated anew (devices, misaligned addresses and faults included)
  };
  const Misses& misses() const { return misses_; }
  /// Whether the second level knows the page, in the context that follow_psr() set; then the first level knows it from now on.
  bool refill_read(u64 va) { return refill(kRead, second_read_, va); }
  bool refill_write(u64 va) { return refill(kWrite, second_write_, va); }

  /// Context bits (11:4) of an address in `mode`, allocating a key when needed. Never fails.
  u64 context(Mode mode, unsigned region, u32 rid);
  /// As context(), but 0xfe0 (never in an entry) when none was allocated yet.
  u64 known_context(Mode mode, unsigned region) const { return contexts_[mode][region]; }

  void add_read(u64 va, u64 context, const u8* host) {
    fill(kRead + slot(va), make_entry(va, context, host));
    fill(kSecondRead + second_slot(va), make_entry(va, context, host));
  }
  void add_write(u64 va, u64 context, u8* host) {
    fill(kWrite + slot(va), make_entry(va, context, host));
    fill(kSecondWrite + second_slot(va), make_entry(va, context, host));
  }
  /// Table access for callers that have a context at hand (RSE): host address of the aligned 8 bytes, or
  /// nullptr.
  u8* read_pointer_in(u64 va, u64 context) const { return checked(read_[slot(va)], va, context); }
  u8* write_pointer_in(u64 va, u64 context) const { return checked(write_[slot(va)], va, context); }

  /// What generated code remembers in front of these tables; kept right by what changes them.
  const AccessSites& sites() const { return sites_; }
  /// Site `n` of generated code has looked up `va` here.
  void fill_site(unsigned n, u64 va, u64 addend) { sites_.fill(n, va, addend); }

  /// How often the levels behind these tables were asked.
  struct Counters {
    u64 data_misses = 0;   ///< data references that were translated in full
    u64 fetch_misses = 0;  ///< instruction references that were
    u64 tlb_misses = 0;    ///< references that no TLB entry translated
    u64 vhpt_found = 0;    ///< of those, what the VHPT walker inserted
  };
  Counters counters;

  /// What fetch remembers of a code page.
  struct FetchEntry {
    u64 tag;
    u64 phys;        ///< of the page
    const u8* host;  ///< of the page; nullptr: not memory
    u8 promote_to;
    bool ed;
  };
  FetchEntry& fetch_slot(u64 va) { return fetch_[(va >> 12) % kFetchSlots]; }

  // --- changes ---
  /// A data translation went away: drops what lies in the 2^ps bytes at region offset `offset`, in every
  /// region and context.
  void forget_data(u64 offset, unsigned ps);
  /// The same for an instruction translation.
  void forget_fetch(u64 offset, unsigned ps);
  /// A region register got another RID.
  void region_changed(unsigned region);
  /// Protection keys or debug registers changed: entries made under PSR.pk or PSR.db become unreachable.
  void protection_changed();
  /// Writes to the 4 KiB of RAM at `host_page` must be seen again (code was found there). CPU thread.
  void forget_writes(const u8* host_page);
  /// Every page must be asked for again before it is written.
  void forget_all_writes();
  /// Drops everything.
  void reset();

  /// What an engine may key its own virtual->code shortcuts with: equal keys mean that an address of `region`, fetched in
  /// `mode`, still leads where it led. Region register writes and changes of privilege give another key, and coming
  /// back to the same RID and mode gives the old one again. A key to keep must be taken after context() was called; before,
  /// the key is 0, which no kept one equals.
  u64 fetch_key(Mode mode, unsigned region) const { return fetch_keys_[mode][region]; }
  /// Makes all fetch keys new.
  void end_fetch_epoch();
  /// Counts the events that change fetch keys without a change of mode.
  u64 fetch_changes() const { return fetch_changes_; }
  /// An instruction translation of `rid` went away or changed: makes the keys of its regions new, now and when they come back.
  void end_fetches_of(u32 rid);

 private:
  friend struct jit::CoreLayout;
  static constexpr unsigned kModes = 32, kRegions = 8, kKeys = 254;
  static constexpr unsigned kRidSets = 256;  ///< RIDs whose fetch keys end together
  static constexpr u64 kPageMask = ~low_mask(12);
  static constexpr u64 kNoContext = 0xfe0;  // key 254, never given out
  static constexpr u64 kNoEntry = ~u64{0};  // key 255, never looked up

  // Slots of all data tables have numbers; those that hold pages of one chunk, in whatever region, are noted in the chunk's group.
  static constexpr unsigned kRead = 0, kWrite = kRead + kDataSlots, kSecondRead = kWrite + kDataSlots,
                            kSecondWrite = kSecondRead + kSecondSlots, kAllSlots = kSecondWrite + kSecondSlots;
  static constexpr unsigned kChunkBits = 24, kGroups = 64, kNotes = 256;
  static constexpr unsigned group_of(u64 va) { return static_cast<unsigned>((va & low_mask(61)) >> kChunkBits) % kGroups; }

  static constexpr unsigned slot(u64 va) { return static_cast<unsigned>(va >> 12) % kDataSlots; }
  static constexpr unsigned second_slot(u64 va) { return static_cast<unsigned>(va >> 12) % kSecondSlots; }

  template <unsigned Size>
  u8* pointer(const Entry* table, u64 va, u64 psr) const {
    static_assert(Size <= 16 && (Size & (Size - 1)) == 0);
    const Entry& e = table[slot(va)];
    const u64 wanted = (va & (kPageMask | (Size - 1))) | active_[va >> 61];
    if (((psr ^ mode_psr_) & kModeBits) != 0 || e.tag != wanted) [[unlikely]]
      return nullptr;
    return reinterpret_cast<u8*>(va + e.addend);
  }
  static u8* checked(const Entry& e, u64 va, u64 context) {
    return e.tag == ((va & (kPageMask | 7)) | context) ? reinterpret_cast<u8*>(va + e.addend) : nullptr;
  }
  static Entry make_entry(u64 va, u64 context, const u8* host) { return {(va & kPageMask) | context, reinterpret_cast<u64>(host) - va}; }
  Entry& at(unsigned number) {
    if (number < kWrite) return read_[number - kRead];
    if (number < kSecondRead) return write_[number - kWrite];
    return number < kSecondWrite ? second_read_[number - kSecondRead] : second_write_[number - kSecondWrite];
  }
  void fill(unsigned number, const Entry& entry);
  bool refill(unsigned first, const Entry* second, u64 va);
  void forget_data_chunk(unsigned group, u64 offset, unsigned ps);
  void copy_active();
  u64 owner(Mode mode, u32 rid) const;
  u64 make_fetch_key(Mode mode, unsigned region) const;
  void clear_tables();
  void forget_contexts();

  u64 mode_psr_ = 0;
  Misses misses_;
  AccessSites sites_;
  alignas(64) u64 active_[kRegions];  // a copy of contexts_[mode of mode_psr_], where generated code finds it
  u64 contexts_[kModes][kRegions];
  u64 owners_[kRegions][kKeys];  // who a key stands for
  unsigned used_keys_[kRegions];
  u64 generation_ = 0;  // of protection keys and debug registers
  // Fetch keys: bits 63:12 the number of the last change that concerns them, bits 11:0 the context.
  u64 fetch_keys_[kModes][kRegions];
  u64 fetch_changes_ = 0;
  u64 fetch_epoch_ = 0;  // the last change that concerned all
  u64 rid_changes_[kRidSets] = {};
  u32 region_rid_[kRegions] = {};  // for which the contexts of translated modes were given out
  alignas(64) Entry read_[kDataSlots];
  alignas(64) Entry write_[kDataSlots];
  Entry second_read_[kSecondSlots];
  Entry second_write_[kSecondSlots];
  FetchEntry fetch_[kFetchSlots];
  SlotLog<kGroups, kNotes> filled_;
};

}  // namespace ia64::cpu
