// Parsing of bare programs.
#include "machine/bare/program.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "base/endian.h"
#include "machine/host_files.h"

namespace ia64::machine {
namespace {

using Json = nlohmann::json;

Error invalid(std::string text) { return {ErrorKind::Invalid, std::move(text)}; }

/// Splits `text` at the first `separator`; the second part is empty when there is none.
std::pair<std::string, std::string> split(const std::string& text, char separator) {
  const auto at = text.find(separator);
  if (at == std::string::npos) return {text, ""};
  return {text.substr(0, at), text.substr(at + 1)};
}

struct ElfView {
  const std::vector<u8>& file;
  bool big;
  template <class T>
  T get(u64 offset) const {
    return big ? load_be<T>(&file[offset]) : load_le<T>(&file[offset]);
  }
};

Result<void> add_segments(BareProgram& program, const ElfView& elf, const std::string& path) {
  const u64 table = elf.get<u64>(32);
  const unsigned entry_size = elf.get<u16>(54), count = elf.get<u16>(56);
  for (unsigned i = 0; i < count; i++) {
    const u64 at = table + u64{i} * entry_size;
    if (entry_size < 56 || at > elf.file.size() - 56) return invalid(fmt::format("{}: program headers lie outside the file", path));
    if (elf.get<u32>(at) != 1) continue;  // PT_LOAD
    const u64 offset = elf.get<u64>(at + 8), address = elf.get<u64>(at + 24), size = elf.get<u64>(at + 32),
              memory = elf.get<u64>(at + 40);
    if (offset > elf.file.size() || size > elf.file.size() - offset || memory < size || memory > (u64{1} << 32))
      return invalid(fmt::format("{}: segment {} lies outside the file", path, i));
    std::vector<u8> bytes(elf.file.begin() + static_cast<std::ptrdiff_t>(offset),
                          elf.file.begin() + static_cast<std::ptrdiff_t>(offset + size));
    bytes.resize(memory);
    program.memory.push_back({address, std::move(bytes)});
  }
  return {};
}

Result<std::vector<u8>> parse_hex(const std::string& text) {
  if (text.size() % 2) return invalid("'hex' has an odd number of digits");
  std::vector<u8> out;
  for (size_t i = 0; i < text.size(); i += 2) {
    if (!std::isxdigit(static_cast<unsigned char>(text[i])) || !std::isxdigit(static_cast<unsigned char>(text[i + 1])))
      return invalid("'hex' has a character that is not a hexadecimal digit");
    out.push_back(static_cast<u8>(std::stoul(text.substr(i, 2), nullptr, 16)));
  }
  return out;
}

Result<u64> number_of(const Json& v, const std::string& what) {
  if (v.is_number_unsigned()) return v.get<u64>();
  if (v.is_number_integer()) return static_cast<u64>(v.get<i64>());
  if (v.is_string()) return parse_number(v.get<std::string>(), what);
  return invalid(fmt::format("'{}' is neither a number nor a string", what));
}

std::string text_of(const Json& v) { return v.is_string() ? v.get<std::string>() : v.dump(); }

Result<void> load_member(BareProgram& p, const Json& item) {
  auto address = number_of(item.value("addr", Json()), "load.addr");
  if (!address) return address.error();
  if (item.contains("file")) return add_load(p, fmt::format("{}={}", *address, text_of(item["file"])));
  auto bytes = parse_hex(item.value("hex", ""));
  if (!bytes) return bytes.error();
  p.memory.push_back({*address, std::move(*bytes)});
  return {};
}

Result<void> member(BareProgram& p, const std::string& name, const Json& v) {
  const auto each = [&](auto add) -> Result<void> {
    if (!v.is_array()) return invalid(fmt::format("'{}' is not an array", name));
    for (const Json& item : v)
      if (Result<void> ok = add(item); !ok) return ok;
    return {};
  };
  const auto number = [&](auto& field) -> Result<void> {
    auto n = number_of(v, name);
    if (!n) return n.error();
    field = static_cast<std::decay_t<decltype(field)>>(*n);
    return {};
  };
  if (name == "id") return p.id = v.dump(), Result<void>{};
  if (name == "memory") return number(p.memory_bytes);
  if (name == "cpus") return number(p.cpus);
  if (name == "max_insns") return number(p.max_insns);
  if (name == "slice") return number(p.slice);
  if (name == "entry") return set_entry(p, text_of(v));
  if (name == "load") return each([&](const Json& i) { return load_member(p, i); });
  if (name == "elf") return add_elf(p, text_of(v));
  if (name == "poke") return each([&](const Json& i) { return add_poke(p, text_of(i)); });
  if (name == "dump_mem") return each([&](const Json& i) { return add_dump(p, text_of(i)); });
  if (name == "stop_on_interruption") return p.stop_on_interruption = v.is_boolean() && v.get<bool>(), Result<void>{};
  if (name == "stop_at")
    return each([&](const Json& i) -> Result<void> {
      auto ip = number_of(i, "stop_at");
      if (!ip) return ip.error();
      p.stop_at.push_back(*ip);
      return {};
    });
  if (name == "set") {
    if (!v.is_object()) return invalid("'set' is not an object");
    for (const auto& [key, value] : v.items()) p.registers.emplace_back(key, text_of(value));
    return {};
  }
  return invalid(fmt::format("unknown member '{}'", name));
}

}  // namespace

Result<u64> parse_number(const std::string& text, const std::string& what) {
  const bool negative = !text.empty() && text[0] == '-';
  const std::string digits = negative ? text.substr(1) : text;
  const bool hexadecimal = digits.starts_with("0x") || digits.starts_with("0X");
  char* end = nullptr;
  errno = 0;
  const u64 v = std::strtoull(digits.c_str(), &end, hexadecimal ? 16 : 10);
  if (digits.empty() || !std::isdigit(static_cast<unsigned char>(digits[0])) || *end || errno)
    return invalid(fmt::format("{}: '{}' is not a 64-bit number", what, text));
  return negative ? ~v + 1 : v;
}

Result<void> add_load(BareProgram& program, const std::string& argument) {
  const auto [where, path] = split(argument, '=');
  auto address = parse_number(where, "load " + argument);
  if (!address) return address.error();
  auto bytes = read_file(path, "load");
  if (!bytes) return bytes.error();
  program.memory.push_back({*address, std::move(*bytes)});
  return {};
}

Result<void> add_elf(BareProgram& program, const std::string& path) {
  auto file = read_file(path, "ELF file");
  if (!file) return file.error();
  const std::vector<u8>& f = *file;
  if (f.size() < 64 || std::memcmp(f.data(), "\177ELF\2", 5) != 0) return invalid(fmt::format("{}: not a 64-bit ELF file", path));
  const ElfView elf{f, f[5] == 2};
  if (elf.get<u16>(18) != 50) return invalid(fmt::format("{}: ELF machine {} is not IA-64 (50)", path, elf.get<u16>(18)));
  if (auto ok = add_segments(program, elf, path); !ok) return ok;
  if (!program.entry_ip) program.entry_ip = elf.get<u64>(24);
  return {};
}

Result<void> add_poke(BareProgram& program, const std::string& argument) {
  const auto [where, value_text] = split(argument, '=');
  const auto [address_text, size_text] = split(where, ':');
  auto address = parse_number(address_text, "poke " + argument);
  auto size = parse_number(size_text, "poke " + argument);
  auto value = parse_number(value_text, "poke " + argument);
  for (const auto* r : {&address, &size, &value})
    if (!*r) return r->error();
  if (*size != 1 && *size != 2 && *size != 4 && *size != 8) return invalid(fmt::format("poke {}: the size is not 1, 2, 4 or 8", argument));
  std::vector<u8> bytes(8);
  store_le(bytes.data(), *value);
  bytes.resize(*size);
  program.memory.push_back({*address, std::move(bytes)});
  return {};
}

Result<void> add_register(BareProgram& program, const std::string& argument) {
  auto [name, value] = split(argument, '=');
  if (name.empty() || value.empty()) return invalid(fmt::format("set {}: expected NAME=VALUE", argument));
  program.registers.emplace_back(std::move(name), std::move(value));
  return {};
}

Result<void> set_entry(BareProgram& program, const std::string& argument) {
  const auto [ip_text, slot_text] = split(argument, ':');
  auto ip = parse_number(ip_text, "entry");
  if (!ip) return ip.error();
  if (*ip % 16 || (!slot_text.empty() && slot_text != "0" && slot_text != "1" && slot_text != "2"))
    return invalid(fmt::format("entry {}: expected IP[:SLOT], IP a multiple of 16, SLOT 0 to 2", argument));
  program.entry_ip = *ip;
  program.entry_slot = slot_text.empty() ? 0 : static_cast<u8>(slot_text[0] - '0');
  return {};
}

Result<void> add_dump(BareProgram& program, const std::string& argument) {
  const auto [address_text, size_text] = split(argument, ':');
  auto address = parse_number(address_text, "dump-mem " + argument);
  auto size = parse_number(size_text, "dump-mem " + argument);
  if (!address) return address.error();
  if (!size) return size.error();
  if (*size > (u64{64} << 20)) return invalid(fmt::format("dump-mem {}: more than 64 MiB", argument));
  program.dump_memory.push_back({*address, *size});
  return {};
}

Result<BareProgram> parse_program(const std::string& json_line) {
  const Json json = Json::parse(json_line, nullptr, false);
  if (!json.is_object()) return invalid("the line is not a JSON object");
  BareProgram program;
  for (const auto& [name, value] : json.items())
    if (auto ok = member(program, name, value); !ok) return ok.error();
  return program;
}

}  // namespace ia64::machine
