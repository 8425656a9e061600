// Commands about guest memory and code: disassembly, dumps, symbols, callers.
#include <fmt/format.h>

#include "machine/control/command.h"
#include "machine/control/debug_arguments.h"
#include "machine/debugger/backtrace.h"
#include "machine/debugger/code_listing.h"
#include "machine/debugger/debug_memory.h"
#include "machine/debugger/desk.h"
#include "machine/machine.h"

namespace ia64::machine::control {
namespace {

constexpr u64 kMostInstructions = 1000, kMostBytes = 16 << 10, kRowBytes = 16;
constexpr size_t kMostNames = 200;

cpu::Core& core_of(Call& call) { return call.context.machine->core(); }

Result<Json> disassemble(Call& call) {
  const cpu::Registers& r = core_of(call).regs();
  auto where = place_of(call, "address", r.ip);
  auto count = count_of(call, "count", 15, kMostInstructions);
  if (!where) return where.error();
  if (!count) return count.error();
  Json rows = Json::array();
  for (const auto& line : debugger::list_code(core_of(call), desk_of(call).symbols(), *where, static_cast<unsigned>(*count)))
    rows.push_back({{"next", line.next ? "=>" : ""}, {"address", hex(line.address)}, {"symbol", line.symbol}, {"instruction", line.text}});
  if (rows.empty()) return Error{ErrorKind::NotFound, fmt::format("no memory is seen at {:#x}", *where)};
  return Json{{"code", std::move(rows)}};
}

Json dump_row(u64 address, std::span<const u8> bytes) {
  std::string hex_bytes, text;
  for (size_t n = 0; n < bytes.size(); n++) hex_bytes += fmt::format("{}{:02x}", n == 0 ? "" : n == 8 ? "  " : " ", bytes[n]);
  for (const u8 b : bytes) text += b >= ' ' && b < 0x7f ? static_cast<char>(b) : '.';
  return {{"address", fmt::format("{:#018x}", address)}, {"bytes", hex_bytes}, {"text", text}};
}

Result<Json> memory(Call& call) {
  auto where = place_of(call, "address");
  auto length = count_of(call, "length", 64, kMostBytes);
  if (!where) return where.error();
  if (!length) return length.error();
  const debugger::DebugMemory guest(core_of(call));
  std::vector<u8> bytes(*length);
  bytes.resize(call.arguments.flag("phys") ? guest.read_physical(*where, bytes) : guest.read(*where, bytes));
  if (bytes.empty()) return Error{ErrorKind::NotFound, fmt::format("no memory is seen at {:#x}", *where)};
  Json rows = Json::array();
  for (size_t at = 0; at < bytes.size(); at += kRowBytes)
    rows.push_back(dump_row(*where + at, std::span<const u8>(bytes).subspan(at, std::min<size_t>(kRowBytes, bytes.size() - at))));
  Json out = {{"memory", std::move(rows)}};
  if (bytes.size() < *length) out["note"] = fmt::format("no memory is seen at {:#x}", *where + bytes.size());
  return out;
}

Json modules(const debugger::SymbolTable& symbols) {
  Json rows = Json::array();
  for (const auto& m : symbols.modules()) rows.push_back({{"module", m.name}, {"symbols", m.symbols}, {"from", hex(m.begin)}, {"to", hex(m.end)}});
  return rows;
}

Json names(const debugger::SymbolTable& symbols, std::string_view prefix) {
  Json rows = Json::array();
  for (const std::string& name : symbols.names(prefix, kMostNames)) rows.push_back({{"name", name}, {"address", hex(symbols.address_of(name).value_or(0))}});
  return {{"names", std::move(rows)}};
}

Result<Json> symbol(Call& call) {
  const debugger::SymbolTable& symbols = desk_of(call).symbols();
  const std::string name = call.arguments.text("name");
  if (name.empty()) return Json{{"modules", modules(symbols)}};
  if (name.ends_with('*')) return names(symbols, std::string_view(name).substr(0, name.size() - 1));
  auto address = place_of(call, "name");
  if (!address) return address.error();
  return Json{{"address", hex(*address)}, {"symbol", symbols.name_of(*address)}};
}

Result<Json> backtrace(Call& call) {
  const debugger::Backtrace trace = debugger::trace_callers(core_of(call), desk_of(call).symbols());
  Json rows = Json::array();
  for (size_t n = 0; n < trace.frames.size(); n++) {
    const auto& f = trace.frames[n];
    rows.push_back({{"frame", n}, {"address", hex(f.ip)}, {"symbol", f.symbol}, {"registers at", hex(f.bsp)}, {"how", f.interrupted ? "interrupted" : ""}});
  }
  Json out = {{"frames", std::move(rows)}};
  out["note"] = trace.end + (trace.by_tables ? "" : "; found by the prologues of functions where no unwind table is known");
  return out;
}

}  // namespace

std::vector<CommandRow> code_commands() {
  using enum ArgumentType;
  static constexpr const char* kPlace = "a number, symbol or register, with +number or -number";
  return {
      {"disassemble", nullptr, {{"address", Text, false, "as for memory; without it, where the processor is"}, {"count", Text, false, "instructions; 15 without it"}},
       Where::Machine, disassemble, "instructions with symbols, as the running program sees memory"},
      {"memory", nullptr,
       {{"address", Text, true, kPlace}, {"length", Text, false, "bytes; 64 without it"}, {"phys", Flag, false, "a physical address"}},
       Where::Machine, memory, "memory as the running program sees it, or physical memory"},
      {"symbol", nullptr, {{"name", Text, false, "a symbol, an address, or the beginning of names and *; without it, what was loaded"}}, Where::Machine, symbol,
       "address of a symbol, symbol of an address"},
      {"backtrace", nullptr, {}, Where::Machine, backtrace, "the callers of the function that runs"},
  };
}

}  // namespace ia64::machine::control
