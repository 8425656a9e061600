// System interface registers of the 53C1030. @source LSI Fusion-MPT Message Passing Interface 1.2, ch. 2;
// LSI53C1030 technical manual, ch. 4
#pragma once

#include "base/int_types.h"

namespace ia64::devices::mpt {

inline constexpr u16 kVendorId = 0x1000, kDeviceId = 0x0030;
inline constexpr u8 kRevisionC0 = 0x08;

// Register offsets, the same in I/O and in memory space. All are doublewords.
inline constexpr unsigned kDoorbell = 0x00, kWriteSequence = 0x04, kDiagnostic = 0x08, kTestBase = 0x0c,
                          kDiagRwData = 0x10, kDiagRwAddress = 0x14, kInterruptStatus = 0x30,
                          kInterruptMask = 0x34, kRequestQueue = 0x40, kReplyQueue = 0x44;

// --- doorbell, read: IOC state, who initialized it, handshake in progress, data or fault code
inline constexpr u32 kStateReset = 0x0000'0000, kStateReady = 0x1000'0000, kStateOperational = 0x2000'0000,
                     kStateFault = 0x4000'0000, kStateMask = 0xf000'0000;
inline constexpr u32 kDoorbellActive = 1u << 27;
inline constexpr unsigned kWhoInitShift = 24;
// --- doorbell, write: function and its argument
inline constexpr unsigned kDoorbellFunctionShift = 24, kDoorbellDwordsShift = 16;
inline constexpr u8 kDoorbellMessageUnitReset = 0x40, kDoorbellIoUnitReset = 0x41, kDoorbellHandshake = 0x42,
                    kDoorbellReplyFrameRemoval = 0x43, kDoorbellHostPageBuffer = 0x44;

// --- write sequence: these five, in order, make the diagnostic register writable
inline constexpr u8 kSequenceKeys[] = {0x4, 0xb, 0x2, 0x7, 0xd};

inline constexpr u32 kDiagPreventBoot = 1u << 9, kDiagWriteEnabled = 1u << 7, kDiagResetHistory = 1u << 5,
                     kDiagRwEnable = 1u << 4, kDiagResetAdapter = 1u << 2, kDiagDisableArm = 1u << 1,
                     kDiagMemoryEnable = 1u << 0;

inline constexpr u32 kStatusReply = 1u << 3, kStatusDoorbell = 1u << 0;
inline constexpr u32 kMaskReply = 1u << 3, kMaskDoorbell = 1u << 0;

inline constexpr u32 kQueueEmpty = 0xffff'ffff;        // what an empty reply queue reads as
inline constexpr u32 kRequestAddressMask = ~u32{7};    // the low bits say how many 64-byte blocks to prefetch
inline constexpr u32 kAddressReply = 1u << 31;         // the rest is the frame's address shifted right by one
inline constexpr u32 kContextReplyMask = 0x1fff'ffff;  // contexts a context reply of an initiator can carry

// --- fault codes
inline constexpr u16 kFaultRequestBus = 0x8112, kFaultReplyBus = 0x8114;
/// Not in the manual: the driver overran a queue.
inline constexpr u16 kFaultQueueOverrun = 0x8fff;

}  // namespace ia64::devices::mpt
