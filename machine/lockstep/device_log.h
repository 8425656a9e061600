// Device accesses of one processor, recorded and played back to another that must make the same ones.
#pragma once

#include <string>
#include <vector>

#include "base/address_space.h"

namespace ia64::machine {

/// One access to something that is not memory.
struct DeviceAccess {
  bool write = false;
  unsigned size = 0;
  GuestPhys phys = 0;
  u64 value = 0;
  AccessResult result = AccessResult::Ok;
};

/// Everything on a bus that is not memory, with each access passed on and noted. CPU thread only.
class DeviceRecorder final : public MmioRegion {
 public:
  explicit DeviceRecorder(AddressSpace& bus) : bus_(bus) {}
  AccessResult read(u64 phys, unsigned size, u64& value) override;
  AccessResult write(u64 phys, unsigned size, u64 value) override;

  std::vector<DeviceAccess> log;
  /// Not null: accesses go there, and neither reach the bus nor are noted.
  MmioRegion* instead = nullptr;

 private:
  AddressSpace& bus_;
};

/// Answers from a recording. The first access that is not the recorded one is kept as a text.
class DeviceReplayer final : public MmioRegion {
 public:
  explicit DeviceReplayer(const std::vector<DeviceAccess>& log) : log_(log) {}
  AccessResult read(u64 phys, unsigned size, u64& value) override;
  AccessResult write(u64 phys, unsigned size, u64 value) override;

  /// Begins again with the first access of the log.
  void rewind() { next_ = 0, difference_.clear(); }
  /// What went wrong, accesses that were not made included; empty when nothing did.
  std::string difference() const;
  /// The same without those: for slices that end before the recorded one did.
  const std::string& difference_so_far() const { return difference_; }
  /// Accesses made since rewind().
  size_t made() const { return next_; }

 private:
  AccessResult answer(const DeviceAccess& actual, u64& value);

  const std::vector<DeviceAccess>& log_;
  size_t next_ = 0;
  std::string difference_;
};

}  // namespace ia64::machine
