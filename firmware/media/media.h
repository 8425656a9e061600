// Boot media: finds PCI devices and disks, partitions and FAT volumes, and offers them as EFI protocols.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "firmware/efi/context.h"

namespace ia64::firmware {

/// Called again and again while a driver waits for its device; `spins` counts from 0 within one wait. It may
/// yield the host thread or let virtual time pass.
using Relax = std::function<void(u64 spins)>;

/// Everything below the boot manager that concerns disks. One per power-on. Thread rule: the firmware's lock.
class Media {
 public:
  /// @param relax  empty: yields, then sleeps microseconds, on the host
  explicit Media(EfiContext& efi, Relax relax = {});
  ~Media();
  Media(const Media&) = delete;
  Media& operator=(const Media&) = delete;

  /// Assigns PCI resources, attaches boot controllers and installs a handle per disk (DevicePath, BlockIo,
  /// DiskIo), per partition (the same) and SimpleFileSystem on those that hold FAT. Controllers are reset at
  /// ExitBootServices.
  void connect();

  /// Handles whose BlockIo is a whole disk (not a partition), in bus order.
  const std::vector<EfiHandle>& disks() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace ia64::firmware
