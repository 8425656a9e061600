// Reader of COFF symbol tables.
#include "firmware/loader/pe_symbols.h"

#include <cstring>

#include "base/endian.h"

namespace ia64::firmware {
namespace {

constexpr u64 kSymbolBytes = 18, kSectionBytes = 40;
constexpr u32 kMostSymbols = 1 << 20;
enum StorageClass : u8 { kExternal = 2, kStatic = 3, kLabel = 6 };

template <class T>
bool get(std::span<const u8> file, u64 at, T& v) {
  if (at > file.size() || file.size() - at < sizeof(T)) return false;
  v = load_le<T>(file.data() + at);
  return true;
}

std::string text(std::span<const u8> file, u64 at, size_t most) {
  if (at >= file.size()) return {};
  const auto* begin = reinterpret_cast<const char*>(file.data() + at);
  return {begin, strnlen(begin, std::min<u64>(most, file.size() - at))};
}

/// Up to 8 characters in place, or an offset into the strings behind the table.
std::string name_of(std::span<const u8> file, u64 entry, u64 strings) {
  u32 zeroes = 0, offset = 0;
  (void)get(file, entry, zeroes), (void)get(file, entry + 4, offset);
  return zeroes ? text(file, entry, 8) : text(file, strings + offset, 4096);
}

}  // namespace

std::vector<EfiImageSymbol> pe_symbols(std::span<const u8> file) {
  u32 pe = 0, table = 0, count = 0;
  u16 sections = 0, optional_size = 0;
  if (!get(file, 0x3c, pe)) return {};
  const u64 coff = u64{pe} + 4;
  if (!get(file, coff + 2, sections) || !get(file, coff + 8, table) || !get(file, coff + 12, count) || !get(file, coff + 16, optional_size))
    return {};
  if (table == 0 || count == 0 || count > kMostSymbols) return {};
  const u64 headers = coff + 20 + optional_size, strings = table + u64{count} * kSymbolBytes;
  std::vector<EfiImageSymbol> out;
  for (u32 n = 0; n < count; n++) {
    const u64 entry = table + n * kSymbolBytes;
    u32 value = 0, rva = 0;
    u16 section = 0;
    u8 storage = 0, auxiliary = 0;
    if (!get(file, entry + 8, value) || !get(file, entry + 12, section) || !get(file, entry + 16, storage) || !get(file, entry + 17, auxiliary))
      break;
    n += auxiliary;
    if (section == 0 || section > sections || (storage != kExternal && storage != kStatic && storage != kLabel)) continue;
    if (storage == kStatic && auxiliary && value == 0) continue;  // the section itself
    if (!get(file, headers + (section - 1u) * kSectionBytes + 12, rva)) break;
    std::string name = name_of(file, entry, strings);
    if (!name.empty() && name[0] != '.') out.push_back({std::move(name), rva + value});
  }
  return out;
}

}  // namespace ia64::firmware
