// Commands about storage: adapters, targets, media, hot plug. The rules are in storage_bays.h.
#include <fmt/format.h>

#include "devices/scsi_host.h"
#include "machine/board.h"
#include "machine/control/command.h"
#include "machine/machine.h"
#include "machine/storage_bays.h"
#include "storage/scsi/disk_target.h"
#include "storage/scsi/dvd_drive.h"

namespace ia64::machine::control {
namespace {

StorageBays& bays(Call& call) { return call.context.machine->board().storage(); }
bool at_firmware(Call& call) { return !call.context.machine->operating_system_runs(); }

std::string address_text(const DeviceAddress& a) { return fmt::format("{},{},{}", *a.bus, *a.slot, *a.target); }

Json dvd_state(const storage::scsi::DvdDrive& dvd) {
  return {{"tray", dvd.tray_open() ? "open" : dvd.locked() ? "locked" : "closed"}, {"medium", dvd.current()}};
}

Json disk_state(storage::scsi::DiskTarget& disk) {
  const storage::BlockDevice& device = disk.device();
  const auto n = device.counters();
  return {{"size_bytes", device.size_bytes()},
          {"read_only", device.read_only()},
          {"medium", device.describe()},
          {"counters",
           {{"reads", n.reads},
            {"read_bytes", n.read_bytes},
            {"writes", n.writes},
            {"written_bytes", n.written_bytes},
            {"flushes", n.flushes},
            {"other", n.others},
            {"errors", n.errors}}}};
}

Json device_state(const StorageAdapter& adapter, const StorageDevice& d) {
  Json out = {{"address", address_text(d.statement.address)},
              {"device", d.statement.device},
              {"in_flight", adapter.host->requests_in_flight(*d.statement.address.target)}};
  out.update(d.dvd ? dvd_state(*d.dvd) : d.disk ? disk_state(*d.disk) : Json{{"medium", d.target->describe()}});
  out["statement"] = format_statement(d.statement);
  return out;
}

Result<Json> storage(Call& call) {
  if (const auto where = call.arguments.address("address")) {
    const StorageDevice* d = bays(call).find(*where);
    if (!d) return Error{ErrorKind::NotFound, fmt::format("no device is at {}", address_text(*where))};
    return device_state(bays(call).adapters().at({*where->bus, *where->slot}), *d);
  }
  Json adapters = Json::array();
  for (const auto& [slot, adapter] : bays(call).adapters()) {
    Json devices = Json::array();
    for (const auto& [number, device] : adapter.devices) devices.push_back(device_state(adapter, device));
    Json row = {{"bus", slot.first}, {"slot", slot.second}, {"kind", adapter.kind}};
    if (!adapter.next_kind.empty()) row["after_restart"] = adapter.next_kind;
    row["devices"] = std::move(devices);
    adapters.push_back(std::move(row));
  }
  return Json{{"adapters", std::move(adapters)}};
}

Result<Json> media(Call& call) {
  Json drives = Json::array();
  for (const auto& [slot, adapter] : bays(call).adapters())
    for (const auto& [number, d] : adapter.devices) {
      if (!d.dvd) continue;
      Json row = {{"address", address_text(d.statement.address)}, {"configured", d.dvd->original()}};
      row.update(dvd_state(*d.dvd));
      row["choices"] = d.dvd->choices();
      drives.push_back(std::move(row));
    }
  return Json{{"drives", std::move(drives)}};
}

/// The answer to a command that changed something; everybody who asked for such events hears the same.
Json report(Call& call, EventKind kind, const char* action, const StorageBays::Outcome& outcome) {
  Json out = {{"action", action}};
  const auto& s = outcome.statement;
  if (s.address.target) out["address"] = address_text(s.address);
  out["statement"] = format_statement(s);
  if (const StorageDevice* d = bays(call).find(s.address); d && d->dvd) out["medium"] = d->dvd->current();
  if (!outcome.note.empty()) out["note"] = outcome.note;
  call.context.publish(kind, out);
  return out;
}

Result<Json> eject(Call& call) {
  auto done = bays(call).eject(call.arguments.address("address"), call.arguments.flag("force"));
  if (!done) return done.error();
  return report(call, EventKind::Media, "eject", *done);
}

Result<Json> insert(Call& call) {
  auto done = bays(call).insert(call.arguments.address("address"), call.arguments.text("image"));
  if (!done) return done.error();
  return report(call, EventKind::Media, "insert", *done);
}

Result<Json> attach(Call& call) {
  auto statement = parse_resource_statement(call.arguments.text("resource"));
  if (!statement) return statement.error();
  auto done = bays(call).attach(*statement, at_firmware(call));
  if (!done) return done.error();
  return report(call, EventKind::Storage, "attach", *done);
}

Result<Json> detach(Call& call) {
  auto done = bays(call).detach(*call.arguments.address("address"), at_firmware(call));
  if (!done) return done.error();
  return report(call, EventKind::Storage, "detach", *done);
}

Result<Json> change(Call& call) {
  const std::string text = call.arguments.text("resource");
  if (text.starts_with("hba:")) {
    auto hba = parse_adapter_statement(text);
    if (!hba) return hba.error();
    auto done = bays(call).convert(*hba->address.bus, *hba->address.slot, hba->adapter);
    if (!done) return done.error();
    return report(call, EventKind::Storage, "convert", *done);
  }
  auto statement = parse_resource_statement(text);
  if (!statement) return statement.error();
  auto done = bays(call).change(*statement, at_firmware(call));
  if (!done) return done.error();
  return report(call, EventKind::Storage, "change", *done);
}

Result<Json> resize(Call& call) {
  const DeviceAddress where = *call.arguments.address("address");
  auto done = bays(call).resize(where, call.arguments.size("size"));
  if (!done) return done.error();
  Json out = {{"action", "resize"},          {"address", address_text(where)},   {"old_bytes", done->old_bytes},
              {"new_bytes", done->new_bytes}, {"note", done->note}};
  if (done->old_bytes != done->new_bytes) call.context.publish(EventKind::Storage, out);
  return out;
}

}  // namespace

std::vector<CommandRow> storage_commands() {
  using enum ArgumentType;
  return {
      {"storage", nullptr, {{"address", Address, false, "one device with its counters"}}, Where::Machine, storage, "adapters, devices, media, requests in flight"},
      {"media", nullptr, {}, Where::Machine, media, "DVD drives and the images that insert may choose"},
      {"eject",
       "EJ",
       {{"address", Address, false, "of the DVD; may be left out when there is only one"},
        {"force", Flag, false, "although the guest has locked the tray"}},
       Where::Machine,
       eject,
       "take the disc out of a DVD: it becomes a NullDVD"},
      {"insert",
       "IN",
       {{"image", Text, false, "one of the choices of `media`; left out for a host drive"},
        {"address", Address, false, "of the DVD; may be left out when there is only one"}},
       Where::Machine,
       insert,
       "put a disc into an empty DVD"},
      {"attach", nullptr, {{"resource", Text, true, "as for `ivm run -a`"}}, Where::Machine, attach, "add a device to the running guest"},
      {"detach", nullptr, {{"address", Address, true, "bus,slot,target"}}, Where::Machine, detach, "take a device from the running guest"},
      {"change",
       nullptr,
       {{"resource", Text, true, "a statement with its whole address, or hba:avio_stor|scsi:bus,slot"}},
       Where::Machine,
       change,
       "put other storage behind an address, or convert an adapter when the guest restarts"},
      {"resize",
       nullptr,
       {{"address", Address, true, "bus,slot,target"}, {"size", Size, false, "a raw file grows to it before; without it, the store's size is taken over"}},
       Where::Machine,
       resize,
       "let the guest see that its disk has grown"},
  };
}

}  // namespace ia64::machine::control
