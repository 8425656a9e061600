// Setting a machine aside in memory.
#include "machine/history/machine_moment.h"

#include "cpu/sapic.h"
#include "firmware/firmware.h"
#include "machine/board.h"
#include "machine/icount/counted_run.h"
#include "machine/settable_clock.h"
#include "machine/storage_bays.h"
#include "storage/scsi/dvd_drive.h"

namespace ia64::machine {

MachineMoment::MachineMoment(const MachineParts& parts, u64 printed, u64 looks)
    : now_ns_(parts.clock.now_ns()), printed_(printed), looks_(looks) {
  core_.take(parts.core);
  StateSections state;
  state.part("firmware", parts.firmware);
  visit_devices(parts, state);
  state_ = state.serialize();
  for (const auto& [slot, adapter] : parts.board.storage().adapters()) {
    adapters_.push_back({slot.first, slot.second, adapter.kind, adapter.next_kind});
    for (const auto& [number, device] : adapter.devices)
      if (device.dvd) drives_.push_back({device.statement.address, device.dvd->current()});
  }
}

/// The timer of the processor is not the checkpoint's affair, so the local SAPIC is here as a whole.
void MachineMoment::visit_devices(const MachineParts& parts, StateSections& state) const {
  parts.board.visit_state(state);
  state.section("machine", parts.visit_machine);
  state.part("sapic", parts.core.sapic());
  state.part("icount", *parts.counted);
}

Result<void> MachineMoment::let_go(const MachineParts& parts) const {
  auto state = StateSections::parse(state_);
  if (!state) return state.error();
  loading_ = std::move(*state);
  parts.board.storage().forget_conversions();
  parts.board.reset(false);
  parts.clock.set_now(now_ns_);
  loading_->part("firmware", parts.firmware);
  return {};
}

Result<void> MachineMoment::take_up(const MachineParts& parts) const {
  StorageBays& storage = parts.board.storage();
  for (const Adapter& a : adapters_) storage.set_adapter(a.bus, a.slot, a.kind, a.next_kind);
  for (const Drive& d : drives_) {
    const StorageDevice* const device = storage.find(d.address);
    if (!device || !device->dvd || device->dvd->current() == d.medium) continue;
    if (auto ok = device->dvd->restore(d.medium); !ok) return ok;
  }
  // Registers before the timer, which is of this time and not of that.
  core_.restore(parts.core);
  visit_devices(parts, *loading_);
  auto done = loading_->finish();
  loading_.reset();
  return done;
}

}  // namespace ia64::machine
