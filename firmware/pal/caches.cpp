// PAL cache procedures: geometry of the five caches, flushes. @source SDM vol. 2, 11.10.3; platform
// reference 4.4
#include "firmware/pal/pal.h"

namespace ia64::firmware::pal {

namespace {

struct Cache {
  u8 level, type;  // type 1 instruction, 2 data or unified
  bool unified;
  u8 attribute;  // 0 write-through, 1 write-back; instruction caches read 3
  u8 ways, line_log2, store_latency, load_latency;
  u32 size_bytes;
  u8 tag_lsb;
  u64 protection;
};

constexpr u8 kInstruction = 1, kData = 2, kNoStores = 0xff;
constexpr u64 kParity = 0x4000'0000'0800'0000, kEcc = 0x481c'4f23'0c70'0020;

constexpr Cache kCaches[] = {
    {0, kInstruction, false, 3, 4, 6, kNoStores, 1, 16 << 10, 12, kParity},
    {0, kData, false, 0, 4, 6, 3, 1, 16 << 10, 12, 0x441c'4c26'0480'0040},
    {1, kInstruction, false, 3, 8, 7, kNoStores, 7, 1 << 20, 17, kEcc},
    {1, kData, false, 1, 8, 7, 7, 5, 256 << 10, 15, kEcc},
    {2, kData, true, 1, 12, 7, 7, 14, 12 << 20, 20, 0x4c7c'5220'0c50'0080},
};
constexpr unsigned kLevels = 3;

/// The cache of a level and type. The unified one answers as data; asked for as instruction it is an error.
const Cache* find_cache(u64 level, u64 type) {
  for (const Cache& c : kCaches)
    if (c.level == level && c.type == type) return &c;
  return nullptr;
}

u64 config_1(const Cache& c) {
  constexpr u64 kFlushStrideLog2 = 7, kStoreHints = 0x09, kLoadHints = 0x0b;
  return u64{c.unified} | u64{c.attribute} << 1 | u64{c.ways} << 8 | u64{c.line_log2} << 16 |
         kFlushStrideLog2 << 24 | u64{c.store_latency} << 32 | u64{c.load_latency} << 40 |
         (c.type == kData ? kStoreHints << 48 : 0) | kLoadHints << 56;
}

u64 config_2(const Cache& c, unsigned physical_bits) {
  constexpr u64 kAliasBoundaryLog2 = 12;
  return c.size_bytes | kAliasBoundaryLog2 << 32 | u64{c.tag_lsb} << 40 | u64{physical_bits - 1} << 48;
}

}  // namespace

PalResult cache_summary(Call& call) {
  if (call.a1 || call.a2 || call.a3) return kInvalid;
  return {0, kLevels, std::size(kCaches)};
}

PalResult cache_info(Call& call) {
  const Cache* c = find_cache(call.a1, call.a2);
  if (!c || call.a3) return kInvalid;
  return {0, config_1(*c), config_2(*c, call.pal.model().physical_address_bits)};
}

PalResult cache_prot_info(Call& call) {
  const Cache* c = find_cache(call.a1, call.a2);
  if (!c || call.a3) return kInvalid;
  return {0, c->protection};
}

PalResult cache_flush(Call& call) {
  const bool type_valid = call.a1 >= 1 && call.a1 <= 4;
  if (!type_valid || call.a2 > 3) return kInvalid;
  // Guest memory is always coherent; what can be stale is decoded code.
  call.cpu().flush_code();
  return {};
}

PalResult cache_init(Call& call) {
  const bool all = call.a1 == ~u64{0};
  if ((!all && call.a1 >= kLevels) || call.a2 < 1 || call.a2 > 3 || call.a3 > 1) return kInvalid;
  return {};
}

PalResult cache_line_init(Call& call) {
  return call.a3 ? kInvalid : PalResult{};
}

PalResult cache_shared_info(Call& call) {
  // Every cache belongs to one logical processor: number 0 of its package, or -1 for the caller itself.
  if (!find_cache(call.a1, call.a2)) return kInvalid;
  if (call.a3 != 0 && call.a3 != ~u64{0}) return kInvalid;
  return {0, 1, 0, field(call.cpu().regs().lid, 16, 16)};
}

PalResult prefetch_visibility(Call& call) {
  if (call.a1 > 1 || call.a2 || call.a3) return kInvalid;
  return {1};  // nothing prefetched is ever visible: remote processors need not call
}

}  // namespace ia64::firmware::pal
