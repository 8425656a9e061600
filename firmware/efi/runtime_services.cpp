// EFI runtime services. @source EFI 1.10, chapter 6
#include "firmware/efi/runtime_services.h"

#include <cstring>

#include "base/endian.h"
#include "base/log.h"
#include "firmware/efi/guest_data.h"

namespace ia64::firmware {
namespace {

constexpr u64 kMaxDescriptors = 4096;
constexpr size_t kMaxNameChars = 1024;

}  // namespace

RuntimeServices::RuntimeServices(EfiContext& efi, CallGate& gate, SystemTable& table, Images& images,
                                 VariableStore& variables, MonotonicCounter& counter)
    : efi_(efi), gate_(gate), table_(table), images_(images), variables_(variables), counter_(counter) {}

EfiStatus RuntimeServices::get_time(GateCall& call) {
  if (!call.arg(0)) return efi::kInvalidParameter;
  i64 seconds = 0;
  u32 nanoseconds = 0;
  efi_.host.wall_clock(seconds, nanoseconds);
  EfiTime t = to_efi_time(seconds, nanoseconds);
  t.time_zone = time_zone_, t.daylight = daylight_;
  if (!call.write_value(call.arg(0), t)) return efi::kInvalidParameter;
  if (call.arg(1)) {
    // A second's resolution, 50 ppm, setting clears the sub-second part.
    u8 capabilities[12] = {};
    store_le(&capabilities[0], u32{1}), store_le(&capabilities[4], u32{50'000'000}), capabilities[8] = 1;
    if (!call.write(call.arg(1), capabilities, sizeof capabilities)) return efi::kInvalidParameter;
  }
  return efi::kSuccess;
}

EfiStatus RuntimeServices::set_time(GateCall& call) {
  EfiTime t;
  if (!call.arg(0) || !call.read_value(call.arg(0), t) || !valid(t)) return efi::kInvalidParameter;
  time_zone_ = t.time_zone, daylight_ = t.daylight;
  efi_.host.set_wall_clock(to_seconds(t));
  return efi::kSuccess;
}

EfiStatus RuntimeServices::get_wakeup_time(GateCall& call) {
  if (!call.arg(0) || !call.arg(1) || !call.arg(2)) return efi::kInvalidParameter;
  return efi::kUnsupported;  // the board has no alarm; the specification allows it
}

std::optional<u64> RuntimeServices::converted(u64 address) const {
  for (const Mapping& m : map_)
    if (address >= m.base && address - m.base < m.bytes) return m.virtual_base + (address - m.base);
  return {};
}

EfiStatus RuntimeServices::set_virtual_address_map(GateCall& call) {
  const u64 map_bytes = call.arg(0), descriptor_bytes = call.arg(1), version = call.arg(2),
            map_at = call.arg(3);
  if (!runtime() || virtual_) return efi::kUnsupported;
  if (version != 1 || descriptor_bytes < 40 || map_bytes % descriptor_bytes ||
      map_bytes / descriptor_bytes > kMaxDescriptors)
    return efi::kInvalidParameter;
  std::vector<Mapping> map;
  for (u64 at = map_at; at < map_at + map_bytes; at += descriptor_bytes) {
    u64 d[5];
    if (!call.read(at, d, sizeof d)) return efi::kInvalidParameter;
    if (!(d[4] & efi::kMemoryRuntime)) continue;
    map.push_back({d[1], d[3] * efi::kPageSize, d[2]});
  }
  map_ = std::move(map);
  for (const auto& d : efi_.memory.descriptors())
    if ((d.attributes & efi::kMemoryRuntime) && d.type != MemoryType::PalCode && !converted(d.base)) {
      LOG_ONCE(Unknown, d.base, "SetVirtualAddressMap leaves runtime memory at {:#x} out", d.base);
      if (d.type == MemoryType::RuntimeServicesCode || d.type == MemoryType::RuntimeServicesData) {
        map_.clear();
        return efi::kNotFound;
      }
    }
  // Notifications still run physically; ConvertPointer answers only while they do.
  converting_ = true;
  efi_.events.signal_group(efi::kEventVirtualAddressChange);
  const u64 tpl = efi_.events.set_tpl(0);
  efi_.events.dispatch(call);
  efi_.events.set_tpl(tpl);
  converting_ = false;

  const auto convert = [this](u64 p) { return convert_or_keep(p); };
  images_.relocate_runtime_images(convert);
  for (const GuestPhys at : runtime_pointers_) {
    u64 p = 0;
    efi_.bus.read_bytes(at, &p, 8);
    p = convert(p);
    efi_.bus.write_bytes(at, &p, 8);
  }
  table_.convert(convert);
  gate_.convert_descriptors(convert);
  virtual_ = true;
  LOG(Efi, "virtual mode: system table {:#x} is now at {:#x}", table_.address(), convert(table_.address()));
  return efi::kSuccess;
}

EfiStatus RuntimeServices::convert_pointer(GateCall& call) {
  constexpr u64 kOptional = 1;
  u64 p = 0;
  if (!call.arg(1) || !call.read_value(call.arg(1), p)) return efi::kInvalidParameter;
  if (!converting_) return efi::kUnsupported;
  if (p == 0) return call.arg(0) & kOptional ? efi::kSuccess : efi::kInvalidParameter;
  const auto v = converted(p);
  if (!v) return efi::kNotFound;
  return call.write_value(call.arg(1), *v) ? efi::kSuccess : efi::kInvalidParameter;
}

EfiStatus RuntimeServices::get_variable(GateCall& call) {
  const auto name = read_string16(call, call.arg(0), kMaxNameChars);
  VariableStore::Key key;
  u64 room = 0;
  if (!name || !call.arg(1) || !call.read_value(call.arg(1), key.vendor) || !call.arg(3) ||
      !call.read_value(call.arg(3), room))
    return efi::kInvalidParameter;
  key.name = *name;
  const auto* v = variables_.get(key, runtime());
  if (!v) {
    LOG(Efi, "variable {}-{} not found", std::string(name->begin(), name->end()), guid_name(key.vendor));
    return efi::kNotFound;
  }
  if (!call.write_value(call.arg(3), u64{v->data.size()})) return efi::kInvalidParameter;
  if (call.arg(2) && !call.write_value(call.arg(2), v->attributes)) return efi::kInvalidParameter;
  if (room < v->data.size()) return efi::kBufferTooSmall;
  if (!call.arg(4)) return efi::kInvalidParameter;
  return call.write(call.arg(4), v->data.data(), v->data.size()) ? efi::kSuccess : efi::kInvalidParameter;
}

EfiStatus RuntimeServices::get_next_variable_name(GateCall& call) {
  u64 room = 0;
  VariableStore::Key key;
  const auto name = read_string16(call, call.arg(1), kMaxNameChars);
  if (!call.arg(0) || !call.read_value(call.arg(0), room) || !name || !call.arg(2) ||
      !call.read_value(call.arg(2), key.vendor))
    return efi::kInvalidParameter;
  key.name = *name;
  if (const auto s = variables_.next(key, runtime()); efi_error(s)) return s;
  const u64 bytes = key.name.size() * 2 + 2;
  if (!call.write_value(call.arg(0), bytes)) return efi::kInvalidParameter;
  if (room < bytes) return efi::kBufferTooSmall;
  return call.write(call.arg(1), key.name.c_str(), bytes) && call.write_value(call.arg(2), key.vendor)
             ? efi::kSuccess
             : efi::kInvalidParameter;
}

EfiStatus RuntimeServices::set_variable(GateCall& call) {
  const auto name = read_string16(call, call.arg(0), kMaxNameChars);
  VariableStore::Key key;
  if (!name || name->empty() || !call.arg(1) || !call.read_value(call.arg(1), key.vendor))
    return efi::kInvalidParameter;
  key.name = *name;
  const u64 size_bytes = call.arg(3);
  if (size_bytes > VariableStore::kMaxDataBytes) return efi::kOutOfResources;
  std::vector<u8> data(size_bytes);
  if (size_bytes && (!call.arg(4) || !call.read(call.arg(4), data.data(), size_bytes)))
    return efi::kInvalidParameter;
  const auto s = variables_.set(key, static_cast<u32>(call.arg(2)), data, runtime());
  return efi_error(s) ? s : save_variables();
}

EfiStatus RuntimeServices::save_variables() {
  if (!variables_.take_dirty()) return efi::kSuccess;
  return efi_.host.save_nvram(variables_.save()) ? efi::kSuccess : efi::kDeviceError;
}

EfiStatus RuntimeServices::next_high_count(GateCall& call) {
  if (!call.arg(0)) return efi::kInvalidParameter;
  const u32 high = counter_.next_high();
  return call.write_value(call.arg(0), high) ? efi::kSuccess : efi::kInvalidParameter;
}

EfiStatus RuntimeServices::reset_system(GateCall& call) {
  LOG(Efi, "ResetSystem type {}", call.arg(0));
  (void)save_variables();
  if (call.arg(0) == 2)
    efi_.host.power_off();
  else
    efi_.host.reset(call.arg(0) == 0);
  call.stop();
  return efi::kSuccess;
}

std::vector<EfiServiceRow> RuntimeServices::rows() {
  return {
      {"GetTime", [this](GateCall& c) { return get_time(c); }},
      {"SetTime", [this](GateCall& c) { return set_time(c); }},
      {"GetWakeupTime", [this](GateCall& c) { return get_wakeup_time(c); }},
      {"SetWakeupTime", [](GateCall&) { return efi::kUnsupported; }},
      {"SetVirtualAddressMap", [this](GateCall& c) { return set_virtual_address_map(c); }},
      {"ConvertPointer", [this](GateCall& c) { return convert_pointer(c); }},
      {"GetVariable", [this](GateCall& c) { return get_variable(c); }},
      {"GetNextVariableName", [this](GateCall& c) { return get_next_variable_name(c); }},
      {"SetVariable", [this](GateCall& c) { return set_variable(c); }},
      {"GetNextHighMonotonicCount", [this](GateCall& c) { return next_high_count(c); }},
      {"ResetSystem", [this](GateCall& c) { return reset_system(c); }},
  };
}

}  // namespace ia64::firmware
