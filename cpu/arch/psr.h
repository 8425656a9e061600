// Processor status register: bit positions and masks. @source SDM vol. 2, 3.3.2
#pragma once

#include "base/bits.h"

namespace ia64::cpu::psr {

inline constexpr u64 kBe = bit(1), kUp = bit(2), kAc = bit(3), kMfl = bit(4), kMfh = bit(5);
inline constexpr u64 kIc = bit(13), kI = bit(14), kPk = bit(15);
inline constexpr u64 kDt = bit(17), kDfl = bit(18), kDfh = bit(19), kSp = bit(20), kPp = bit(21), kDi = bit(22);
inline constexpr u64 kSi = bit(23), kDb = bit(24), kLp = bit(25), kTb = bit(26), kRt = bit(27);
inline constexpr unsigned kCplPos = 32;
inline constexpr u64 kCpl = u64{3} << 32, kIs = bit(34), kMc = bit(35), kIt = bit(36), kId = bit(37), kDa = bit(38);
inline constexpr u64 kDd = bit(39), kSs = bit(40);
inline constexpr unsigned kRiPos = 41;
inline constexpr u64 kRi = u64{3} << 41, kEd = bit(43), kBn = bit(44), kIa = bit(45), kVm = bit(46);

inline constexpr u64 kUserMask = kBe | kUp | kAc | kMfl | kMfh;   ///< PSR.um, bits 5:0
inline constexpr u64 kSystemMask = low_mask(24);                   ///< what ssm/rsm can name
inline constexpr u64 kLowWord = low_mask(32);                      ///< PSR.l, what mov psr.l writes
inline constexpr u64 kDefined = kUserMask | kIc | kI | kPk | kDt | kDfl | kDfh | kSp | kPp | kDi | kSi | kDb | kLp |
                                kTb | kRt | kCpl | kIs | kMc | kIt | kId | kDa | kDd | kSs | kRi | kEd | kBn | kIa | kVm;

}  // namespace ia64::cpu::psr
