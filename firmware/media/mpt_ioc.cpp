// Fusion-MPT controller, driver side: reset, doorbell handshake, queues.
#include "firmware/media/mpt_ioc.h"

#include <algorithm>

#include "base/endian.h"
#include "base/log.h"

namespace ia64::firmware {

namespace {

// @source MPI 1.2, ch. 2
enum : unsigned {
  kDoorbell = 0x00,
  kSequence = 0x04,
  kDiagnostic = 0x08,
  kStatus = 0x30,
  kMask = 0x34,
  kPost = 0x40,
  kReply = 0x44
};
constexpr u32 kStateMask = 0xf000'0000, kReady = 0x1000'0000, kOperational = 0x2000'0000;
constexpr u32 kActive = 1u << 27, kDoorbellInterrupt = 1, kTaken = 1u << 31;
constexpr u32 kMessageUnitReset = 0x40u << 24, kHandshake = 0x42u << 24;
constexpr u32 kEmpty = 0xffff'ffff, kAddressReply = 1u << 31, kResetAdapter = 1u << 2, kDisableWrites = 0xff;

// Functions and fields. @source MPI 1.2, ch. 3
enum : u8 { kIocInit = 2, kIocFacts = 3, kPortFacts = 5, kPortEnable = 6 };
constexpr unsigned kFunctionAt = 3, kStatusAt = 0x0e, kMaxDevicesAt = 0x2e, kFrameDwordsAt = 0x1a;
constexpr unsigned kReplyFrames = 4, kReplyFrameBytes = 128;

constexpr unsigned kRegisterBar = 1, kCommand = 0x04;
constexpr u32 kMemoryAndMaster = 6;

bool succeeded(std::span<const u8> reply) {
  return (load_le<u16>(&reply[kStatusAt]) & 0x7fff) == 0;
}

}  // namespace

u32 MptIoc::read(unsigned reg) const {
  u64 v = 0;
  bus_.read(registers_ + reg, 4, v);
  return static_cast<u32>(v);
}

u32 MptIoc::state() const {
  return read(kDoorbell) & kStateMask;
}

bool MptIoc::wait(const std::function<bool()>& done) {
  constexpr u64 kGiveUp = 1'000'000;  // with the default relax, about a minute
  for (u64 spins = 0; spins < kGiveUp; spins++) {
    if (done()) return true;
    relax_(spins);
  }
  return false;
}

// --- bringing it up and down

std::unique_ptr<MptIoc> MptIoc::open(AddressSpace& bus, const BoardDescription& board,
                                     const PciFunction& function, GuestPhys replies, Relax relax) {
  std::unique_ptr<MptIoc> ioc(new MptIoc(bus, replies, std::move(relax)));
  const PciBar& bar = function.bars[kRegisterBar];
  if (!bar.io && bar.base) {
    ioc->registers_ = bar.base;
    PciConfig config(bus, board, function);
    config.write(kCommand, 2, config.read(kCommand, 2) | kMemoryAndMaster);
    if (ioc->start()) return ioc;
  }
  LOG(Warn, "PCI {}:{}.{}: SCSI controller cannot be used", function.bus, function.device, function.function);
  return nullptr;
}

bool MptIoc::start() {
  write(kMask, 0xffff'ffff);
  if (!make_ready()) return false;
  for (unsigned n = 0; n < kReplyFrames; n++)
    write(kReply, static_cast<u32>(replies_ + n * kReplyFrameBytes));
  return initialize();
}

bool MptIoc::make_ready() {
  if (read(kDoorbell) & kActive) return hard_reset();  // a handshake that nobody finishes takes every word as its own
  if (state() == kOperational) {
    write(kDoorbell, kMessageUnitReset);
    return wait([this] { return state() == kReady; });
  }
  return state() == kReady || hard_reset();
}

bool MptIoc::hard_reset() {
  for (const u32 key : {kDisableWrites, 0x4u, 0xbu, 0x2u, 0x7u, 0xdu}) write(kSequence, key);
  write(kDiagnostic, kResetAdapter);
  return wait([this] { return state() == kReady; });
}

void MptIoc::stop() {
  write(kMask, 0xffff'ffff);
  write(kDoorbell, kMessageUnitReset);
  if (!wait([this] { return state() == kReady; })) LOG(Warn, "a SCSI controller does not finish its reset");
}

bool MptIoc::initialize() {
  u8 request[0x2c] = {}, facts[0x3c] = {}, port[0x28] = {}, done[0x14] = {};
  const auto ask = [&](u8 function, size_t request_bytes, std::span<u8> reply) {
    request[kFunctionAt] = function;
    return handshake({request, request_bytes}, reply) && succeeded(reply);
  };
  if (!ask(kIocFacts, 0x0c, facts) || load_le<u16>(&facts[kFrameDwordsAt]) * 4u < kFrameBytes) return false;
  if (!ask(kPortFacts, 0x0c, port)) return false;
  max_devices_ = load_le<u16>(&port[0x16]);
  own_id_ = load_le<u16>(&port[0x18]);
  request[0] = 2;  // initialized by the firmware in the machine's ROM
  request[5] = facts[kMaxDevicesAt];
  request[6] = 1;  // buses
  store_le<u16>(&request[0x0c], kReplyFrameBytes);
  if (!ask(kIocInit, 0x18, done)) return false;
  std::fill(std::begin(request), std::end(request), u8{0});
  return wait([this] { return state() == kOperational; }) && ask(kPortEnable, 0x0c, done);
}

// --- doorbell

std::optional<u16> MptIoc::next_half() {
  if (!wait([this] { return read(kStatus) & kDoorbellInterrupt; })) return std::nullopt;
  const u16 half = static_cast<u16>(read(kDoorbell));
  write(kStatus, 0);
  return half;
}

/// Sends a request word by word; takes the reply half-word by half-word, as much of it as there is room for.
bool MptIoc::handshake(std::span<const u8> request, std::span<u8> reply) {
  const auto taken = [this] { return wait([this] { return !(read(kStatus) & kTaken); }); };
  write(kStatus, 0);
  write(kDoorbell, kHandshake | static_cast<u32>(request.size() / 4) << 16);
  if (!next_half() || !taken()) return false;
  for (size_t at = 0; at < request.size(); at += 4) {
    write(kDoorbell, load_le<u32>(&request[at]));
    if (!taken()) return false;
  }
  size_t halves = 2;  // the second one has the length
  for (size_t n = 0; n < halves; n++) {
    const auto half = next_half();
    if (!half) return false;
    if (n == 1) halves = std::max<size_t>(2, 2 * (*half & 0xff));
    if (2 * n + 2 <= reply.size()) store_le<u16>(&reply[2 * n], *half);
  }
  return next_half().has_value();
}

// --- queues

bool MptIoc::submit(GuestPhys frame, Reply& reply) {
  reply = {};
  if (dead_) return false;
  write(kPost, static_cast<u32>(frame));
  u32 answer = kEmpty;
  if (!wait([&] { return (answer = read(kReply)) != kEmpty; })) {
    LOG(Warn, "a SCSI controller does not answer; firmware gives it up");
    dead_ = true;
    stop();
    return false;
  }
  if (!(answer & kAddressReply)) return true;
  const u32 address = answer << 1;
  bus_.read_bytes(address, reply.data(), reply.size());
  write(kReply, address);
  return true;
}

}  // namespace ia64::firmware
