// Writes guest code and intermediate forms of chosen blocks.
#include "cpu/jit/block_dump.h"

#include <fmt/format.h>

#include <algorithm>

#include "cpu/disasm/printer.h"

namespace ia64::cpu::jit {

namespace {

unsigned bundles_of(Block& block) {
  const Insn* i = block.insns();
  while (!is_end_of_block(*i)) ++i;
  return i->bundle + 1u;
}

}  // namespace

BlockDump::BlockDump(const TranslatorOptions& options, AddressSpace& bus) : options_(options), bus_(bus) {
  if (!options.dump_ips.empty() && !options.dump_path.empty()) file_ = std::fopen(options.dump_path.c_str(), "w");
}

BlockDump::~BlockDump() {
  if (file_) std::fclose(file_);
}

bool BlockDump::wants(Block& block, u64 ip) const {
  if (options_.dump_ips.empty()) [[likely]]
    return false;
  const u64 size = bundles_of(block) * u64{16};
  return std::any_of(options_.dump_ips.begin(), options_.dump_ips.end(), [&](u64 wanted) { return wanted - ip < size; });
}

void BlockDump::line(const std::string& text) {
  std::FILE* const to = file_ ? file_ : stderr;
  std::fputs((text + "\n").c_str(), to);
  std::fflush(to);
}

void BlockDump::guest_code(Block& block, const ir::Unit& unit) {
  const ir::Mode& m = unit.mode;
  line(fmt::format("block {:#x}.{} at {:#x}: {} instructions; fetch mode {:#x}, rotating {}, rotated {}, frame {}+{}, be {}, ic {}, ed {}",
                   unit.ip, unit.slot, block.phys(), block.slots, m.fetch, m.rotating, m.rotated, m.sol(), m.sof() - m.sol(), m.big_endian, m.ic, m.ed));
  for (unsigned bundle = 0; bundle < bundles_of(block); bundle++) {
    const u8* const bytes = bus_.host_ptr(block.phys() + bundle * 16, false);
    if (!bytes) continue;
    std::string text[3];
    bundle_text(bytes, unit.ip + bundle * 16, text);
    for (unsigned slot = 0; slot < 3; slot++)
      if (!text[slot].empty()) line(fmt::format("  {:x}.{}  {}", unit.ip + bundle * 16, slot, text[slot]));
  }
}

void BlockDump::intermediate(const char* title, const ir::Unit& unit) {
  line(fmt::format("-- {}\n{}", title, ir::print(unit)));
}

void BlockDump::host_code(const void* code, size_t size_bytes) {
  line(fmt::format("-- host code, {} bytes\n{}", size_bytes, host_listing(code, size_bytes)));
}

}  // namespace ia64::cpu::jit
