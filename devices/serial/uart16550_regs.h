// 16550A registers. @source National Semiconductor PC16550D data sheet, table II
#pragma once

#include "base/int_types.h"

namespace ia64::devices::uart16550 {

// Offsets, DLAB = 0 unless said otherwise.
inline constexpr unsigned kData = 0;  ///< RBR read, THR write; DLL with DLAB
inline constexpr unsigned kIer = 1;   ///< DLM with DLAB
inline constexpr unsigned kIir = 2;   ///< read; FCR write
inline constexpr unsigned kLcr = 3;
inline constexpr unsigned kMcr = 4;
inline constexpr unsigned kLsr = 5;
inline constexpr unsigned kMsr = 6;
inline constexpr unsigned kScr = 7;

inline constexpr u8 kIerReceive = 0x01, kIerTransmit = 0x02, kIerLine = 0x04, kIerModem = 0x08;

inline constexpr u8 kIirNone = 0x01, kIirModem = 0x00, kIirTransmit = 0x02, kIirReceive = 0x04,
                    kIirLine = 0x06, kIirTimeout = 0x0c, kIirFifosOn = 0xc0;

inline constexpr u8 kFcrEnable = 0x01, kFcrClearReceive = 0x02, kFcrClearTransmit = 0x04;
inline constexpr unsigned kFcrTriggerShift = 6;

inline constexpr u8 kLcrWordLength = 0x03, kLcrBreak = 0x40, kLcrDlab = 0x80;

inline constexpr u8 kMcrDtr = 0x01, kMcrRts = 0x02, kMcrOut1 = 0x04, kMcrOut2 = 0x08, kMcrLoop = 0x10,
                    kMcrBits = 0x1f;

inline constexpr u8 kLsrData = 0x01, kLsrOverrun = 0x02, kLsrParity = 0x04, kLsrFraming = 0x08,
                    kLsrBreak = 0x10, kLsrThrEmpty = 0x20, kLsrIdle = 0x40, kLsrFifoError = 0x80;

inline constexpr u8 kMsrDeltaCts = 0x01, kMsrDeltaDsr = 0x02, kMsrRingEnd = 0x04, kMsrDeltaDcd = 0x08,
                    kMsrCts = 0x10, kMsrDsr = 0x20, kMsrRing = 0x40, kMsrDcd = 0x80;

inline constexpr unsigned kFifoDepth = 16;

}  // namespace ia64::devices::uart16550
