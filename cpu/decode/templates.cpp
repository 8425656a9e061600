// Bundle templates and the split of a bundle into slots.
#include <cstring>

#include "base/bits.h"
#include "cpu/decode/decoder.h"

namespace ia64::cpu {
namespace {

constexpr Unit M = Unit::M, I = Unit::I, B = Unit::B, F = Unit::F, X = Unit::X;
constexpr BundleTemplate kReserved{{M, I, I}, 0, true, false, "???"};

// clang-format off
constexpr BundleTemplate kTemplates[32] = {
    {{M, I, I}, 0, false, false, "MII"}, {{M, I, I}, 4, false, false, "MII"},  // 00
    {{M, I, I}, 2, false, false, "MII"}, {{M, I, I}, 6, false, false, "MII"},  // 02
    {{M, X, X}, 0, false, true, "MLX"},  {{M, X, X}, 4, false, true, "MLX"},   // 04
    kReserved,                           kReserved,                            // 06
    {{M, M, I}, 0, false, false, "MMI"}, {{M, M, I}, 4, false, false, "MMI"},  // 08
    {{M, M, I}, 1, false, false, "MMI"}, {{M, M, I}, 5, false, false, "MMI"},  // 0a
    {{M, F, I}, 0, false, false, "MFI"}, {{M, F, I}, 4, false, false, "MFI"},  // 0c
    {{M, M, F}, 0, false, false, "MMF"}, {{M, M, F}, 4, false, false, "MMF"},  // 0e
    {{M, I, B}, 0, false, false, "MIB"}, {{M, I, B}, 4, false, false, "MIB"},  // 10
    {{M, B, B}, 0, false, false, "MBB"}, {{M, B, B}, 4, false, false, "MBB"},  // 12
    kReserved,                           kReserved,                            // 14
    {{B, B, B}, 0, false, false, "BBB"}, {{B, B, B}, 4, false, false, "BBB"},  // 16
    {{M, M, B}, 0, false, false, "MMB"}, {{M, M, B}, 4, false, false, "MMB"},  // 18
    kReserved,                           kReserved,                            // 1a
    {{M, F, B}, 0, false, false, "MFB"}, {{M, F, B}, 4, false, false, "MFB"},  // 1c
    kReserved,                           kReserved,                            // 1e
};
// clang-format on

}  // namespace

const BundleTemplate& bundle_template(unsigned bits) noexcept { return kTemplates[bits & 31]; }

RawBundle split_bundle(const u8* bytes) noexcept {
  u64 low, high;
  std::memcpy(&low, bytes, 8);
  std::memcpy(&high, bytes + 8, 8);
  return {{field(low, 5, 41), low >> 46 | field(high, 0, 23) << 18, high >> 23}, static_cast<u8>(low & 31)};
}

}  // namespace ia64::cpu
