// The EFI boot services, in groups: each function returns the rows of its group.
#pragma once

#include <vector>

#include "base/state_archive.h"
#include "firmware/efi/images.h"
#include "firmware/efi/system_table.h"

namespace ia64::firmware {

/// TPL, AllocatePages, FreePages, GetMemoryMap, pool, CopyMem, SetMem, CalculateCrc32. @source
/// EFI 1.10, 5.1, 5.2, 5.6
std::vector<EfiServiceRow> memory_services(EfiContext& efi);
/// Events, timers, Stall, watchdog, monotonic count. @source EFI 1.10, 5.1, 5.5
std::vector<EfiServiceRow> event_services(EfiContext& efi, class Watchdog& watchdog,
                                          class MonotonicCounter& counter);
/// Protocol handler services. @source EFI 1.10, 5.3
std::vector<EfiServiceRow> protocol_services(EfiContext& efi, SystemTable& table);
/// LoadImage, StartImage, Exit, UnloadImage, ExitBootServices. @source EFI 1.10, 5.4
std::vector<EfiServiceRow> image_services(EfiContext& efi, SystemTable& table, Images& images);

/// Resets the machine when an image does not come back in time. @source EFI 1.10, 5.5 (SetWatchdogTimer)
class Watchdog {
 public:
  explicit Watchdog(EfiContext& efi) : efi_(efi) {}
  /// @param seconds 0 disarms
  void set(u64 seconds);
  /// Looks at the time; called with every boot service.
  void check();

 private:
  EfiContext& efi_;
  u64 deadline_ns_ = 0;
};

/// The 64-bit monotonic counter: the high half survives in a non-volatile variable.
class MonotonicCounter {
 public:
  explicit MonotonicCounter(u32 high) : value_(u64{high} << 32) {}
  u64 next() { return value_++; }
  u32 next_high() { return static_cast<u32>((value_ = (value_ | 0xffff'ffff) + 1) >> 32); }
  u32 high() const { return static_cast<u32>(value_ >> 32); }
  void visit_state(StateArchive& a) { a(value_); }

 private:
  u64 value_;
};

/// Signals the exit events, quiesces devices and ends boot services. Used by ExitBootServices and by the
/// direct kernel boot.
void exit_boot_services(EfiContext& efi, SystemTable& table, GateCall& call);

/// Descriptors as GetMemoryMap lays them out: kMapDescriptorBytes each, version 1.
inline constexpr u64 kMapDescriptorBytes = 48;
std::vector<u8> memory_map_image(const MemoryMap& map);

}  // namespace ia64::firmware
