// Storage adapters and devices: power-on configuration, hot plug, media, conversion.
#include "machine/storage_bays.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/log.h"
#include "devices/irq/io_sapic.h"
#include "devices/mpt/mpt.h"
#include "devices/pci/pci_host.h"
#include "devices/virtio/virtio_scsi.h"
#include "machine/snapshot/state_sections.h"
#include "storage/host_entity.h"
#include "storage/scsi/disk_target.h"
#include "storage/scsi/dvd_drive.h"
#include "storage/scsi/paced_target.h"
#include "storage/scsi/target_factory.h"

namespace ia64::machine {

using devices::mpt::Mpt;
using devices::pci::PciHost;
using devices::virtio::VirtioScsi;

namespace {

constexpr u16 kCapacityChanged = 0x2a09;

std::string at(const DeviceAddress& a) { return fmt::format("{},{},{}", *a.bus, *a.slot, *a.target); }
std::string at(StorageBays::Slot slot) { return fmt::format("{},{}", slot.first, slot.second); }
bool complete(const DeviceAddress& a) { return a.bus && a.slot && a.target; }

bool same(const DeviceAddress& a, const DeviceAddress& b) { return a.bus == b.bus && a.slot == b.slot && a.target == b.target; }

Error refused(std::string why) { return {ErrorKind::Unsupported, std::move(why)}; }

}  // namespace

struct StorageBays::Opened {
  std::unique_ptr<storage::scsi::ScsiTarget> target;
};

StorageBays::StorageBays(const Wires& wires) : wires_(wires) {}
StorageBays::~StorageBays() = default;

// --- configuration

Result<StorageBays::Opened> StorageBays::open(const ResourceStatement& s) const {
  const bool vio = s.adapter == "scsi";
  auto target = storage::scsi::open_target(
      {.device = s.device,
       .storage = s.storage,
       .location = s.location,
       .serial = fmt::format("IVM{:02x}{:02x}{:02x}", *s.address.bus, *s.address.slot, *s.address.target),
       .parallel_bus = vio,
       .max_transfer_bytes = vio ? 0 : VirtioScsi::kMaxTransferBytes,
       .overlay_copy = s.overlay_copy,
       .undo = wires_.undo});
  if (!target) return Error{target.error().kind, fmt::format("resource '{}': {}", s.text, target.error().message)};
  return Opened{std::move(*target)};
}

/// The device, but for the one at an address, that has what lies behind a specification: now, or always, which is by its statement too.
const StorageDevice* StorageBays::holder(const std::string& spec, const DeviceAddress& but, Compared compared) const {
  const std::string wanted = storage::host_entity(spec);
  const auto has = [&](const StorageDevice& d) {
    const bool stated = (!d.dvd || compared == Compared::Always) && storage::host_entity(d.statement.storage + ":" + d.statement.location) == wanted;
    return stated || (d.dvd && storage::host_entity(d.dvd->current()) == wanted);
  };
  if (wanted.empty()) return nullptr;
  for (const auto& [slot, adapter] : adapters_)
    for (const auto& [number, device] : adapter.devices)
      if (!same(device.statement.address, but) && has(device)) return &device;
  return nullptr;
}

/// "The same storage resource", by whatever path, is given to a guest only once. @source integrity-vm reference, 2.2 (M43 p.103)
Result<void> StorageBays::check_given_once(const ResourceStatement& s) const {
  const StorageDevice* other = holder(s.storage + ":" + s.location, s.address, Compared::Always);
  if (!other) return {};
  return Error{ErrorKind::Locked, fmt::format("resource '{}': the guest has {} already, by resource '{}'", s.text, s.location, other->statement.text)};
}

StorageAdapter& StorageBays::adapter_at(const ResourceStatement& s) {
  const Slot slot{*s.address.bus, *s.address.slot};
  StorageAdapter& adapter = adapters_[slot];
  if (adapter.device) return adapter;
  IrqLine& intx = wires_.io_sapic->pin(PciHost::interrupt_pin(slot.first, slot.second));
  const auto take = [&](auto made) {
    adapter.host = made.get();
    adapter.device = std::move(made);
  };
  adapter.kind = s.adapter;
  if (s.adapter == "scsi")
    take(std::make_unique<Mpt>(intx, *wires_.memory, wires_.pace));
  else
    take(std::make_unique<VirtioScsi>(VirtioScsi::Config{.deferral = wires_.pace}, intx, *wires_.memory));
  wires_.pci->plug(slot.first, slot.second, *adapter.device);
  return adapter;
}

void StorageBays::put(const ResourceStatement& s, Opened opened) {
  StorageAdapter& adapter = adapter_at(s);
  auto* target = opened.target.get();
  StorageDevice& device = adapter.devices[*s.address.target];
  device = {s, target, dynamic_cast<storage::scsi::DvdDrive*>(target), dynamic_cast<storage::scsi::DiskTarget*>(target)};
  device.statement.overlay_copy.clear();  // opened anew it is what the statement says
  if (wires_.pace) {
    auto paced = std::make_unique<storage::scsi::PacedTarget>(std::move(opened.target), *wires_.pace);
    device.paced = paced.get();
    opened.target = std::move(paced);
  }
  if (auto* dvd = device.dvd)
    dvd->on_tray = [this, s](bool open) {
      if (on_tray) on_tray(s, open);
    };
  adapter.host->attach(*s.address.target, std::move(opened.target));
}

Result<void> StorageBays::plug(const ResourceStatement& s) {
  if (auto ok = check_given_once(s); !ok) return ok;
  auto opened = open(s);
  if (!opened) return opened.error();
  put(s, std::move(*opened));
  return {};
}

const StorageDevice* StorageBays::find(const DeviceAddress& where) const {
  if (!complete(where)) return nullptr;
  const auto adapter = adapters_.find({*where.bus, *where.slot});
  if (adapter == adapters_.end()) return nullptr;
  const auto device = adapter->second.devices.find(*where.target);
  return device == adapter->second.devices.end() ? nullptr : &device->second;
}

std::vector<ResourceStatement> StorageBays::statements() const {
  std::vector<ResourceStatement> out;
  for (const auto& [slot, adapter] : adapters_)
    for (const auto& [number, device] : adapter.devices) out.push_back(device.statement);
  return out;
}

std::vector<ResourceStatement> StorageBays::next_statements() const {
  auto out = statements();
  for (auto& s : out) {
    const Slot slot{*s.address.bus, *s.address.slot};
    const std::string& next = adapters_.at(slot).next_kind;
    if (!next.empty() && check_conversion(slot, next)) s.adapter = next, s.text = format_statement(s);
  }
  return out;
}

Result<std::pair<StorageAdapter*, StorageDevice*>> StorageBays::locate(const DeviceAddress& where) {
  if (!complete(where)) return Error{ErrorKind::Invalid, "a whole address is needed: bus,slot,target"};
  const auto adapter = adapters_.find({*where.bus, *where.slot});
  if (adapter == adapters_.end())
    return Error{ErrorKind::NotFound, fmt::format("no storage adapter is in slot {} of bus {}", *where.slot, *where.bus)};
  const auto device = adapter->second.devices.find(*where.target);
  if (device == adapter->second.devices.end())
    return Error{ErrorKind::NotFound, fmt::format("no device is at {}", at(where))};
  return std::pair{&adapter->second, &device->second};
}

// --- hot plug

Result<StorageBays::Outcome> StorageBays::attach(ResourceStatement s, bool at_firmware) {
  intervene();
  auto all = statements();
  all.push_back(s);
  if (auto ok = allocate_addresses(all); !ok) return ok.error();
  s.address = all.back().address;
  const Slot slot{*s.address.bus, *s.address.slot};
  const auto adapter = adapters_.find(slot);
  const bool new_adapter = adapter == adapters_.end();
  if (!new_adapter && adapter->second.kind != s.adapter)
    return refused(fmt::format("slot {} of bus {} holds an adapter of kind {} until the guest restarts", slot.second, slot.first,
                               adapter->second.kind));
  if (new_adapter && s.adapter == "scsi")
    return refused(fmt::format("adapter {} would be a new one, and a VIO adapter cannot be added to a running guest: use one that "
                               "is there, use avio_stor, or restart the guest with the device configured",
                               at(slot)));
  if (auto ok = check_given_once(s); !ok) return ok.error();
  auto opened = open(s);
  if (!opened) return opened.error();
  put(s, std::move(*opened));
  std::string note;
  if (at_firmware)
    note = "firmware finds it after the next reset";
  else if (new_adapter)
    note = "the adapter is new: the guest finds it when it scans its PCI buses";
  else if (s.adapter == "scsi")
    note = "a VIO adapter announces nothing: the guest finds it when it scans the adapter for devices";
  return Outcome{s, note};
}

Result<void> StorageBays::check_idle(const StorageAdapter& adapter, const StorageDevice& device, bool at_firmware) const {
  const auto& a = device.statement.address;
  if (at_firmware)
    return refused(fmt::format("{} cannot be taken away while the guest is at EFI: let it boot, or stop it", at(a)));
  if (const unsigned n = adapter.host->requests_in_flight(*a.target))
    return Error{ErrorKind::Locked, fmt::format("{} is in use: {} of the guest's requests are in flight", at(a), n)};
  return {};
}

Result<StorageBays::Outcome> StorageBays::detach(const DeviceAddress& where, bool at_firmware) {
  intervene();
  auto found = locate(where);
  if (!found) return found.error();
  auto [adapter, device] = *found;
  if (auto ok = check_idle(*adapter, *device, at_firmware); !ok) return ok.error();
  Outcome out{device->statement, ""};
  adapter->host->detach(*where.target);  // its store closes here
  adapter->devices.erase(*where.target);
  if (adapter->devices.empty()) out.note = "it was the adapter's last device: the adapter goes when the guest restarts";
  return out;
}

Result<StorageBays::Outcome> StorageBays::change(const ResourceStatement& s, bool at_firmware) {
  intervene();
  auto found = locate(s.address);
  if (!found) return found.error();
  auto [adapter, device] = *found;
  const ResourceStatement& old = device->statement;
  if (old.device != s.device)
    return refused(fmt::format("a {} is at {}, not a {}: detach it and attach another", old.device, at(s.address), s.device));
  if (adapter->kind != s.adapter)
    return refused(fmt::format("{} is on an adapter of kind {}: change the whole adapter with hba:{}:{}", at(s.address), adapter->kind,
                               s.adapter, at(Slot{*s.address.bus, *s.address.slot})));
  auto all = statements();
  for (auto& other : all)
    if (same(other.address, s.address)) other = s;
  if (auto ok = allocate_addresses(all); !ok) return ok.error();
  if (auto ok = check_idle(*adapter, *device, at_firmware); !ok) return ok.error();
  if (auto ok = check_given_once(s); !ok) return ok.error();
  auto opened = open(s);
  if (!opened) return opened.error();
  adapter->host->detach(*s.address.target);
  put(s, std::move(*opened));
  return Outcome{s, "the guest sees another device at this address"};
}

// --- conversion

Result<void> StorageBays::check_conversion(Slot slot, const std::string& kind) const {
  auto all = statements();
  for (auto& s : all) {
    if (*s.address.bus != slot.first || *s.address.slot != slot.second) continue;
    if (is_attached(s))
      return refused(fmt::format("adapter {} has an attached {} at target {}: detach it, convert the adapter, and attach it again",
                                 at(slot), s.device, *s.address.target));
    s.adapter = kind;
    s.text = format_statement(s);
  }
  return allocate_addresses(all);
}

Result<StorageBays::Outcome> StorageBays::convert(u8 bus, u8 slot_number, const std::string& kind) {
  intervene();
  const Slot slot{bus, slot_number};
  const auto found = adapters_.find(slot);
  if (found == adapters_.end())
    return Error{ErrorKind::NotFound, fmt::format("no storage adapter is in slot {} of bus {}", slot.second, slot.first)};
  StorageAdapter& adapter = found->second;
  Outcome out;
  out.statement.device = "hba";
  out.statement.adapter = kind;
  out.statement.address = {bus, slot_number, std::nullopt};
  if (adapter.kind == kind) {
    if (adapter.next_kind.empty()) return refused(fmt::format("adapter {} is of kind {} already", at(slot), kind));
    adapter.next_kind.clear();
    out.note = "the adapter stays as it is";
    return out;
  }
  if (auto ok = check_conversion(slot, kind); !ok) return ok.error();
  adapter.next_kind = kind;
  out.note = "takes effect when the guest restarts; addresses stay";
  return out;
}

void StorageBays::apply_conversion(Slot slot, StorageAdapter& adapter) {
  const std::string kind = std::exchange(adapter.next_kind, "");
  if (auto ok = check_conversion(slot, kind); !ok) {  // devices may have come since
    LOG(Warn, "adapter {} stays of kind {}: {}", at(slot), adapter.kind, ok.error().message);
    return;
  }
  adapter.device->reset();
  auto devices = std::exchange(adapter.devices, {});
  for (auto& [number, device] : devices) adapter.host->detach(number);
  wires_.pci->unplug(slot.first, slot.second);
  adapter.device.reset();
  for (auto& [number, device] : devices) {
    device.statement.adapter = kind;
    device.statement.text = format_statement(device.statement);
    if (auto ok = plug(device.statement); !ok) LOG(Error, "{} is gone after the conversion: {}", at(device.statement.address), ok.error().message);
  }
}

// --- media

Result<StorageDevice*> StorageBays::find_dvd(const std::optional<DeviceAddress>& where) {
  if (where) {
    auto found = locate(*where);
    if (!found) return found.error();
    if (!found->second->dvd)
      return refused(fmt::format("the {} at {} has no medium of ours to change", found->second->statement.device, at(*where)));
    return found->second;
  }
  std::vector<StorageDevice*> all;
  std::string list;
  for (auto& [slot, adapter] : adapters_)
    for (auto& [number, device] : adapter.devices)
      if (device.dvd) all.push_back(&device), list += " " + at(device.statement.address);
  if (all.empty()) return Error{ErrorKind::NotFound, "the guest has no DVD"};
  if (all.size() > 1) return Error{ErrorKind::Invalid, fmt::format("the guest has several DVDs, name one:{}", list)};
  return all.front();
}

Result<StorageBays::Outcome> StorageBays::eject(const std::optional<DeviceAddress>& where, bool force) {
  intervene();
  auto found = find_dvd(where);
  if (!found) return found.error();
  StorageDevice& device = **found;
  const std::string address = at(device.statement.address);
  if (!device.dvd->has_disc()) return refused(fmt::format("the DVD at {} is empty", address));
  if (device.dvd->locked() && !force) {
    device.dvd->request_eject();
    return Error{ErrorKind::Locked, fmt::format("the guest has locked the tray of the DVD at {} and was asked to eject it: unmount it "
                                                "there and try again, or use force",
                                                address)};
  }
  device.dvd->eject();
  return Outcome{device.statement, ""};
}

Result<StorageBays::Outcome> StorageBays::insert(const std::optional<DeviceAddress>& where, const std::string& choice) {
  intervene();
  auto found = find_dvd(where);
  if (!found) return found.error();
  StorageDevice& device = **found;
  if (device.dvd->has_disc())
    return refused(fmt::format("the DVD at {} has a disc ({}): eject it first", at(device.statement.address), device.dvd->current()));
  if (const auto* other = holder(device.dvd->chosen(choice), device.statement.address, Compared::Now))
    return Error{ErrorKind::Locked, fmt::format("this disc is at {} of the guest, by resource '{}': eject it there first",
                                                at(other->statement.address), other->statement.text)};
  if (auto ok = device.dvd->insert_choice(choice); !ok) return ok.error();
  return Outcome{device.statement, ""};
}

namespace {

/// Grows a regular file. The guest's requests go on meanwhile: nothing that exists changes.
Result<void> grow_file(const ResourceStatement& s, u64 old_bytes, u64 size_bytes) {
  struct stat st;
  if (s.storage != "file" || stat(s.location.c_str(), &st) != 0 || !S_ISREG(st.st_mode))
    return refused(fmt::format("only a raw file is made larger here, and '{}' is none: make the store larger on the host, then resize "
                               "without a size",
                               s.text));
  if (size_bytes < old_bytes)
    return refused(fmt::format("{} has {} bytes; a disk is not made smaller, what lies behind would be lost", s.location, old_bytes));
  if (truncate(s.location.c_str(), static_cast<off_t>(size_bytes)) != 0)
    return Error{ErrorKind::Io, fmt::format("{}: cannot make it larger: {}", s.location, std::strerror(errno))};
  return {};
}

}  // namespace

Result<StorageBays::Resized> StorageBays::resize(const DeviceAddress& where, u64 size_bytes) {
  intervene();
  auto found = locate(where);
  if (!found) return found.error();
  auto [adapter, device] = *found;
  if (!device->disk) return refused(fmt::format("the {} at {} is no disk", device->statement.device, at(where)));
  Resized out{.old_bytes = device->disk->device().size_bytes(), .new_bytes = 0, .note = ""};
  if (size_bytes)
    if (auto ok = grow_file(device->statement, out.old_bytes, size_bytes); !ok) return ok.error();
  const bool changed = device->disk->refresh_capacity();
  out.new_bytes = device->disk->device().size_bytes();
  if (!changed)
    out.note = "the size is what it was";
  else if (adapter->kind == "scsi")
    out.note = "the guest's next command hears of it; the guest sees the size after a rescan of the disk";
  else
    out.note = "the guest was told";
  if (changed) adapter->host->target_changed(*where.target, kCapacityChanged);
  return out;
}

// --- restart

/// Ends what only the clock would end: an adapter that is reset waits for its requests.
void StorageBays::settle(StorageAdapter& adapter) {
  bool again = true;  // room for one target's request can let one of another in
  while (again) {
    again = false;
    for (auto& [number, device] : adapter.devices) again |= device.paced && device.paced->settle();
  }
}

/// Changed FileDVDs go back, unless their disc lies in a drive that keeps what it has. All of them are emptied first: drives may have swapped discs.
void StorageBays::revert_media() {
  std::vector<std::pair<storage::scsi::DvdDrive*, std::string>> changed;
  for (auto& [slot, adapter] : adapters_)
    for (auto& [number, device] : adapter.devices) {
      if (!device.dvd || !device.dvd->changed()) continue;
      const auto* other = holder(device.dvd->original(), device.statement.address, Compared::Now);
      if (other && other->statement.storage != "file")
        LOG(Warn, "the DVD {} stays as it is: its disc is at {}", device.dvd->original(), at(other->statement.address));
      else
        changed.emplace_back(device.dvd, device.dvd->current());
    }
  for (auto& [dvd, before] : changed) dvd->eject();
  for (auto& [dvd, before] : changed) {
    const auto done = dvd->revert();
    if (done) continue;
    const bool kept = dvd->restore(before).ok();
    LOG(Warn, "the DVD {} {}: {}", dvd->original(), kept ? "stays as it is" : "is empty", done.error().message);
  }
}

void StorageBays::restart() {
  revert_media();
  for (auto it = adapters_.begin(); it != adapters_.end();) {
    auto& [slot, adapter] = *it;
    settle(adapter);
    adapter.device->reset();
    if (!adapter.next_kind.empty()) apply_conversion(slot, adapter);
    if (!adapter.devices.empty()) {
      ++it;
      continue;
    }
    if (adapter.device) wires_.pci->unplug(slot.first, slot.second);
    it = adapters_.erase(it);
  }
}

// --- snapshots

bool StorageBays::idle() const {
  return std::all_of(adapters_.begin(), adapters_.end(), [](const auto& slot) { return slot.second.host->drain(std::chrono::milliseconds(0)); });
}

bool StorageBays::has_attached() const {
  const auto all = statements();
  return std::any_of(all.begin(), all.end(), is_attached);
}

Result<void> StorageBays::drain(std::chrono::milliseconds limit) {
  for (auto& [slot, adapter] : adapters_)
    if (!adapter.host->drain(limit))
      return Error{ErrorKind::Locked, fmt::format("requests at adapter {} have been in flight for {} s: try again when its storage answers", at(slot),
                                                  std::chrono::duration_cast<std::chrono::seconds>(limit).count())};
  return {};
}

Result<void> StorageBays::reopen(const std::vector<ResourceStatement>& all) {
  intervene();
  std::vector<Opened> opened;
  for (const ResourceStatement& s : all) {
    auto one = open(s);
    if (!one) return one.error();
    opened.push_back(std::move(*one));
  }
  for (size_t n = 0; n < all.size(); n++) {
    auto found = locate(all[n].address);
    if (!found) return found.error();
    found->first->host->detach(*all[n].address.target);
    put(all[n], std::move(opened[n]));
  }
  return {};
}

void StorageBays::set_adapter(u8 bus, u8 slot, const std::string& kind, const std::string& next_kind) {
  ResourceStatement s;
  s.adapter = kind;
  s.address = {bus, slot, std::nullopt};
  adapter_at(s).next_kind = next_kind;
}

void StorageBays::forget_conversions() {
  for (auto& [slot, adapter] : adapters_) adapter.next_kind.clear();
}

void StorageBays::visit_state(StateSections& state) {
  for (auto& [slot, adapter] : adapters_) {
    state.part("adapter-" + at(slot), *adapter.device);
    for (auto& [number, device] : adapter.devices) state.part("target-" + at(device.statement.address), *device.target);
  }
}

}  // namespace ia64::machine
