// Trace channels for users and bug reports: switched on by name, written to stderr or a file, rate limited on request.
#pragma once

#include <fmt/core.h>

#include <atomic>
#include <string>
#include <string_view>
#include <vector>

#include "base/int_types.h"
#include "base/result.h"

namespace ia64 {

/// One row per channel: enumerator, name on the command line (`--trace LIST`), what it shows.
#define LOG_CHANNELS(X) \
  X(Error, "error", "host failures; always on") \
  X(Warn, "warn", "things a user should know; always on") \
  X(Unknown, "unknown", "unknown firmware calls, registers, opcodes, each once, with the guest IP") \
  X(Cpu, "cpu", "faults and traps, a sentence each") \
  X(Break, "break", "break instructions that the guest handles: system calls") \
  X(Mmu, "mmu", "TLB misses, insertions and purges") \
  X(Efi, "efi", "EFI service calls") \
  X(Sal, "sal", "SAL and PAL calls") \
  X(Pci, "pci", "PCI configuration accesses") \
  X(Irq, "irq", "interrupt controllers, external interrupts taken") \
  X(Scsi, "scsi", "SCSI commands and their status") \
  X(Virtio, "virtio", "virtio transport and queues") \
  X(Mpt, "mpt", "VIO SCSI adapter registers and messages") \
  X(Storage, "storage", "block requests to host media") \
  X(Serial, "serial", "serial port registers") \
  X(Machine, "machine", "power, reset, scripting")

enum class Channel : u8 {
#define X(e, name, help) e,
  LOG_CHANNELS(X)
#undef X
};

namespace log {

extern std::atomic<u64> enabled_mask;

inline bool on(Channel c) {
  return (enabled_mask.load(std::memory_order_relaxed) >> static_cast<unsigned>(c)) & 1;
}

/// Turns on the channels of a comma-separated list (`all` for every one).
/// @returns Invalid naming the first unknown channel. Thread rule: any thread.
Result<void> enable(std::string_view list);
/// Turns channels off, those that are always on excepted. As enable().
Result<void> disable(std::string_view list);

struct ChannelState {
  const char* name;
  const char* help;
  bool on;
};
/// All channels in the order of LOG_CHANNELS. Any thread.
std::vector<ChannelState> channels();

/// Sends all output to `path` instead of stderr.
Result<void> to_file(const std::string& path);

/// Writes one line; use the LOG macro, which skips formatting when the channel is off. Any thread.
void write(Channel c, std::string_view text);

/// True the first time `key` is seen on this channel: for messages that must appear once each. Any thread.
bool first_time(Channel c, u64 key);

}  // namespace log

/// LOG(Scsi, "opcode {:#x}", op): formatted only when the channel is on.
#define LOG(channel, ...) \
  do { \
    if (::ia64::log::on(::ia64::Channel::channel)) [[unlikely]] \
      ::ia64::log::write(::ia64::Channel::channel, ::fmt::format(__VA_ARGS__)); \
  } while (0)

/// LOG_ONCE(Unknown, key, ...): as LOG, but only the first time for this 64-bit key.
#define LOG_ONCE(channel, key, ...) \
  do { \
    if (::ia64::log::on(::ia64::Channel::channel) && \
        ::ia64::log::first_time(::ia64::Channel::channel, static_cast<::ia64::u64>(key))) [[unlikely]] \
      ::ia64::log::write(::ia64::Channel::channel, ::fmt::format(__VA_ARGS__)); \
  } while (0)

}  // namespace ia64
