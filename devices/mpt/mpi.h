// Messages of the Message Passing Interface: functions, statuses, field offsets. All fields are
// little-endian.
// @source LSI Fusion-MPT Message Passing Interface 1.2, ch. 3 to 5
#pragma once

#include "base/int_types.h"

namespace ia64::devices::mpt {

enum class Function : u8 {
  ScsiIo = 0x00,
  ScsiTaskManagement = 0x01,
  IocInit = 0x02,
  IocFacts = 0x03,
  Config = 0x04,
  PortFacts = 0x05,
  PortEnable = 0x06,
  EventNotification = 0x07,
  EventAck = 0x08,
  FirmwareDownload = 0x09,
  FirmwareUpload = 0x12,
  RaidAction = 0x15,
  RaidScsiIoPassthrough = 0x16,
};

enum class IocStatus : u16 {
  Success = 0x0000,
  InvalidFunction = 0x0001,
  InvalidSgl = 0x0003,
  InsufficientResources = 0x0006,
  InvalidField = 0x0007,
  InvalidState = 0x0008,
  ConfigInvalidAction = 0x0020,
  ConfigInvalidType = 0x0021,
  ConfigInvalidPage = 0x0022,
  ConfigInvalidData = 0x0023,
  ConfigCantCommit = 0x0025,
  ScsiInvalidBus = 0x0041,
  ScsiInvalidTargetId = 0x0042,
  ScsiDeviceNotThere = 0x0043,
  ScsiDataOverrun = 0x0044,
  ScsiDataUnderrun = 0x0045,
  ScsiTaskTerminated = 0x0048,
  ScsiTaskManagementFailed = 0x004a,
};

// --- every message
inline constexpr unsigned kAtChainOffset = 2, kAtFunction = 3, kAtMsgFlags = 7, kAtContext = 8,
                          kHeaderBytes = 12;
inline constexpr unsigned kAtMsgLength = 2, kAtIocStatus = 0x0e, kAtLogInfo = 0x10, kDefaultReplyBytes = 0x14;
inline constexpr u8 kContinuationReply = 0x80;  // in MsgFlags: the request is not finished

// --- IOC facts, IOC init
inline constexpr unsigned kIocFactsReplyBytes = 0x3c, kIocInitBytes = 0x18;
inline constexpr unsigned kInitAtWhoInit = 0, kInitAtMaxDevices = 5, kInitAtMaxBuses = 6,
                          kInitAtReplyFrameSize = 0x0c, kInitAtMfaHigh = 0x10, kInitAtSenseHigh = 0x14;
inline constexpr u16 kMsgVersion = 0x0102, kHeaderVersion = 0x0c00;
inline constexpr u16 kProductInitiator1030C0 = 0x0104;
inline constexpr u8 kWhoInitHostDriver = 4;

// --- port facts, port enable
inline constexpr unsigned kAtPortNumber = 6, kPortFactsReplyBytes = 0x28;
inline constexpr u8 kPortTypeScsi = 1;
inline constexpr u16 kProtocolInitiator = 8;

// --- event notification
inline constexpr unsigned kEventReplyBytes = 0x20, kEventAtAck = 6, kEventAtEvent = 0x14,
                          kEventAtContext = 0x18, kEventAtData = 0x1c;
inline constexpr u32 kEventIocBusReset = 4, kEventRescan = 6, kEventChange = 0x0a;

// --- SCSI I/O
inline constexpr unsigned kScsiAtTarget = 0, kScsiAtBus = 1, kScsiAtCdbLength = 4, kScsiAtSenseLength = 5,
                          kScsiAtLun = 0x0c, kScsiAtControl = 0x14, kScsiAtCdb = 0x18,
                          kScsiAtDataLength = 0x28, kScsiAtSenseAddress = 0x2c, kScsiAtSgl = 0x30,
                          kScsiMaxCdb = 16;
inline constexpr unsigned kScsiReplyBytes = 0x20, kScsiReplyAtStatus = 0x0c, kScsiReplyAtState = 0x0d,
                          kScsiReplyAtTransferred = 0x14, kScsiReplyAtSenseBytes = 0x18;
inline constexpr u8 kScsiSenseWidth64 = 0x01, kScsiSenseInIoc = 0x02;  // in MsgFlags
inline constexpr unsigned kControlDirectionShift = 24;
inline constexpr u32 kDirectionNone = 0, kDirectionWrite = 1, kDirectionRead = 2;
inline constexpr u8 kStateAutosenseValid = 0x01, kStateAutosenseFailed = 0x02, kStateNoScsiStatus = 0x04,
                    kStateTerminated = 0x08;

// --- SCSI task management
inline constexpr unsigned kTaskAtType = 5, kTaskAtLun = 0x0c, kTaskAtContext = 0x30, kTaskBytes = 0x34;
inline constexpr unsigned kTaskReplyBytes = 0x18, kTaskReplyAtResponse = 4, kTaskReplyAtCount = 0x14;
enum class TaskType : u8 {
  AbortTask = 1,
  AbortTaskSet = 2,
  TargetReset = 3,
  ResetBus = 4,
  LogicalUnitReset = 5,
  ClearTaskSet = 6,
  QueryTask = 7,
  ClearAca = 8,
};
enum class TaskResponse : u8 { Complete = 0, NotSupported = 4, Failed = 5, Succeeded = 8, InvalidLun = 9 };

// --- configuration pages
inline constexpr unsigned kConfigAtAction = 0, kConfigAtHeader = 0x14, kConfigAtAddress = 0x18,
                          kConfigAtSge = 0x1c, kConfigReplyBytes = 0x18;
enum class ConfigAction : u8 {
  Header = 0,
  ReadCurrent = 1,
  WriteCurrent = 2,
  Default = 3,
  WriteNvram = 4,
  ReadDefault = 5,
  ReadNvram = 6,
};
enum class PageType : u8 {
  IoUnit = 0,
  Ioc = 1,
  Bios = 2,
  ScsiPort = 3,
  ScsiDevice = 4,
  RaidVolume = 8,
  Manufacturing = 9,
};
inline constexpr u8 kPageTypeMask = 0x0f, kPageReadOnly = 0x00, kPageChangeable = 0x10,
                    kPagePersistent = 0x20;

// --- scatter/gather elements: flags in the top byte of the first doubleword
inline constexpr u8 kSgeLast = 0x80, kSgeEndOfBuffer = 0x40, kSgeTypeMask = 0x30, kSgeSimple = 0x10,
                    kSgeChain = 0x30, kSgeLocalAddress = 0x08, kSgeToIoc = 0x04, kSge64Bit = 0x02,
                    kSgeEndOfList = 0x01;

}  // namespace ia64::devices::mpt
