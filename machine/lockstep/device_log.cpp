// Recording and replaying of device accesses.
#include "machine/lockstep/device_log.h"

#include <fmt/format.h>

namespace ia64::machine {

namespace {

std::string text_of(const DeviceAccess& a) {
  if (a.write) return fmt::format("{}-byte write of {:#x} to {:#x}", a.size, a.value, a.phys);
  return fmt::format("{}-byte read of {:#x}", a.size, a.phys);
}

}  // namespace

AccessResult DeviceRecorder::read(u64 phys, unsigned size, u64& value) {
  if (instead) return instead->read(phys, size, value);
  const AccessResult result = bus_.read(phys, size, value);
  log.push_back({false, size, phys, value, result});
  return result;
}

AccessResult DeviceRecorder::write(u64 phys, unsigned size, u64 value) {
  if (instead) return instead->write(phys, size, value);
  const AccessResult result = bus_.write(phys, size, value);
  log.push_back({true, size, phys, value, result});
  return result;
}

AccessResult DeviceReplayer::answer(const DeviceAccess& actual, u64& value) {
  const DeviceAccess* const expected = next_ < log_.size() ? &log_[next_++] : nullptr;
  const bool same = expected && expected->write == actual.write && expected->size == actual.size &&
                    expected->phys == actual.phys && (!actual.write || expected->value == actual.value);
  if (!same && difference_.empty())
    difference_ = fmt::format("  device: interpreter {}, translator {}\n", expected ? text_of(*expected) : "nothing", text_of(actual));
  if (!same) return AccessResult::Unmapped;
  value = expected->value;
  return expected->result;
}

AccessResult DeviceReplayer::read(u64 phys, unsigned size, u64& value) {
  value = ~u64{0};
  return answer({false, size, phys, 0, AccessResult::Ok}, value);
}

AccessResult DeviceReplayer::write(u64 phys, unsigned size, u64 value) {
  u64 ignored;
  return answer({true, size, phys, value, AccessResult::Ok}, ignored);
}

std::string DeviceReplayer::difference() const {
  if (!difference_.empty() || next_ == log_.size()) return difference_;
  return fmt::format("  device: interpreter {}, translator nothing\n", text_of(log_[next_]));
}

}  // namespace ia64::machine
