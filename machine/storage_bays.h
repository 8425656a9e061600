// The storage adapters of a board and what sits at their addresses, before and while the guest runs.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/address_space.h"
#include "base/clock.h"
#include "base/result.h"
#include "machine/resource_statement.h"

namespace ia64::devices {
class IoSapic;
class ScsiHost;
namespace pci {
class PciDevice;
class PciHost;
}
}  // namespace ia64::devices
namespace ia64::storage {
class UndoJournal;
}
namespace ia64::storage::scsi {
class DiskTarget;
class DvdDrive;
class PacedTarget;
class ScsiTarget;
}  // namespace ia64::storage::scsi

namespace ia64::machine {

class StateSections;

/// One device. `target` belongs to its adapter; at most one of `dvd` and `disk` is set, to the same object.
struct StorageDevice {
  ResourceStatement statement;  ///< as configured, with its address
  storage::scsi::ScsiTarget* target = nullptr;
  storage::scsi::DvdDrive* dvd = nullptr;
  storage::scsi::DiskTarget* disk = nullptr;
  storage::scsi::PacedTarget* paced = nullptr;  ///< around the target when Wires::pace is set
};

/// One adapter in its slot. `host` and `device` are the same object.
struct StorageAdapter {
  std::string kind;       ///< "scsi" or "avio_stor"
  std::string next_kind;  ///< what it becomes when the guest restarts; empty: stays
  std::unique_ptr<devices::pci::PciDevice> device;
  devices::ScsiHost* host = nullptr;
  std::map<u8, StorageDevice> devices;  ///< by target number
};

/// Gives addresses to resources and applies Integrity VM's rules for changing them. plug() builds the configuration before the
/// guest runs. Everything else is for the safe point of a machine: no processor runs, so nobody hands a request to an adapter
/// meanwhile. @source integrity-vm reference, 2.2, 2.3, 2.5 and 2.6
class StorageBays {
 public:
  using Slot = std::pair<u8, u8>;  ///< bus, slot
  struct Wires {
    devices::pci::PciHost* pci = nullptr;
    devices::IoSapic* io_sapic = nullptr;
    AddressSpace* memory = nullptr;
    Clock* pace = nullptr;  ///< not null: adapters and devices work at times of this clock alone (paced_target.h)
    storage::UndoJournal* undo = nullptr;  ///< not null: what writes to disks replace goes there
  };
  explicit StorageBays(const Wires& wires);
  ~StorageBays();

  /// Called when the guest has opened or closed a tray; on whatever thread its request runs. To be set before the guest runs.
  std::function<void(const ResourceStatement&, bool open)> on_tray;

  /// Called before an administrator's command changes something: devices, media, sizes. To be set before the guest runs.
  std::function<void()> on_intervention;

  /// Opens media and puts the device in its place; a new slot gets an adapter. @param s with its whole address
  Result<void> plug(const ResourceStatement& s);
  const std::map<Slot, StorageAdapter>& adapters() const { return adapters_; }
  const StorageDevice* find(const DeviceAddress& where) const;
  /// All statements as configured, by address.
  std::vector<ResourceStatement> statements() const;
  /// The same as they will be when the guest restarts: conversions that were ordered have been made.
  std::vector<ResourceStatement> next_statements() const;

  /// What was done, and what the administrator should know about how the guest finds it.
  struct Outcome {
    ResourceStatement statement;
    std::string note;
  };
  /// Hot add. Missing address numbers are given as at power-on. A VIO adapter cannot be added to a running guest, an AVIO one
  /// can. @param at_firmware no operating system runs yet
  Result<Outcome> attach(ResourceStatement s, bool at_firmware);
  /// Hot delete. Refused while requests of the guest are in flight and at firmware, whose drivers cannot let go of a device.
  Result<Outcome> detach(const DeviceAddress& where, bool at_firmware);
  /// Puts other storage behind an address: a hot delete and a hot add. The old device stays when the new one does not open.
  Result<Outcome> change(const ResourceStatement& s, bool at_firmware);
  /// Another kind of adapter with the same devices, from the next restart of the guest on. Refused while attached devices sit on
  /// it and where the other kind could not hold all of them.
  Result<Outcome> convert(u8 bus, u8 slot, const std::string& kind);
  /// EJ. `where` without numbers: the only DVD of the guest. A tray that the guest has locked stays, but the guest is asked for
  /// the disc, unless `force`.
  Result<Outcome> eject(const std::optional<DeviceAddress>& where, bool force);
  /// IN. @param choice one of the images of the drive's directory, or empty for a host drive
  Result<Outcome> insert(const std::optional<DeviceAddress>& where, const std::string& choice);
  struct Resized {
    u64 old_bytes = 0, new_bytes = 0;
    std::string note;
  };
  /// Takes over the size that the store of a disk has now. @param size_bytes not 0: a raw file grows to it before
  Result<Resized> resize(const DeviceAddress& where, u64 size_bytes);

  /// The guest restarts: changed FileDVDs go back, adapters are reset, converted or, when empty, gone.
  void restart();

  /// Whether no request of the guest is in flight or waits to be fetched.
  bool idle() const;
  /// Whether a device is not ours: a tape, changer or burner of the host.
  static bool is_attached(const ResourceStatement& s) { return s.storage == "attach" || s.storage == "attach_path"; }
  bool has_attached() const;
  /// Waits until no request of the guest is in flight. @returns Locked naming the adapter that is not done in time
  Result<void> drain(std::chrono::milliseconds limit);
  /// Opens disks anew with another content of their overlays: all or none. The guest does not hear of it. @param all as for plug()
  Result<void> reopen(const std::vector<ResourceStatement>& all);
  /// What an adapter becomes at the next restart; an empty slot gets one without devices.
  void set_adapter(u8 bus, u8 slot, const std::string& kind, const std::string& next_kind);
  /// Adapters stay of the kind that they are.
  void forget_conversions();
  /// Adapters and targets, a section each.
  void visit_state(StateSections& state);

 private:
  struct Opened;
  Result<Opened> open(const ResourceStatement& s) const;
  enum class Compared : u8 { Now, Always };
  const StorageDevice* holder(const std::string& spec, const DeviceAddress& but, Compared compared) const;
  Result<void> check_given_once(const ResourceStatement& s) const;
  void put(const ResourceStatement& s, Opened opened);
  void intervene() const {
    if (on_intervention) on_intervention();
  }
  StorageAdapter& adapter_at(const ResourceStatement& s);
  void revert_media();
  static void settle(StorageAdapter& adapter);
  Result<std::pair<StorageAdapter*, StorageDevice*>> locate(const DeviceAddress& where);
  Result<StorageDevice*> find_dvd(const std::optional<DeviceAddress>& where);
  Result<void> check_idle(const StorageAdapter& adapter, const StorageDevice& device, bool at_firmware) const;
  void apply_conversion(Slot slot, StorageAdapter& adapter);
  Result<void> check_conversion(Slot slot, const std::string& kind) const;

  const Wires wires_;
  std::map<Slot, StorageAdapter> adapters_;
};

}  // namespace ia64::machine
