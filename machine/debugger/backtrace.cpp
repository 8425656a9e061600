// Callers by unwind tables and by what the prologues of functions save.
#include "machine/debugger/backtrace.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

#include "base/endian.h"
#include "cpu/disasm/printer.h"
#include "cpu/rse/rse.h"
#include "machine/debugger/debug_memory.h"
#include "machine/debugger/unwind_state.h"

namespace ia64::machine::debugger {
namespace {

constexpr unsigned kMostFrames = 64, kMostPrologueBundles = 64, kBundleBytes = 16, kFirstStacked = 32;

using Place = UnwindState::Place;

/// The register of "alloc r34=ar.pfs,..." or "mov r33=b0"; nothing when the text is another.
std::optional<unsigned> target_of(std::string_view text, std::string_view before, std::string_view after) {
  const size_t at = text.find(before);
  if (at == text.npos) return std::nullopt;
  text.remove_prefix(at + before.size());
  unsigned n = 0;
  const auto [end, bad] = std::from_chars(text.data(), text.data() + text.size(), n);
  text.remove_prefix(static_cast<size_t>(end - text.data()));
  return bad == std::errc{} && text.starts_with(after) ? std::optional(n) : std::nullopt;
}

/// What was saved by the instructions from `begin` up to, not including, the one at `ip`.
UnwindState prologue(const DebugMemory& memory, u64 begin, u64 ip) {
  UnwindState saved;
  for (u64 at = begin; at < ip && at < begin + kMostPrologueBundles * kBundleBytes; at += kBundleBytes) {
    u8 bundle[kBundleBytes];
    std::string lines[3];
    if (memory.read(at, bundle) != kBundleBytes) break;
    cpu::bundle_text(bundle, at, lines);
    for (unsigned slot = 0; slot < 3 && (at | slot) < ip; slot++) {
      if (const auto n = target_of(lines[slot], "alloc r", "=ar.pfs")) saved.pfs = {Place::Kind::General, *n};
      if (const auto n = target_of(lines[slot], "mov r", "=b0")) saved.rp = {Place::Kind::General, *n};
    }
  }
  return saved;
}

std::optional<u64> word_at(const DebugMemory& memory, u64 address) {
  u8 bytes[8];
  if (memory.read(address, bytes) != sizeof bytes) return std::nullopt;
  return load_le<u64>(bytes);
}

/// The table of a kernel in its own memory: entries of three words, begin and end of a function and its descriptors, all of them counted
/// from the beginning of the kernel.
class UnwindTable {
 public:
  UnwindTable(const DebugMemory& memory, const SymbolTable& symbols) : memory_(memory) {
    const auto begin = symbols.address_of("__start_unwind"), end = symbols.address_of("__end_unwind"), base = symbols.address_of("_text");
    if (!begin || !end || !base || *end <= *begin) return;
    begin_ = *begin, entries_ = (*end - *begin) / kEntryBytes, base_ = *base;
  }

  std::optional<UnwindState> state_at(u64 ip) const {
    const u64 offset = (ip & ~u64{15}) - base_;
    u64 low = 0, high = entries_;
    while (low < high) {
      const u64 middle = low + (high - low) / 2;
      const auto begin = word_at(memory_, begin_ + middle * kEntryBytes), end = word_at(memory_, begin_ + middle * kEntryBytes + 8);
      if (!begin || !end) return std::nullopt;
      if (offset < *begin) {
        high = middle;
      } else if (offset >= *end) {
        low = middle + 1;
      } else {
        const u64 slot = (offset - *begin) / kBundleBytes * 3 + (ip & 3);
        return descriptors_of(word_at(memory_, begin_ + middle * kEntryBytes + 16), slot);
      }
    }
    return std::nullopt;
  }

 private:
  static constexpr u64 kEntryBytes = 24, kMostDescriptorBytes = 64 << 10;

  std::optional<UnwindState> descriptors_of(std::optional<u64> info, u64 slot) const {
    const auto header = info ? word_at(memory_, base_ + *info) : std::nullopt;
    if (!header || *header >> 48 != 1) return std::nullopt;  // version 1
    std::vector<u8> bytes(std::min<u64>((*header & 0xffff'ffff) * 8, kMostDescriptorBytes));
    if (memory_.read(base_ + *info + 8, bytes) != bytes.size()) return std::nullopt;
    return unwind_state(bytes, slot);
  }

  const DebugMemory& memory_;
  u64 begin_ = 0, entries_ = 0, base_ = 0;
};

/// One function on the way out.
struct Walk {
  u64 ip, bsp;
  std::optional<u64> sp, rp, pfs;  ///< as the function's caller left them, where that is known
  bool innermost = true;           ///< static registers and branch registers are the processor's
  bool exact = true;               ///< `ip` is where it goes on, not where a call returns to
};

class Walker {
 public:
  Walker(cpu::Core& core, const SymbolTable& symbols) : core_(core), memory_(core), symbols_(symbols), table_(memory_, symbols) {
    const cpu::Registers& r = core.regs();
    at_ = {.ip = r.ip | r.slot, .bsp = core.rse().bsp(), .sp = r.gr(12), .rp = r.br[0], .pfs = r.pfs};
  }

  Backtrace run() {
    bool interrupted = false;
    out_.by_tables = true;
    while (out_.end.empty()) {
      out_.frames.push_back({at_.ip, at_.bsp, symbols_.name_of(at_.ip), interrupted});
      if (out_.frames.size() == kMostFrames) out_.end = "there are more";
      if (out_.end.empty()) interrupted = step();
    }
    return std::move(out_);
  }

 private:
  std::optional<UnwindState> state() {
    // The return address itself, not the call before it: Linux enters handlers with the address of their epilogue's first bundle.
    if (auto by_table = table_.state_at(at_.ip)) return by_table;
    out_.by_tables = false;
    const auto place = symbols_.find(at_.exact ? at_.ip : at_.ip - 1);
    if (place) return prologue(memory_, place->symbol->address & ~u64{15}, at_.ip);
    if (at_.exact) return UnwindState{};
    out_.end = fmt::format("no symbol tells where the function of {:#x} begins", at_.ip);
    return std::nullopt;
  }

  std::optional<u64> value(const Place& place, std::optional<u64> untouched, std::optional<u64> psp) const {
    using enum Place::Kind;
    const auto n = static_cast<u64>(place.value);
    switch (place.kind) {
      case Untouched: return untouched;
      case General: return register_of(n);
      case Branch: return at_.innermost && n < 8 ? std::optional(core_.regs().br[n]) : std::nullopt;
      case PspRelative: return psp ? word_at(memory_, *psp + n) : std::nullopt;
      case SpRelative: return at_.sp ? word_at(memory_, *at_.sp + n) : std::nullopt;
      case StackPointer: return at_.sp ? std::optional(*at_.sp + n) : std::nullopt;
    }
    return std::nullopt;
  }

  /// Static registers are known of the innermost function only.
  std::optional<u64> register_of(u64 n) const {
    if (n == 0) return 0;
    if (n < kFirstStacked) return at_.innermost ? std::optional(core_.regs().gr(static_cast<unsigned>(n))) : std::nullopt;
    return word_at(memory_, cpu::Rse::skip(at_.bsp, static_cast<i64>(n - kFirstStacked)));
  }

  /// Goes to the caller, or says why that is not possible. @returns whether what comes was interrupted
  bool step() {
    const auto saved = state();
    if (!saved) return false;
    const auto psp = value(saved->psp, at_.sp, std::nullopt);
    const auto rp = value(saved->rp, at_.rp, psp), pfs = value(saved->pfs, at_.pfs, psp);
    if (saved->interruption) return leave_interruption(rp, pfs);
    if (rp && *rp == 0) return out_.end = "the outermost function", false;
    if (!rp || !pfs) {
      const bool unsaved = saved->rp.kind == Place::Kind::Untouched || saved->pfs.kind == Place::Kind::Untouched;
      out_.end = unsaved ? fmt::format("{} does not save its caller", symbols_.name_of(at_.ip)) : "the caller's state is not in memory";
      return false;
    }
    at_ = {.ip = *rp & ~u64{15}, .bsp = cpu::Rse::skip(at_.bsp, -static_cast<i64>(field(*pfs, 7, 7))), .sp = psp, .rp = {}, .pfs = {}, .innermost = false, .exact = false};
    return false;
  }

  /// A handler of Linux has `ip` and CFM of what was interrupted for return address and AR.PFS, in a struct pt_regs above its scratch area.
  bool leave_interruption(std::optional<u64> ip, std::optional<u64> ifs) {
    constexpr u64 kPtRegs = 16, kIpsr = kPtRegs + 64, kPfs = kPtRegs + 96, kB0 = kPtRegs + 136, kR12 = kPtRegs + 160;
    const auto ipsr = at_.sp ? word_at(memory_, *at_.sp + kIpsr) : std::nullopt;
    if (!ip || !ifs || !ipsr) return out_.end = "the state before the interruption is not in memory", false;
    const u64 interrupted_ip = (*ip & ~u64{15}) | field(*ipsr, 41, 2);
    if (field(*ipsr, 32, 2) != 0) return out_.end = fmt::format("a program, interrupted at {:#x}", interrupted_ip), false;
    const auto word = [&](u64 offset) { return word_at(memory_, *at_.sp + offset); };
    at_ = {.ip = interrupted_ip, .bsp = cpu::Rse::skip(at_.bsp, -static_cast<i64>(field(*ifs, 0, 7))), .sp = word(kR12), .rp = word(kB0), .pfs = word(kPfs),
           .innermost = false, .exact = true};
    return true;
  }

  cpu::Core& core_;
  const DebugMemory memory_;
  const SymbolTable& symbols_;
  const UnwindTable table_;
  Walk at_{};
  Backtrace out_;
};

}  // namespace

Backtrace trace_callers(cpu::Core& core, const SymbolTable& symbols) { return Walker(core, symbols).run(); }

}  // namespace ia64::machine::debugger
