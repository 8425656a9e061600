// PCI configuration header type 0, capabilities, MSI and MSI-X. @source PCI local bus specification 3.0, ch.
// 6
#pragma once

#include "base/int_types.h"

namespace ia64::devices::pci {

inline constexpr unsigned kVendorId = 0x00, kDeviceId = 0x02, kCommand = 0x04, kStatus = 0x06,
                          kRevision = 0x08, kClass = 0x09, kCacheLine = 0x0c, kLatency = 0x0d,
                          kHeaderType = 0x0e, kBar0 = 0x10, kSubsystemVendor = 0x2c, kSubsystemId = 0x2e,
                          kCapabilities = 0x34, kInterruptLine = 0x3c, kInterruptPin = 0x3d,
                          kFirstCapability = 0x40;
inline constexpr unsigned kConfigSize = 256;

inline constexpr u16 kCommandIo = 1u << 0, kCommandMemory = 1u << 1, kCommandMaster = 1u << 2,
                     kCommandParity = 1u << 6, kCommandSerr = 1u << 8, kCommandIntxDisable = 1u << 10;
inline constexpr u16 kStatusInterrupt = 1u << 3, kStatusCapabilities = 1u << 4;

inline constexpr u8 kCapMsi = 0x05, kCapVendor = 0x09, kCapMsix = 0x11;

// MSI, 64-bit address, one vector: control +2, address +4, upper +8, data +12.
inline constexpr u16 kMsiEnable = 1u << 0, kMsi64Bit = 1u << 7;
// MSI-X: control +2, table offset/BIR +4, PBA offset/BIR +8.
inline constexpr u16 kMsixEnable = 1u << 15, kMsixFunctionMask = 1u << 14;
inline constexpr unsigned kMsixEntryBytes = 16;
inline constexpr u32 kMsixVectorMasked = 1u << 0;

}  // namespace ia64::devices::pci
