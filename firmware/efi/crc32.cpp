// Table-driven CRC-32.
#include "firmware/efi/crc32.h"

#include <array>

namespace ia64::firmware {
namespace {

constexpr std::array<u32, 256> make_table() {
  std::array<u32, 256> t{};
  for (u32 i = 0; i < 256; i++) {
    u32 c = i;
    for (int k = 0; k < 8; k++) c = c & 1 ? 0xedb8'8320 ^ (c >> 1) : c >> 1;
    t[i] = c;
  }
  return t;
}
constexpr auto kTable = make_table();

}  // namespace

u32 crc32(std::span<const u8> bytes, u32 seed) {
  u32 c = ~seed;
  for (const u8 b : bytes) c = kTable[(c ^ b) & 0xff] ^ (c >> 8);
  return ~c;
}

}  // namespace ia64::firmware
