// Text for `monitor`.
#include "machine/debugger/monitor_text.h"

#include <fmt/format.h>

#include <charconv>
#include <iterator>
#include <span>
#include <vector>

#include "machine/control/command.h"
#include "machine/debugger/debug_memory.h"

namespace ia64::machine::debugger {
namespace {

constexpr unsigned kRegistersPerLine = 4;
constexpr u64 kDefaultDumpBytes = 64, kMaxDumpBytes = 4096, kRowBytes = 16;

/// Takes a number as C writes it, and the blanks around it.
bool take_number(std::string_view& text, u64& value) {
  text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
  const bool hex = text.starts_with("0x") || text.starts_with("0X");
  if (hex) text.remove_prefix(2);
  const auto [end, bad] = std::from_chars(text.data(), text.data() + text.size(), value, hex ? 16 : 10);
  if (bad != std::errc{}) return false;
  text.remove_prefix(static_cast<size_t>(end - text.data()));
  const size_t blanks = std::min(text.find_first_not_of(' '), text.size());
  const bool separate = blanks > 0 || text.empty();
  text.remove_prefix(blanks);
  return separate;
}

std::string dump_row(u64 address, std::span<const u8> bytes) {
  std::string hex, text;
  for (size_t n = 0; n < kRowBytes; n++) hex += n < bytes.size() ? fmt::format(" {:02x}", bytes[n]) : "   ";
  for (const u8 b : bytes) text += b >= ' ' && b < 0x7f ? static_cast<char>(b) : '.';
  return fmt::format("{:#018x}:{}  {}\n", address, hex, text);
}

}  // namespace

std::string registers_text(cpu::Core& core) {
  const cpu::Registers& r = core.regs();
  std::string out = fmt::format("ip {:#x} slot {}\npsr {:#x} cfm {:#x} (sof {} sol {} sor {} rrb {} {} {})\npr {:#018x}\n", r.ip, r.slot,
                                core.full_psr(), r.cfm.pack(), r.cfm.sof, r.cfm.sol, r.cfm.sor, r.cfm.rrb_gr, r.cfm.rrb_fr, r.cfm.rrb_pr,
                                r.pr_all());
  const auto add = [&out](unsigned n, const char* kind, u64 value, bool nat) {
    out += fmt::format("{}{:<5}{:016x}{}", n % kRegistersPerLine ? "  " : n ? "\n" : "", fmt::format("{}{}", kind, n), value, nat ? '*' : ' ');
  };
  for (unsigned n = 0; n < 32u + r.cfm.sof; n++) add(n, "r", r.gr(n), r.nat(n));
  out += '\n';
  for (unsigned n = 0; n < std::size(r.br); n++) add(n, "b", r.br[n], false);
  return out + '\n';
}

std::string dump_physical(cpu::Core& core, std::string_view args) {
  u64 address = 0, size = kDefaultDumpBytes;
  const bool good = take_number(args, address) && (args.empty() || take_number(args, size)) && args.empty();
  if (!good || size == 0 || size > kMaxDumpBytes)
    return fmt::format("usage: monitor phys ADDRESS [LENGTH]; numbers as in C, at most {} bytes\n", kMaxDumpBytes);
  std::vector<u8> bytes(size);
  bytes.resize(DebugMemory(core).read_physical(address, bytes));
  std::string out;
  for (size_t at = 0; at < bytes.size(); at += kRowBytes)
    out += dump_row(address + at, std::span<const u8>(bytes).subspan(at, std::min<size_t>(kRowBytes, bytes.size() - at)));
  if (bytes.size() < size) out += fmt::format("{:#018x}: no memory\n", address + bytes.size());
  return out;
}

std::string help_text() {
  std::string out = fmt::format("{:<12} {}\n{:<12} {}\n", "phys", "ADDRESS [LENGTH]: physical memory", "regs",
                                "general and branch registers as instructions see them now; PART as in registers");
  for (const control::CommandRow& row : control::command_table()) out += fmt::format("{:<12} {}\n", row.name, row.help);
  return out;
}

}  // namespace ia64::machine::debugger
