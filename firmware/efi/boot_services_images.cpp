// Boot services: images and the end of boot services.
#include "base/log.h"
#include "firmware/efi/boot_services.h"
#include "firmware/efi/guest_data.h"

namespace ia64::firmware {
namespace {

constexpr u64 kMaxSourceBytes = u64{256} << 20;

EfiStatus load_image(Images& images, GateCall& call) {
  const u64 parent = call.arg(1), path_at = call.arg(2), source_at = call.arg(3), size_bytes = call.arg(4);
  if (!call.arg(5) || (!path_at && !source_at)) return efi::kInvalidParameter;
  if (!images.exists(parent) && parent != images.firmware_image()) return efi::kInvalidParameter;
  std::optional<DevicePath> path = DevicePath();
  if (path_at) path = read_device_path(call, path_at);
  if (!path) return efi::kInvalidParameter;
  std::vector<u8> source;
  if (source_at) {
    if (size_bytes == 0 || size_bytes > kMaxSourceBytes) return efi::kLoadError;
    source.resize(size_bytes);
    if (!call.read(source_at, source.data(), size_bytes)) return efi::kInvalidParameter;
  }
  EfiHandle image = 0;
  const auto s = images.load(call, call.arg(0) & 0xff, parent, *path, std::move(source), image);
  if (efi_error(s)) return s;
  return call.write_value(call.arg(5), image) ? efi::kSuccess : efi::kInvalidParameter;
}

EfiStatus start_image(Images& images, GateCall& call) {
  const u64 size_at = call.arg(1), data_at = call.arg(2);
  u64 exit_size = 0, exit_data = 0;
  const auto s = images.start(call, call.arg(0), exit_size, exit_data);
  if (size_at) (void)call.write_value(size_at, exit_size);
  if (data_at) (void)call.write_value(data_at, exit_data);
  return s;
}

EfiStatus exit_boot_services_service(EfiContext& efi, SystemTable& table, Images& images, GateCall& call) {
  if (!images.exists(call.arg(0)) && call.arg(0) != images.firmware_image()) return efi::kInvalidParameter;
  if (call.arg(1) != efi.memory.key()) return efi::kInvalidParameter;
  exit_boot_services(efi, table, call);
  return efi::kSuccess;
}

}  // namespace

void exit_boot_services(EfiContext& efi, SystemTable& table, GateCall& call) {
  efi.events.signal_group(efi::kEventExitBootServices);
  const u64 tpl = efi.events.set_tpl(0);
  efi.events.dispatch(call);
  efi.events.set_tpl(tpl);
  efi.run_exit_hooks();
  efi.events.drop_boot_events();
  efi.boot_services = false;
  table.forget_boot_services();
  LOG(Efi, "boot services ended");
}

std::vector<EfiServiceRow> image_services(EfiContext& efi, SystemTable& table, Images& images) {
  Images* i = &images;
  return {
      {"LoadImage", [i](GateCall& c) { return load_image(*i, c); }},
      {"StartImage", [i](GateCall& c) { return start_image(*i, c); }},
      {"Exit", [i](GateCall& c) { return i->exit(c, c.arg(0), c.arg(1), c.arg(2), c.arg(3)); }},
      {"UnloadImage", [i](GateCall& c) { return i->unload(c, c.arg(0)); }},
      {"ExitBootServices",
       [e = &efi, t = &table, i](GateCall& c) { return exit_boot_services_service(*e, *t, *i, c); }},
  };
}

}  // namespace ia64::firmware
