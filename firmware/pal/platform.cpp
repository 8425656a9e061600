// PAL platform procedures: bus features, address blocks, relocating PAL itself. @source SDM vol. 2, 11.10.3
#include "firmware/pal/pal.h"

namespace ia64::firmware::pal {

namespace {

constexpr u64 kBusAvailable = 0xbdf0'0000'6000'0000, kBusControllable = 0xbdb0'0000'4000'0000;
constexpr u64 kUncacheable = bit(63);
constexpr u64 kCopyAlignment = 4096, kCopyBytes = 4096;

}  // namespace

PalResult bus_get_features(Call& call) {
  if (call.a1 || call.a2 || call.a3) return kInvalid;
  return {0, kBusAvailable, call.processor().bus_features, kBusControllable};
}

PalResult bus_set_features(Call& call) {
  if (call.a2 || call.a3) return kInvalid;
  u64& status = call.processor().bus_features;
  status = (status & ~kBusControllable) | (call.a1 & kBusControllable);
  return {};
}

PalResult platform_addr(Call& call) {
  if (call.a1 > 1 || call.a3) return kInvalid;
  const GuestPhys wanted = call.a2 & ~kUncacheable;
  const GuestPhys fixed = call.a1 ? call.pal.board().port_space_base : call.pal.board().interrupt_block_base;
  const u64 alignment = call.a1 ? u64{64} << 20 : u64{2} << 20;
  if (wanted % alignment) return kInvalid;
  return wanted == fixed ? PalResult{} : PalResult{pal_status::kError};  // the board decodes one place only
}

PalResult copy_info(Call& call) {
  if (call.a1 > 1) return kInvalid;
  return {0, kCopyBytes, kCopyAlignment};
}

PalResult copy_pal(Call& call) {
  const GuestPhys target = call.a1 & ~kUncacheable;
  if (target % kCopyAlignment || call.a2 < kCopyBytes || call.a3 > 1) return kInvalid;
  if (!call.pal.bus().ram_span(target, kCopyBytes)) return kInvalid;
  // The stub traps by its immediate and its place within a page, so the copy serves every processor at once.
  u8 code[kCopyBytes];
  call.pal.bus().read_bytes(align_down(call.pal.entry(), kCopyBytes), code, sizeof code);
  call.pal.bus().write_bytes(target, code, sizeof code);
  return {0, call.pal.entry() % kCopyBytes};
}

}  // namespace ia64::firmware::pal
