// Disassembly with symbols.
#include "machine/debugger/code_listing.h"

#include <fmt/format.h>

#include <charconv>

#include "cpu/disasm/printer.h"
#include "machine/debugger/debug_memory.h"

namespace ia64::machine::debugger {
namespace {

constexpr unsigned kBundleBytes = 16, kTemplateColumns = 6;

/// Names the target of a branch or of a speculation check, which stands at the end of its text.
std::string with_target(std::string text, const SymbolTable& symbols) {
  const bool stops = text.ends_with(";;");
  if (stops) text.resize(text.size() - 2);
  const size_t at = text.rfind("0x");
  const bool jumps = text.find("br.") != text.npos || text.find("brl.") != text.npos || text.find("chk.") != text.npos;
  if (jumps && at != text.npos) {
    u64 target = 0;
    const char* const end = text.data() + text.size();
    const auto [after, bad] = std::from_chars(text.data() + at + 2, end, target, 16);
    const std::string name = bad == std::errc{} && after == end ? symbols.name_of(target) : std::string();
    if (!name.empty()) text += " <" + name + ">";
  }
  return stops ? text + ";;" : text;
}

}  // namespace

std::string place_text(const SymbolTable& symbols, u64 address) {
  const std::string name = symbols.name_of(address);
  return name.empty() ? fmt::format("{:#x}", address) : fmt::format("{:#x} <{}>", address, name);
}

std::string instruction_line(const u8* bundle, u64 bundle_address, unsigned slot, const SymbolTable& symbols) {
  std::string lines[3];
  cpu::bundle_text(bundle, bundle_address, lines);
  std::string text = lines[slot < 3 ? slot : 0];
  text.erase(0, std::min<size_t>(kTemplateColumns, text.size()));
  text.erase(0, std::min(text.find_first_not_of(' '), text.size()));
  return with_target(std::move(text), symbols);
}

std::vector<CodeLine> list_code(cpu::Core& core, const SymbolTable& symbols, u64 address, unsigned count) {
  const DebugMemory memory(core);
  const u64 now = core.regs().ip | core.regs().slot;
  std::vector<CodeLine> out;
  for (u64 at = align_down(address, kBundleBytes); out.size() < count; at += kBundleBytes) {
    u8 bundle[kBundleBytes];
    if (memory.read(at, bundle) != kBundleBytes) break;
    std::string lines[3];
    cpu::bundle_text(bundle, at, lines);
    for (unsigned slot = 0; slot < 3 && out.size() < count; slot++)
      if (!lines[slot].empty())
        out.push_back({at | slot, slot ? std::string() : symbols.name_of(at), with_target(lines[slot], symbols), (at | slot) == now});
    if (at + kBundleBytes == 0) break;
  }
  return out;
}

}  // namespace ia64::machine::debugger
