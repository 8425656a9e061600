// Text for `monitor`.
#include "machine/debugger/monitor_text.h"

#include <fmt/format.h>

#include <charconv>

#include "machine/debugger/debug_memory.h"

namespace ia64::machine::debugger {
namespace {

using control::Json;
constexpr u64 kDefaultDumpBytes = 64, kMaxDumpBytes = 4096, kRowBytes = 16;

std::string scalar(const Json& json) {
  if (json.is_string()) return json.get<std::string>();
  return json.is_null() ? "-" : json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

bool is_plain_list(const Json& json) {
  return json.is_array() && std::none_of(json.begin(), json.end(), [](const Json& j) { return j.is_structured(); });
}

std::string on_one_line(const Json& list) {
  std::string out;
  for (const Json& j : list) out += (out.empty() ? "" : " ") + scalar(j);
  return out;
}

void write(std::string& out, const Json& json, size_t depth) {
  const std::string indent(2 * depth, ' ');
  for (const auto& [key, value] : json.items()) {
    const std::string name = json.is_array() ? "-" : key + ":";
    if (!value.is_structured() || is_plain_list(value)) {
      out += fmt::format("{}{} {}\n", indent, name, value.is_structured() ? on_one_line(value) : scalar(value));
    } else {
      out += fmt::format("{}{}\n", indent, name);
      write(out, value, depth + 1);
    }
  }
}

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

std::string to_lines(const Json& json) {
  std::string out;
  if (json.is_structured()) write(out, json, 0);
  else out = scalar(json) + "\n";
  return out.empty() ? "done\n" : out;
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
                                "[PART]: registers as instructions see them now, rotation applied");
  for (const control::CommandRow& row : control::command_table()) out += fmt::format("{:<12} {}\n", row.name, row.help);
  return out;
}

}  // namespace ia64::machine::debugger
