// EFI status codes, memory types, task priority levels and event types. @source EFI 1.10, appendix D,
// chapters 5 and 6
#pragma once

#include <string_view>

#include "base/bits.h"

namespace ia64::firmware {

/// EFI_STATUS as the guest sees it in r8; bit 63 set means error.
using EfiStatus = u64;

#define EFI_ERROR_ROWS(X)                                                                                  \
  X(LoadError, 1)                                                                                          \
  X(InvalidParameter, 2) X(Unsupported, 3) X(BadBufferSize, 4) X(BufferTooSmall, 5) X(NotReady, 6)         \
      X(DeviceError, 7) X(WriteProtected, 8) X(OutOfResources, 9) X(VolumeCorrupted, 10) X(VolumeFull, 11) \
          X(NoMedia, 12) X(MediaChanged, 13) X(NotFound, 14) X(AccessDenied, 15) X(NoResponse, 16)         \
              X(NoMapping, 17) X(Timeout, 18) X(NotStarted, 19) X(AlreadyStarted, 20) X(Aborted, 21)       \
                  X(IcmpError, 22) X(TftpError, 23) X(ProtocolError, 24) X(IncompatibleVersion, 25)        \
                      X(SecurityViolation, 26) X(CrcError, 27)

namespace efi {
inline constexpr EfiStatus kSuccess = 0;
#define X(name, value) inline constexpr EfiStatus k##name = bit(63) | value;
EFI_ERROR_ROWS(X)
#undef X
inline constexpr EfiStatus kWarnUnknownGlyph = 1, kWarnDeleteFailure = 2, kWarnWriteFailure = 3,
                           kWarnBufferTooSmall = 4;
}  // namespace efi

constexpr bool efi_error(EfiStatus s) {
  return s >> 63;
}
/// The code's name without the EFI_ prefix, for traces.
std::string_view status_name(EfiStatus s);

/// @source EFI 1.10, 5.2 (EFI_MEMORY_TYPE)
enum class MemoryType : u32 {
  Reserved,
  LoaderCode,
  LoaderData,
  BootServicesCode,
  BootServicesData,
  RuntimeServicesCode,
  RuntimeServicesData,
  Conventional,
  Unusable,
  AcpiReclaim,
  AcpiNvs,
  MemoryMappedIo,
  MemoryMappedIoPortSpace,
  PalCode,
  Count,
};

namespace efi {
inline constexpr u64 kMemoryUc = 1, kMemoryWc = 2, kMemoryWt = 4, kMemoryWb = 8, kMemoryUce = 0x10,
                     kMemoryRuntime = bit(63);
inline constexpr u64 kPageSize = 4096;

inline constexpr u64 kTplApplication = 4, kTplCallback = 8, kTplNotify = 16, kTplHighLevel = 31;

inline constexpr u32 kEventTimer = 0x8000'0000, kEventRuntime = 0x4000'0000,
                     kEventRuntimeContext = 0x2000'0000;
inline constexpr u32 kEventNotifyWait = 0x100, kEventNotifySignal = 0x200;
inline constexpr u32 kEventExitBootServices = 0x201, kEventVirtualAddressChange = 0x6000'0202;

inline constexpr u32 kVariableNonVolatile = 1, kVariableBootServiceAccess = 2, kVariableRuntimeAccess = 4;
}  // namespace efi

}  // namespace ia64::firmware
