// Registers and memory in packets.
#include "machine/debugger/core_packets.h"

#include "machine/debugger/debug_memory.h"
#include "machine/debugger/gdb_packet.h"
#include "machine/debugger/ia64_target.h"

namespace ia64::machine::debugger {
namespace {

constexpr const char *kOk = "OK", *kMalformed = "E01", *kNoMemory = "E0e", *kNoRegister = "E02";
constexpr u64 kMaxTransferBytes = kMaxPayloadBytes / 2;

std::string register_text(cpu::Core& core, unsigned n) {
  const auto bytes = read_register(core, n);
  return bytes ? to_hex(*bytes) : std::string(2 * register_bytes(n), 'x');
}

std::string read_all(cpu::Core& core, Cursor) {
  std::string out;
  for (unsigned n = 0; n < gdb::kRawRegisters; n++) out += register_text(core, n);
  return out;
}

/// Registers that cannot be written keep their values: gdb sends back what it has read.
std::string write_all(cpu::Core& core, Cursor at) {
  std::string_view digits = at.rest();
  for (unsigned n = 0; n < gdb::kRawRegisters; n++) {
    const size_t wanted = 2 * register_bytes(n);
    if (digits.size() < wanted) return kMalformed;
    if (const auto value = from_hex(digits.substr(0, wanted))) write_register(core, n, *value);
    digits.remove_prefix(wanted);
  }
  return kOk;
}

std::string read_one(cpu::Core& core, Cursor at) {
  const auto n = at.number();
  if (!n) return kMalformed;
  return *n < gdb::kRawRegisters ? register_text(core, static_cast<unsigned>(*n)) : kNoRegister;
}

std::string write_one(cpu::Core& core, Cursor at) {
  const auto n = at.number();
  if (!n || !at.skip("=")) return kMalformed;
  const auto value = from_hex(at.rest());
  if (!value) return kMalformed;
  return *n < gdb::kRawRegisters && write_register(core, static_cast<unsigned>(*n), *value) ? kOk : kNoRegister;
}

std::string read_memory(cpu::Core& core, Cursor at) {
  const auto address = at.number();
  if (!address || !at.skip(",")) return kMalformed;
  const auto size = at.number();
  if (!size) return kMalformed;
  std::vector<u8> bytes(std::min(*size, kMaxTransferBytes));
  const size_t done = DebugMemory(core).read(*address, bytes);
  if (!done && !bytes.empty()) return kNoMemory;
  return to_hex(std::span<const u8>(bytes).first(done));
}

std::string write_memory(cpu::Core& core, u64 address, u64 size, std::span<const u8> bytes) {
  if (bytes.size() != size) return kMalformed;
  return DebugMemory(core).write(address, bytes) ? kOk : kNoMemory;
}

std::string write_hex(cpu::Core& core, Cursor at) {
  const auto address = at.number();
  if (!address || !at.skip(",")) return kMalformed;
  const auto size = at.number();
  if (!size || !at.skip(":")) return kMalformed;
  const auto bytes = from_hex(at.rest());
  return bytes ? write_memory(core, *address, *size, *bytes) : kMalformed;
}

std::string write_binary(cpu::Core& core, Cursor at) {
  const auto address = at.number();
  if (!address || !at.skip(",")) return kMalformed;
  const auto size = at.number();
  if (!size || !at.skip(":")) return kMalformed;
  const std::string bytes = unescape_binary(at.rest());
  return write_memory(core, *address, *size, {reinterpret_cast<const u8*>(bytes.data()), bytes.size()});
}

struct Row {
  char name;
  std::string (*answer)(cpu::Core&, Cursor);
};
constexpr Row kRows[] = {{'g', read_all},    {'G', write_all}, {'p', read_one},    {'P', write_one},
                         {'m', read_memory}, {'M', write_hex}, {'X', write_binary}};

const Row* find_row(std::string_view payload) {
  for (const Row& row : kRows)
    if (!payload.empty() && payload[0] == row.name) return &row;
  return nullptr;
}

}  // namespace

bool is_core_packet(std::string_view payload) { return find_row(payload) != nullptr; }

std::string answer_core_packet(cpu::Core& core, std::string_view payload) {
  const Row* const row = find_row(payload);
  return row ? row->answer(core, Cursor(payload.substr(1))) : "";
}

}  // namespace ia64::machine::debugger
