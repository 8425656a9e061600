// ELF symbol tables and System.map files.
#include "machine/debugger/symbol_files.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cstring>
#include <filesystem>

#include "base/endian.h"
#include "machine/host_files.h"

namespace ia64::machine::debugger {
namespace {

constexpr u16 kElfIa64 = 50;
constexpr u32 kSymtab = 2, kDynsym = 11;
constexpr unsigned kSectionHeaderBytes = 64, kSymbolBytes = 24;
constexpr u16 kUndefined = 0, kAbsolute = 0xfff1, kCommon = 0xfff2;
enum Type : u8 { kNoType = 0, kObject = 1, kFunction = 2 };

Error bad_elf(const char* why) { return {ErrorKind::Invalid, fmt::format("its ELF data {}", why)}; }

/// Bytes `offset`.. of a file that claims anything.
std::span<const u8> part(std::span<const u8> file, u64 offset, u64 size) {
  if (offset > file.size() || size > file.size() - offset) return {};
  return file.subspan(offset, size);
}

struct Section {
  u32 type = 0, link = 0;
  u64 offset = 0, size = 0;
};

std::vector<Section> sections_of(std::span<const u8> file) {
  std::vector<Section> out;
  const u64 table = load_le<u64>(&file[40]);
  const u16 entry_bytes = load_le<u16>(&file[58]), count = load_le<u16>(&file[60]);
  if (entry_bytes != kSectionHeaderBytes) return out;
  const auto headers = part(file, table, u64{count} * kSectionHeaderBytes);
  for (size_t at = 0; at + kSectionHeaderBytes <= headers.size(); at += kSectionHeaderBytes)
    out.push_back({load_le<u32>(&headers[at + 4]), load_le<u32>(&headers[at + 40]), load_le<u64>(&headers[at + 24]),
                   load_le<u64>(&headers[at + 32])});
  return out;
}

std::string text_at(std::span<const u8> strings, u32 offset) {
  if (offset >= strings.size()) return {};
  const auto* begin = reinterpret_cast<const char*>(&strings[offset]);
  return {begin, strnlen(begin, strings.size() - offset)};
}

std::string upper(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::toupper(c); });
  return text;
}

}  // namespace

Result<std::vector<Symbol>> elf_symbols(std::span<const u8> file) {
  if (file.size() < 64 || std::memcmp(file.data(), "\177ELF\2\1", 6) != 0) return bad_elf("is not of a little-endian 64-bit file");
  if (load_le<u16>(&file[18]) != kElfIa64) return bad_elf("is not for IA-64");
  const auto sections = sections_of(file);
  const auto of_type = [&](u32 type) { return std::find_if(sections.begin(), sections.end(), [&](const Section& s) { return s.type == type; }); };
  auto table = of_type(kSymtab);
  if (table == sections.end()) table = of_type(kDynsym);
  if (table == sections.end()) return bad_elf("has no symbol table (stripped)");
  if (table->link >= sections.size()) return bad_elf("has a symbol table without names");
  const auto strings = part(file, sections[table->link].offset, sections[table->link].size);
  const auto entries = part(file, table->offset, table->size);
  if (entries.empty()) return bad_elf("is cut short");
  std::vector<Symbol> out;
  for (size_t at = 0; at + kSymbolBytes <= entries.size(); at += kSymbolBytes) {
    const u8 info = entries[at + 4], type = info & 15;
    const u16 index = load_le<u16>(&entries[at + 6]);
    if (type > kFunction || index == kUndefined || index == kAbsolute || index == kCommon) continue;
    out.push_back({load_le<u64>(&entries[at + 8]), load_le<u64>(&entries[at + 16]), text_at(strings, load_le<u32>(&entries[at])),
                   type != kNoType && info >> 4 != 0});
  }
  return out;
}

Result<std::vector<Symbol>> map_symbols(std::string_view text) {
  std::vector<Symbol> out;
  for (size_t line = 1; !text.empty(); line++) {
    const size_t end = std::min(text.find('\n'), text.size());
    std::string_view row = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (row.empty()) continue;
    Symbol s;
    const auto [after, bad] = std::from_chars(row.data(), row.data() + row.size(), s.address, 16);
    const auto digits = static_cast<size_t>(after - row.data());
    if (bad != std::errc{} || row.size() < digits + 4 || row[digits] != ' ' || row[digits + 2] != ' ') {
      if (row.find(" U ") != std::string_view::npos || row.find(" w ") != std::string_view::npos) continue;  // nm: no address
      return Error{ErrorKind::Invalid, fmt::format("line {} is not \"ADDRESS TYPE NAME\"", line)};
    }
    const char type = row[digits + 1];
    if (std::strchr("UuAavw?", type)) continue;
    const std::string_view rest = row.substr(digits + 3);
    s.name = rest.substr(0, rest.find_first_of("\t\r "));
    s.preferred = type >= 'A' && type <= 'Z';
    out.push_back(std::move(s));
  }
  return out;
}

Result<SymbolFile> read_symbol_file(const std::string& argument) {
  SymbolFile out{.path = argument, .efi_name = {}, .symbols = {}};
  const size_t at = argument.rfind('@');
  std::error_code none;
  if (at != std::string::npos && !std::filesystem::exists(argument, none))
    out = {argument.substr(0, at), upper(argument.substr(at + 1)), {}};
  auto data = read_maybe_gzipped(out.path, "symbol file");
  if (!data) return data.error();
  const bool is_elf = data->size() >= 4 && std::memcmp(data->data(), "\177ELF", 4) == 0;
  auto symbols = is_elf ? elf_symbols(*data) : map_symbols({reinterpret_cast<const char*>(data->data()), data->size()});
  if (!symbols) return Error{symbols.error().kind, fmt::format("symbol file {}: {}", out.path, symbols.error().message)};
  if (symbols->empty()) return Error{ErrorKind::Invalid, fmt::format("symbol file {}: it names nothing", out.path)};
  out.symbols = std::move(*symbols);
  return out;
}

}  // namespace ia64::machine::debugger
