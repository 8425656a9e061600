// Callers by what the prologues of functions save.
#include "machine/debugger/backtrace.h"

#include <fmt/format.h>

#include <charconv>
#include <optional>

#include "base/endian.h"
#include "cpu/disasm/printer.h"
#include "cpu/rse/rse.h"
#include "machine/debugger/debug_memory.h"

namespace ia64::machine::debugger {
namespace {

constexpr unsigned kMostFrames = 64, kMostPrologueBundles = 64, kBundleBytes = 16, kFirstStacked = 32;

/// Registers that a function has put its caller's state into.
struct Saved {
  std::optional<unsigned> pfs, rp;
};

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
Saved prologue(const DebugMemory& memory, u64 begin, u64 ip) {
  Saved saved;
  for (u64 at = begin; at < ip && at < begin + kMostPrologueBundles * kBundleBytes; at += kBundleBytes) {
    u8 bundle[kBundleBytes];
    std::string lines[3];
    if (memory.read(at, bundle) != kBundleBytes) break;
    cpu::bundle_text(bundle, at, lines);
    for (unsigned slot = 0; slot < 3 && (at | slot) < ip; slot++) {
      if (const auto n = target_of(lines[slot], "alloc r", "=ar.pfs")) saved.pfs = n;
      if (const auto n = target_of(lines[slot], "mov r", "=b0")) saved.rp = n;
    }
  }
  return saved;
}

/// Register n of the frame whose r32 lies at `bsp`. Static registers are known of the innermost frame only.
std::optional<u64> register_of(cpu::Core& core, const DebugMemory& memory, u64 bsp, unsigned n, bool innermost) {
  if (n < kFirstStacked) return innermost ? std::optional(core.regs().gr(n)) : std::nullopt;
  u8 bytes[8];
  if (memory.read(cpu::Rse::skip(bsp, static_cast<i64>(n - kFirstStacked)), bytes) != sizeof bytes) return std::nullopt;
  return load_le<u64>(bytes);
}

}  // namespace

Backtrace trace_callers(cpu::Core& core, const SymbolTable& symbols) {
  const DebugMemory memory(core);
  Backtrace out;
  const cpu::Registers& r = core.regs();
  u64 ip = r.ip | r.slot, bsp = core.rse().bsp();
  for (;;) {
    const bool innermost = out.frames.empty();
    const auto place = symbols.find(innermost ? ip : ip - 1);
    out.frames.push_back({ip, bsp, symbols.name_of(ip)});
    if (out.frames.size() == kMostFrames) return out.end = "there are more", out;
    if (!place && !innermost) return out.end = fmt::format("no symbol tells where the function of {:#x} begins", ip), out;
    const Saved saved = place ? prologue(memory, place->symbol->address & ~u64{15}, ip) : Saved{};
    if (!innermost && (!saved.pfs || !saved.rp)) return out.end = fmt::format("{} does not save its caller", place->symbol->name), out;
    const auto rp = saved.rp ? register_of(core, memory, bsp, *saved.rp, innermost) : std::optional(r.br[0]);
    const auto pfs = saved.pfs ? register_of(core, memory, bsp, *saved.pfs, innermost) : std::optional(r.pfs);
    if (!rp || !pfs) return out.end = "the caller's state is not in memory", out;
    if (*rp == 0) return out.end = "the outermost function", out;
    ip = *rp & ~u64{15};
    bsp = cpu::Rse::skip(bsp, -static_cast<i64>(field(*pfs, 7, 7)));
  }
}

}  // namespace ia64::machine::debugger
