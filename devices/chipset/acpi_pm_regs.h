// ACPI fixed hardware registers of the memory-mapped PM block. @source ACPI 2.0 4.7.3; platform reference 1.4
#pragma once

#include "base/int_types.h"

namespace ia64::devices::acpi_pm {

inline constexpr u64 kPmTimer = 0x04;     ///< 32 bits
inline constexpr u64 kPm1Status = 0x08;   ///< 16 bits, write one to clear
inline constexpr u64 kPm1Enable = 0x0a;   ///< 16 bits
inline constexpr u64 kPm1Control = 0x0c;  ///< 16 bits
inline constexpr u64 kGpe0Status = 0x10;  ///< 32 bits, write one to clear
inline constexpr u64 kGpe0Enable = 0x14;  ///< 32 bits
inline constexpr u64 kSizeBytes = 0x1000;

inline constexpr u64 kPmTimerHz = 3'579'545;

inline constexpr u16 kTimerStatus = 1u << 0;
inline constexpr u16 kPowerButton = 1u << 8;
inline constexpr u16 kPm1StatusBits = 0x8731;  ///< TMR, BM, GBL, PWRBTN, SLPBTN, RTC, WAK
inline constexpr u16 kPm1EnableBits = 0x0721;

inline constexpr u16 kSciEnable = 1u << 0;
inline constexpr unsigned kSleepTypeShift = 10;
inline constexpr u16 kSleepEnable = 1u << 13;  ///< write-only

}  // namespace ia64::devices::acpi_pm
