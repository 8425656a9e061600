// 53C1030: messages that are answered on the spot.
#include <algorithm>

#include "base/log.h"
#include "devices/mpt/mpt.h"
#include "devices/mpt/mpt_request.h"

namespace ia64::devices::mpt {

namespace {

constexpr u8 kMaxChainDepthAnnounced = 34, kBlockDwords = 8;
constexpr u16 kReplyQueueDepth = 256;
constexpr u32 kFirmwareVersion = 0x0103'2700;  // 1.3.39.0

}  // namespace

const Mpt::Row Mpt::kRows[] = {
    {Function::IocInit, kDefaultReplyBytes, false, &Mpt::ioc_init},
    {Function::IocFacts, kIocFactsReplyBytes, false, &Mpt::ioc_facts},
    {Function::Config, kConfigReplyBytes, true, &Mpt::config},
    {Function::PortFacts, kPortFactsReplyBytes, false, &Mpt::port_facts},
    {Function::PortEnable, kDefaultReplyBytes, true, &Mpt::port_enable},
    {Function::EventNotification, kEventReplyBytes, true, &Mpt::event_notification},
    {Function::EventAck, kDefaultReplyBytes, true, &Mpt::event_ack},
    // Integrity VM's adapter has no firmware to load or save and no integrated RAID (integrity-vm
    // reference 1.5).
    {Function::FirmwareDownload, kDefaultReplyBytes, false, &Mpt::refuse},
    {Function::FirmwareUpload, kDefaultReplyBytes, false, &Mpt::refuse},
    {Function::RaidAction, kDefaultReplyBytes, false, &Mpt::refuse},
    {Function::RaidScsiIoPassthrough, kScsiReplyBytes, false, &Mpt::refuse},
};

/// The row of a function; that of an unknown one refuses it.
const Mpt::Row* Mpt::find(u8 function) {
  static constexpr Row kUnknown{{}, kDefaultReplyBytes, false, &Mpt::refuse};
  const auto* row = std::find_if(std::begin(kRows), std::end(kRows),
                                 [&](const Row& r) { return static_cast<u8>(r.function) == function; });
  return row == std::end(kRows) ? &kUnknown : row;
}

void Mpt::refuse(Frame frame, Reply& reply) {
  LOG_ONCE(Unknown, 0x1033'0000 | frame[kAtFunction], "mpt: function {:#x} is not there", frame[kAtFunction]);
  reply.status(IocStatus::InvalidFunction);
}

// --- the IOC

void Mpt::ioc_facts(Frame, Reply& reply) {
  u8* const b = reply.bytes.data();
  store_le<u16>(b + 0x00, kMsgVersion);
  store_le<u16>(b + 0x04, kHeaderVersion);
  b[0x06] = 0;  // IOC number: one channel, one IOC
  b[0x14] = kMaxChainDepthAnnounced;
  b[0x15] = state_.who_init;
  b[0x16] = kBlockDwords;
  b[0x17] = 0;  // no firmware to download before boot
  store_le<u16>(b + 0x18, kReplyQueueDepth);
  store_le<u16>(b + 0x1a, kFrameBytes / 4);
  store_le<u16>(b + 0x1e, kProductInitiator1030C0);
  store_le<u32>(b + 0x20, state_.mfa_high);
  store_le<u16>(b + 0x24, kCredits);
  b[0x26] = 1;  // ports
  b[0x27] = state_.events_on;
  store_le<u32>(b + 0x28, state_.sense_high);
  store_le<u16>(b + 0x2c, state_.reply_frame_bytes);
  b[0x2e] = state_.max_devices;
  b[0x2f] = state_.max_buses;
  store_le<u32>(b + 0x30, 0);  // size of the firmware image
  store_le<u32>(b + 0x34, 0);  // capabilities
  store_le<u32>(b + 0x38, kFirmwareVersion);
}

void Mpt::ioc_init(Frame frame, Reply& reply) {
  std::copy_n(&frame[4], 3, &reply.bytes[4]);
  if (state_.ioc != kStateReady || pending_reset_ != Reset::None)
    return reply.status(IocStatus::InvalidState);
  const u16 reply_bytes = load_le<u16>(&frame[kInitAtReplyFrameSize]);
  const u8 who = frame[kInitAtWhoInit];
  if (who == 0 || who > 7 || reply_bytes < kDefaultReplyBytes) return reply.status(IocStatus::InvalidField);
  state_.who_init = who;
  state_.max_devices = frame[kInitAtMaxDevices];
  state_.max_buses = frame[kInitAtMaxBuses];
  state_.reply_frame_bytes = reply_bytes;
  state_.mfa_high = load_le<u32>(&frame[kInitAtMfaHigh]);
  state_.sense_high = load_le<u32>(&frame[kInitAtSenseHigh]);
  state_.ioc = kStateOperational;
}

// --- the port

void Mpt::port_facts(Frame frame, Reply& reply) {
  if (frame[kAtPortNumber] != 0) return reply.status(IocStatus::InvalidField);
  u8* const b = reply.bytes.data();
  b[0x15] = kPortTypeScsi;
  store_le<u16>(b + 0x16, kTargets + 1);  // devices, ourselves included
  store_le<u16>(b + 0x18, kOwnId);
  store_le<u16>(b + 0x1a, kProtocolInitiator);
}

void Mpt::port_enable(Frame frame, Reply& reply) {
  if (frame[kAtPortNumber] != 0) return reply.status(IocStatus::InvalidField);
  state_.port_enabled = true;
}

// --- events

void Mpt::event_notification(Frame frame, Reply& reply) {
  state_.events_on = frame[0] != 0;
  state_.event_context = load_le<u32>(&frame[kAtContext]);
  store_le<u16>(&reply.bytes[0], 1);
  // While events are on the request is never finished: its context will come back with every event.
  reply.bytes[kAtMsgFlags] = state_.events_on ? kContinuationReply : u8{0};
  store_le<u32>(&reply.bytes[kEventAtEvent], kEventChange);
  reply.bytes[kEventAtData] = state_.events_on;
}

void Mpt::event_ack(Frame, Reply&) {}  // none of our events asks for it, and a surplus one does no harm

// --- configuration pages

void Mpt::config(Frame frame, Reply& reply) {
  const PageName name{.type = static_cast<u8>(frame[kConfigAtHeader + 3] & kPageTypeMask),
                      .number = frame[kConfigAtHeader + 2],
                      .address = load_le<u32>(&frame[kConfigAtAddress])};
  std::copy_n(&frame[4], 3, &reply.bytes[4]);
  std::copy_n(&frame[kConfigAtHeader], 4, &reply.bytes[kConfigAtHeader]);
  IocStatus why{};
  const Page* const page = pages_.find(name, why);
  if (!page) {
    LOG_ONCE(Unknown, 0x1034'0000 | name.type << 8 | name.number,
             "mpt: configuration page {} of type {}, address {:#x}", name.number, name.type, name.address);
    return reply.status(why);
  }
  std::copy_n(page->current.begin(), 4, &reply.bytes[kConfigAtHeader]);
  reply.status(config_action(frame, name, *page));
}

IocStatus Mpt::config_action(Frame frame, const PageName& name, const Page& page) {
  const auto read = [&](const std::vector<u8>& version) {
    return read_page(frame, version) ? IocStatus::Success : IocStatus::ConfigInvalidData;
  };
  const auto write = [&](bool nvram) {
    std::vector<u8> data;
    if (!fetch_page(frame, page.current.size(), data)) return IocStatus::ConfigInvalidData;
    return pages_.write(name, data, nvram);
  };
  switch (static_cast<ConfigAction>(frame[kConfigAtAction])) {
    case ConfigAction::Header: return IocStatus::Success;
    case ConfigAction::ReadCurrent: return read(page.current);
    case ConfigAction::ReadDefault: return read(page.defaults);
    case ConfigAction::ReadNvram: return read(page.nvram);
    case ConfigAction::WriteCurrent: return write(false);
    case ConfigAction::WriteNvram: return write(true);
    case ConfigAction::Default: return pages_.restore_defaults(name);
  }
  return IocStatus::ConfigInvalidAction;
}

bool Mpt::read_page(Frame frame, std::span<const u8> page) {
  std::vector<Segment> to;
  if (!walk_sgl(dma(), frame, kConfigAtSge, 0, page.size(), to)) return false;
  size_t at = 0;
  for (const Segment& s : to) {
    std::copy_n(page.begin() + static_cast<std::ptrdiff_t>(at), s.size_bytes, s.host);
    dma().written(s.phys, s.size_bytes);
    at += s.size_bytes;
  }
  return true;
}

bool Mpt::fetch_page(Frame frame, size_t size, std::vector<u8>& out) {
  std::vector<Segment> from;
  if (!walk_sgl(dma(), frame, kConfigAtSge, 0, size, from)) return false;
  for (const Segment& s : from) out.insert(out.end(), s.host, s.host + s.size_bytes);
  return true;
}

}  // namespace ia64::devices::mpt
