// Virtio 1.x constants: split rings, PCI transport, SCSI host. @source Virtual I/O Device (VIRTIO) 1.1, OASIS
#pragma once

#include "base/int_types.h"

namespace ia64::devices::virtio {

// --- 2.1 device status
inline constexpr u8 kStatusAcknowledge = 1, kStatusDriver = 2, kStatusDriverOk = 4, kStatusFeaturesOk = 8,
                    kStatusNeedsReset = 0x40, kStatusFailed = 0x80;

// --- 6 feature bits
inline constexpr u64 kFeatureIndirect = u64{1} << 28, kFeatureEventIndex = u64{1} << 29,
                     kFeatureVersion1 = u64{1} << 32;

// --- 2.6 split virtqueues
inline constexpr u16 kDescNext = 1, kDescWrite = 2, kDescIndirect = 4;
inline constexpr u16 kAvailNoInterrupt = 1;
inline constexpr unsigned kDescBytes = 16;

// --- 4.1 PCI transport
inline constexpr u16 kVendorId = 0x1af4, kDeviceIdBase = 0x1040;
inline constexpr u8 kCapCommon = 1, kCapNotify = 2, kCapIsr = 3, kCapDevice = 4, kCapPciCfg = 5;
inline constexpr u8 kIsrQueue = 1, kIsrConfig = 2;
inline constexpr u16 kNoVector = 0xffff;

// --- 4.1.4.3 common configuration
inline constexpr unsigned kDeviceFeatureSelect = 0, kDeviceFeature = 4, kDriverFeatureSelect = 8,
                          kDriverFeature = 12, kConfigVector = 16, kNumQueues = 18, kDeviceStatus = 20,
                          kConfigGeneration = 21, kQueueSelect = 22, kQueueSize = 24, kQueueVector = 26,
                          kQueueEnable = 28, kQueueNotifyOff = 30, kQueueDesc = 32, kQueueDriver = 40,
                          kQueueDevice = 48, kCommonBytes = 56;

// --- 5.6 SCSI host device
inline constexpr u16 kScsiDeviceType = 8;
inline constexpr unsigned kScsiControlQueue = 0, kScsiEventQueue = 1, kScsiRequestQueue = 2;
inline constexpr u64 kScsiFeatureHotplug = u64{1} << 1, kScsiFeatureChange = u64{1} << 2;
inline constexpr unsigned kScsiConfigBytes = 36;
inline constexpr unsigned kScsiConfigSenseSize = 20, kScsiConfigCdbSize = 24;
inline constexpr u32 kScsiDefaultSenseSize = 96, kScsiDefaultCdbSize = 32;

inline constexpr unsigned kScsiRequestHeadBytes = 19;  ///< before the CDB: lun, tag, attribute, priority, crn
inline constexpr unsigned kScsiResponseHeadBytes = 12;  ///< before the sense data

enum class ScsiResponse : u8 {
  Ok = 0,
  Overrun = 1,
  Aborted = 2,
  BadTarget = 3,
  Reset = 4,
  Busy = 5,
  TransportFailure = 6,
  TargetFailure = 7,
  NexusFailure = 8,
  Failure = 9,
  FunctionSucceeded = 10,
  FunctionRejected = 11,
  IncorrectLun = 12,
};

inline constexpr u32 kScsiTypeTmf = 0, kScsiTypeAnQuery = 1, kScsiTypeAnSubscribe = 2;
enum class Tmf : u32 {
  AbortTask = 0,
  AbortTaskSet = 1,
  ClearAca = 2,
  ClearTaskSet = 3,
  NexusReset = 4,
  LogicalUnitReset = 5,
  QueryTask = 6,
  QueryTaskSet = 7,
};

inline constexpr u32 kScsiEventMissed = 0x8000'0000, kScsiEventNone = 0, kScsiEventTransportReset = 1,
                     kScsiEventParameterChange = 3;
inline constexpr u32 kScsiReasonRescan = 1, kScsiReasonRemoved = 2;

}  // namespace ia64::devices::virtio
