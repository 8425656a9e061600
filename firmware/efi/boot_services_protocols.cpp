// Boot services: protocol handler services of EFI 1.02 and 1.10.
#include <algorithm>

#include "base/endian.h"
#include "base/log.h"
#include "firmware/efi/boot_services.h"
#include "firmware/efi/guest_data.h"

namespace ia64::firmware {
namespace {

constexpr Guid kDriverBinding{0x18a031ab, 0xb443, 0x4d1a, {0xa5, 0xc0, 0x0c, 0x09, 0x26, 0x1e, 0x9f, 0x71}};

/// A GUID argument. Asking for a protocol nobody knows is worth a line in a bug report.
bool guid_arg(GateCall& call, u64 at, Guid& g) {
  return at && call.read_value(at, g);
}

void note_unknown(GateCall& call, const Guid& g) {
  LOG_ONCE(Unknown, load_le<u64>(&g) ^ load_le<u64>(g.d), "protocol {} not present, asked for at {:#x}",
           guid_name(g), call.cpu().regs().br[0]);
}

EfiStatus install_interface(EfiContext& efi, GateCall& call) {
  EfiHandle handle = 0;
  Guid g;
  if (!call.arg(0) || !guid_arg(call, call.arg(1), g) || call.arg(2) != 0 ||
      !call.read_value(call.arg(0), handle))
    return efi::kInvalidParameter;
  const auto s = efi.handles.install(handle, g, call.arg(3));
  if (efi_error(s)) return s;
  return call.write_value(call.arg(0), handle) ? efi::kSuccess : efi::kInvalidParameter;
}

EfiStatus handle_protocol(EfiContext& efi, GateCall& call) {
  Guid g;
  if (!guid_arg(call, call.arg(1), g) || !call.arg(2) || !efi.handles.exists(call.arg(0)))
    return efi::kInvalidParameter;
  const auto interface = efi.handles.find(call.arg(0), g);
  if (!call.write_value(call.arg(2), interface.value_or(0))) return efi::kInvalidParameter;
  if (interface) return efi::kSuccess;
  if (efi.handles.with(g).empty()) note_unknown(call, g);
  return efi::kUnsupported;
}

EfiStatus register_notify(EfiContext& efi, GateCall& call) {
  Guid g;
  if (!guid_arg(call, call.arg(0), g) || !call.arg(2) || !efi.events.exists(call.arg(1)))
    return efi::kInvalidParameter;
  return call.write_value(call.arg(2), efi.handles.add_registration(g, call.arg(1))) ? efi::kSuccess
                                                                                     : efi::kInvalidParameter;
}

/// The handles a search means: 0 all, 1 by registration cookie, 2 by protocol.
EfiStatus search(EfiContext& efi, GateCall& call, std::vector<EfiHandle>& found) {
  Guid g;
  switch (call.arg(0)) {
    case 0: found = efi.handles.all(); break;
    case 1:
      if (!efi.handles.has_registration(call.arg(2))) return efi::kInvalidParameter;
      if (const auto h = efi.handles.next_registered(call.arg(2))) found = {*h};
      break;
    case 2:
      if (!guid_arg(call, call.arg(1), g)) return efi::kInvalidParameter;
      found = efi.handles.with(g);
      if (found.empty()) note_unknown(call, g);
      break;
    default: return efi::kInvalidParameter;
  }
  return found.empty() ? efi::kNotFound : efi::kSuccess;
}

EfiStatus locate_handle(EfiContext& efi, GateCall& call) {
  u64 room = 0;
  if (!call.arg(3) || !call.read_value(call.arg(3), room)) return efi::kInvalidParameter;
  std::vector<EfiHandle> found;
  if (const auto s = search(efi, call, found); efi_error(s)) return s;
  if (!call.write_value(call.arg(3), u64{found.size() * 8})) return efi::kInvalidParameter;
  if (room < found.size() * 8) return efi::kBufferTooSmall;
  return call.arg(4) && call.write(call.arg(4), found.data(), found.size() * 8) ? efi::kSuccess
                                                                                : efi::kInvalidParameter;
}

EfiStatus locate_handle_buffer(EfiContext& efi, GateCall& call) {
  if (!call.arg(3) || !call.arg(4)) return efi::kInvalidParameter;
  std::vector<EfiHandle> found;
  const auto s = search(efi, call, found);
  u64 buffer = 0;
  if (!efi_error(s)) {
    buffer = efi.place({reinterpret_cast<const u8*>(found.data()), found.size() * 8});
    if (!buffer) return efi::kOutOfResources;
  }
  const bool ok = call.write_value(call.arg(3), u64{found.size()}) && call.write_value(call.arg(4), buffer);
  return ok ? s : efi::kInvalidParameter;
}

EfiStatus locate_protocol(EfiContext& efi, GateCall& call) {
  Guid g;
  if (!guid_arg(call, call.arg(0), g) || !call.arg(2)) return efi::kInvalidParameter;
  std::optional<u64> interface;
  if (call.arg(1)) {
    if (const auto h = efi.handles.next_registered(call.arg(1))) interface = efi.handles.find(*h, g);
  } else if (const auto all = efi.handles.with(g); !all.empty()) {
    interface = efi.handles.find(all.front(), g);
  } else {
    note_unknown(call, g);
  }
  if (!call.write_value(call.arg(2), interface.value_or(0))) return efi::kInvalidParameter;
  return interface ? efi::kSuccess : efi::kNotFound;
}

EfiStatus locate_device_path(EfiContext& efi, GateCall& call) {
  Guid g;
  u64 at = 0;
  if (!guid_arg(call, call.arg(0), g) || !call.arg(1) || !call.arg(2) || !call.read_value(call.arg(1), at))
    return efi::kInvalidParameter;
  const auto path = read_device_path(call, at);
  if (!path) return efi::kInvalidParameter;
  DevicePath rest;
  const EfiHandle handle = handle_for_path(efi, *path, g, rest);
  if (!handle) return efi::kNotFound;
  const u64 rest_at = at + (path->nodes().size() - rest.nodes().size());
  return call.write_value(call.arg(1), rest_at) && call.write_value(call.arg(2), handle)
             ? efi::kSuccess
             : efi::kInvalidParameter;
}

EfiStatus open_protocol_service(EfiContext& efi, GateCall& call) {
  Guid g;
  const u32 attributes = static_cast<u32>(call.arg(5));
  if (!guid_arg(call, call.arg(1), g) || (attributes != open_protocol::kTest && !call.arg(2)))
    return efi::kInvalidParameter;
  u64 interface = 0;
  const auto s = efi.handles.open(call.arg(0), g, call.arg(3), call.arg(4), attributes, interface);
  if (s == efi::kUnsupported && efi.handles.with(g).empty()) note_unknown(call, g);
  if (attributes != open_protocol::kTest && (!efi_error(s) || s == efi::kUnsupported))
    if (!call.write_value(call.arg(2), interface)) return efi::kInvalidParameter;
  return s;
}

EfiStatus open_information(EfiContext& efi, GateCall& call) {
  Guid g;
  if (!guid_arg(call, call.arg(1), g) || !call.arg(2) || !call.arg(3)) return efi::kInvalidParameter;
  const auto list = efi.handles.open_information(call.arg(0), g);
  if (!list) return efi::kNotFound;
  std::vector<u8> bytes(list->size() * 24);
  for (size_t i = 0; i < list->size(); i++) {
    const auto& o = (*list)[i];
    store_le(&bytes[24 * i], o.agent), store_le(&bytes[24 * i + 8], o.controller);
    store_le(&bytes[24 * i + 16], o.attributes), store_le(&bytes[24 * i + 20], o.open_count);
  }
  const u64 buffer = efi.place(bytes);
  if (!buffer) return efi::kOutOfResources;
  return call.write_value(call.arg(2), buffer) && call.write_value(call.arg(3), u64{list->size()})
             ? efi::kSuccess
             : efi::kInvalidParameter;
}

EfiStatus protocols_per_handle(EfiContext& efi, GateCall& call) {
  const auto list = efi.handles.protocols_of(call.arg(0));
  if (!list || !call.arg(1) || !call.arg(2)) return efi::kInvalidParameter;
  // The caller frees both levels as one buffer: pointers first, the GUIDs they point to behind them.
  const u64 pointer_bytes = list->size() * 8;
  GuestPhys buffer = 0;
  if (efi_error(efi.pool.allocate(MemoryType::BootServicesData, pointer_bytes + list->size() * 16, buffer)))
    return efi::kOutOfResources;
  for (size_t i = 0; i < list->size(); i++) {
    const u64 at = buffer + pointer_bytes + 16 * i;
    efi.bus.write_bytes(buffer + 8 * i, &at, 8);
    efi.bus.write_bytes(at, &(*list)[i], 16);
  }
  return call.write_value(call.arg(1), buffer) && call.write_value(call.arg(2), u64{list->size()})
             ? efi::kSuccess
             : efi::kInvalidParameter;
}

struct Pair {
  Guid protocol;
  u64 interface;
};

/// The (GUID pointer, interface) list of the InstallMultiple calls, up to its null.
bool pairs_of(GateCall& call, std::vector<Pair>& pairs) {
  for (unsigned i = 1; i < 128; i += 2) {
    const u64 at = call.arg(i);
    if (at == 0) return true;
    Pair p{{}, call.arg(i + 1)};
    if (!call.read_value(at, p.protocol)) return false;
    pairs.push_back(p);
  }
  return false;
}

bool same_device_path_exists(EfiContext& efi, GateCall& call, u64 at) {
  const auto path = read_device_path(call, at);
  if (!path) return false;
  for (const EfiHandle h : efi.handles.with(guid::kDevicePath))
    if (device_path_of(efi, h) == *path) return true;
  return false;
}

EfiStatus install_multiple(EfiContext& efi, GateCall& call) {
  EfiHandle handle = 0;
  std::vector<Pair> pairs;
  if (!call.arg(0) || !call.read_value(call.arg(0), handle) || !pairs_of(call, pairs))
    return efi::kInvalidParameter;
  for (const auto& p : pairs)
    if (p.protocol == guid::kDevicePath && same_device_path_exists(efi, call, p.interface))
      return efi::kAlreadyStarted;
  EfiStatus s = efi::kSuccess;
  size_t done = 0;
  for (; done < pairs.size() && !efi_error(s); done++)
    s = efi.handles.install(handle, pairs[done].protocol, pairs[done].interface);
  if (efi_error(s)) {
    for (size_t i = 0; i + 1 < done; i++)
      (void)efi.handles.uninstall(handle, pairs[i].protocol, pairs[i].interface);
    return s;
  }
  return call.write_value(call.arg(0), handle) ? efi::kSuccess : efi::kInvalidParameter;
}

EfiStatus uninstall_multiple(EfiContext& efi, GateCall& call) {
  EfiHandle handle = call.arg(0);
  std::vector<Pair> pairs;
  if (!pairs_of(call, pairs)) return efi::kInvalidParameter;
  for (size_t i = 0; i < pairs.size(); i++) {
    if (!efi_error(efi.handles.uninstall(handle, pairs[i].protocol, pairs[i].interface))) continue;
    // All or nothing.
    while (i--) (void)efi.handles.install(handle, pairs[i].protocol, pairs[i].interface);
    return efi::kInvalidParameter;
  }
  return efi::kSuccess;
}

/// Offers the controller to every driver a guest installed; firmware's own drivers have bound their devices
/// already.
EfiStatus connect_controller(EfiContext& efi, GateCall& call) {
  const EfiHandle controller = call.arg(0);
  if (!efi.handles.exists(controller)) return efi::kInvalidParameter;
  bool started = false;
  for (const EfiHandle driver : efi.handles.with(kDriverBinding)) {
    const u64 binding = efi.handles.find(driver, kDriverBinding).value_or(0);
    u64 functions[2] = {};  // Supported, Start
    if (!binding || !call.read(binding, functions, sizeof functions)) continue;
    const u64 args[] = {binding, controller, call.arg(2)};
    if (efi_error(call.call_guest(functions[0], args))) continue;
    started |= !efi_error(call.call_guest(functions[1], args));
  }
  const bool bound = efi.handles.find(controller, guid::kBlockIo) ||
                     efi.handles.find(controller, guid::kSimpleTextOutput) ||
                     efi.handles.find(controller, guid::kDevicePath);
  return started || bound ? efi::kSuccess : efi::kNotFound;
}

EfiStatus disconnect_controller(EfiContext& efi, GateCall& call) {
  return efi.handles.exists(call.arg(0)) ? efi::kSuccess : efi::kInvalidParameter;
}

EfiStatus install_configuration_table(EfiContext& efi, SystemTable& table, GateCall& call) {
  Guid g;
  if (!guid_arg(call, call.arg(0), g)) return efi::kInvalidParameter;
  return table.set_configuration_table(g, call.arg(1));
}

template <class F>
EfiFunction with_guid(F fn) {
  return [fn](GateCall& c) {
    Guid g;
    return guid_arg(c, c.arg(1), g) ? fn(c, g) : efi::kInvalidParameter;
  };
}

}  // namespace

std::vector<EfiServiceRow> protocol_services(EfiContext& efi, SystemTable& table) {
  EfiContext* e = &efi;
  return {
      {"InstallProtocolInterface", [e](GateCall& c) { return install_interface(*e, c); }},
      {"ReinstallProtocolInterface", with_guid([e](GateCall& c, const Guid& g) {
         return e->handles.reinstall(c.arg(0), g, c.arg(2), c.arg(3));
       })},
      {"UninstallProtocolInterface",
       with_guid([e](GateCall& c, const Guid& g) { return e->handles.uninstall(c.arg(0), g, c.arg(2)); })},
      {"HandleProtocol", [e](GateCall& c) { return handle_protocol(*e, c); }},
      {"PCHandleProtocol", [e](GateCall& c) { return handle_protocol(*e, c); }},
      {"RegisterProtocolNotify", [e](GateCall& c) { return register_notify(*e, c); }},
      {"LocateHandle", [e](GateCall& c) { return locate_handle(*e, c); }},
      {"LocateDevicePath", [e](GateCall& c) { return locate_device_path(*e, c); }},
      {"InstallConfigurationTable",
       [e, t = &table](GateCall& c) { return install_configuration_table(*e, *t, c); }},
      {"ConnectController", [e](GateCall& c) { return connect_controller(*e, c); }},
      {"DisconnectController", [e](GateCall& c) { return disconnect_controller(*e, c); }},
      {"OpenProtocol", [e](GateCall& c) { return open_protocol_service(*e, c); }},
      {"CloseProtocol", with_guid([e](GateCall& c, const Guid& g) {
         return e->handles.close(c.arg(0), g, c.arg(2), c.arg(3));
       })},
      {"OpenProtocolInformation", [e](GateCall& c) { return open_information(*e, c); }},
      {"ProtocolsPerHandle", [e](GateCall& c) { return protocols_per_handle(*e, c); }},
      {"LocateHandleBuffer", [e](GateCall& c) { return locate_handle_buffer(*e, c); }},
      {"LocateProtocol", [e](GateCall& c) { return locate_protocol(*e, c); }},
      {"InstallMultipleProtocolInterfaces", [e](GateCall& c) { return install_multiple(*e, c); }},
      {"UninstallMultipleProtocolInterfaces", [e](GateCall& c) { return uninstall_multiple(*e, c); }},
  };
}

}  // namespace ia64::firmware
