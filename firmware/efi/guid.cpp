// GUID text conversions.
#include "firmware/efi/guid.h"

#include <fmt/format.h>

namespace ia64::firmware {

std::string to_text(const Guid& g) {
  return fmt::format("{:08X}-{:04X}-{:04X}-{:02X}{:02X}-{:02X}{:02X}{:02X}{:02X}{:02X}{:02X}", g.a, g.b, g.c,
                     g.d[0], g.d[1], g.d[2], g.d[3], g.d[4], g.d[5], g.d[6], g.d[7]);
}

std::optional<Guid> parse_guid(std::string_view text) {
  if (text.size() != 36) return {};
  u8 nibbles[32];
  unsigned count = 0;
  for (size_t i = 0; i < text.size(); i++) {
    const char c = text[i];
    if (i == 8 || i == 13 || i == 18 || i == 23) {
      if (c != '-') return {};
      continue;
    }
    const bool digit = c >= '0' && c <= '9', lower = c >= 'a' && c <= 'f', upper = c >= 'A' && c <= 'F';
    if (!digit && !lower && !upper) return {};
    nibbles[count++] = static_cast<u8>(digit ? c - '0' : lower ? c - 'a' + 10 : c - 'A' + 10);
  }
  auto number = [&](unsigned from, unsigned digits) {
    u32 v = 0;
    for (unsigned i = 0; i < digits; i++) v = v << 4 | nibbles[from + i];
    return v;
  };
  Guid g{number(0, 8), static_cast<u16>(number(8, 4)), static_cast<u16>(number(12, 4)), {}};
  for (unsigned i = 0; i < 8; i++) g.d[i] = static_cast<u8>(number(16 + 2 * i, 2));
  return g;
}

std::string guid_name(const Guid& g) {
#define X(name, ...) \
  if (g == guid::k##name) return #name;
  EFI_GUIDS(X)
#undef X
  return to_text(g);
}

}  // namespace ia64::firmware
