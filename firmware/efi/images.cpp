// Loading, starting and ending EFI programs.
#include "firmware/efi/images.h"

#include <algorithm>

#include "base/endian.h"
#include "base/log.h"
#include "firmware/efi/guest_data.h"
#include "firmware/loader/pe_symbols.h"

namespace ia64::firmware {
namespace {

constexpr std::u16string_view kRemovableMediaFile = u"\\EFI\\BOOT\\BOOTIA64.EFI";
constexpr u64 kImageAlignment = 64 << 10;  // the largest page an OS loader of this machine uses for itself

// Offsets in EFI_LOADED_IMAGE.
constexpr u64 kLoadOptionsSize = 48, kLoadOptions = 56, kUnload = 88;

struct MemoryTypes {
  MemoryType code, data;
};

MemoryTypes types_of(ImageKind kind) {
  switch (kind) {
    case ImageKind::BootDriver: return {MemoryType::BootServicesCode, MemoryType::BootServicesData};
    case ImageKind::RuntimeDriver: return {MemoryType::RuntimeServicesCode, MemoryType::RuntimeServicesData};
    case ImageKind::Application: break;
  }
  return {MemoryType::LoaderCode, MemoryType::LoaderData};
}

}  // namespace

Images::Images(EfiContext& efi, GuestPhys system_table) : efi_(efi), system_table_(system_table) {
  const GuestPhys interface = ProtocolBuilder(efi)
                                  .u32_value(0x1000)
                                  .u64_value(0)
                                  .pointer(system_table)
                                  .u64_value(0)
                                  .u64_value(0)
                                  .u64_value(0)
                                  .u32_value(0)
                                  .u64_value(0)
                                  .u64_value(0)
                                  .u64_value(0)
                                  .u32_value(static_cast<u32>(MemoryType::BootServicesCode))
                                  .u32_value(static_cast<u32>(MemoryType::BootServicesData))
                                  .u64_value(0)
                                  .build();
  (void)efi_.handles.install(firmware_image_, guid::kLoadedImage, interface);
}

EfiStatus Images::fetch(GateCall& call, bool boot_policy, const DevicePath& path, std::vector<u8>& source,
                        EfiHandle& device, DevicePath& file_path) {
  DevicePath rest;
  device = handle_for_path(efi_, path, guid::kSimpleFileSystem, rest);
  if (!source.empty()) {
    file_path = device ? rest : path;
    if (!device) device = handle_for_path(efi_, path, guid::kDevicePath, file_path);
    return efi::kSuccess;
  }
  if (device) {
    file_path = rest;
    // A boot option that names a device means the default file of removable media.
    if (rest.empty() && boot_policy) file_path.file16(kRemovableMediaFile);
    if (!file_path.file_path().empty()) {
      const auto s = read_file(efi_, call, device, file_path.file_path(), source);
      return s == efi::kSuccess && source.empty() ? efi::kLoadError : s;
    }
  }
  device = handle_for_path(efi_, path, guid::kLoadFile, file_path);
  if (!device) return efi::kNotFound;
  return load_file(efi_, call, device, file_path, boot_policy, source);
}

EfiStatus Images::place(Image& image) {
  const MemoryTypes types = types_of(image.file.kind());
  image.pages = image.file.size_bytes() / efi::kPageSize;
  image.base = image.file.preferred_base();
  const auto how = image.file.relocatable() ? MemoryMap::Allocate::Any : MemoryMap::Allocate::Address;
  if (efi_error(efi_.memory.allocate(how, types.code, image.pages, image.base, kImageAlignment)))
    return image.file.relocatable() ? efi::kOutOfResources : efi::kLoadError;
  const auto bytes = image.file.relocated(image.base);
  if (bytes.empty()) {
    (void)efi_.memory.free(image.base, image.pages);
    return efi::kLoadError;
  }
  efi_.bus.write_bytes(image.base, bytes.data(), bytes.size());
  return efi::kSuccess;
}

EfiStatus Images::load(GateCall& call, bool boot_policy, EfiHandle parent, const DevicePath& path,
                       std::vector<u8> source, EfiHandle& image_handle) {
  EfiHandle device = 0;
  DevicePath file_path;
  if (const auto s = fetch(call, boot_policy, path, source, device, file_path); efi_error(s)) return s;
  Image image;
  EfiStatus s;
  image.file = PeImage::parse(source, s);
  if (efi_error(s)) return s;
  if (s = place(image); efi_error(s)) return s;
  const MemoryTypes types = types_of(image.file.kind());
  image.file_path = efi_.place(file_path.bytes());
  image.loaded_image = ProtocolBuilder(efi_)
                           .u32_value(0x1000)
                           .u64_value(parent)
                           .pointer(system_table_)
                           .u64_value(device)
                           .pointer(image.file_path)
                           .u64_value(0)
                           .u32_value(0)
                           .u64_value(0)
                           .pointer(image.base)
                           .u64_value(image.file.size_bytes())
                           .u32_value(static_cast<u32>(types.code))
                           .u32_value(static_cast<u32>(types.data))
                           .u64_value(0)
                           .build();
  if (!image.file_path || !image.loaded_image) return efi::kOutOfResources;
  image_handle = 0;
  (void)efi_.handles.install(image_handle, guid::kLoadedImage, image.loaded_image);
  DevicePath whole = path;
  if (path.file_path().empty()) whole.append(file_path);  // the default file of removable media
  announce(image_handle, image, whole, source);
  images_.emplace(image_handle, std::move(image));
  return efi::kSuccess;
}

void Images::announce(EfiHandle handle, Image& image, const DevicePath& path, std::span<const u8> file) {
  static constexpr const char* kKinds[] = {"application", "boot driver", "runtime driver"};
  EfiImage& d = image.description;
  d = {.handle = handle,
       .path = path.to_text(),
       .name = {},
       .kind = kKinds[static_cast<unsigned>(image.file.kind())],
       .base = image.base,
       .size_bytes = image.file.size_bytes(),
       .preferred_base = image.file.preferred_base(),
       .symbols = pe_symbols(file)};
  d.name = d.path.substr(d.path.find_last_of("\\/") + 1);
  (void)efi_.bus.read_bytes(image.base + image.file.entry(), &d.entry, 8);
  (void)efi_.bus.read_bytes(image.base + image.file.entry() + 8, &d.gp, 8);
  LOG(Efi, "image {:#x} ({}) at {:#x}, {:#x} bytes, entry {:#x}, gp {:#x}, {} symbols: {}", handle, d.kind, d.base, d.size_bytes, d.entry,
      d.gp, d.symbols.size(), d.path);
  efi_.host.image_loaded(d);
}

std::vector<EfiImage> Images::described() const {
  std::vector<EfiImage> out;
  for (const auto& [handle, image] : images_) out.push_back(image.description);
  return out;
}

EfiStatus Images::start(GateCall& call, EfiHandle handle, u64& exit_size, u64& exit_data) {
  const auto it = images_.find(handle);
  exit_size = exit_data = 0;
  if (it == images_.end() || it->second.started) return efi::kInvalidParameter;
  it->second.started = it->second.running = true;
  call.cpu().flush_code();
  const u64 tpl = efi_.events.tpl();
  const EfiStatus status =
      call.call_image(it->second.base + it->second.file.entry(), handle, system_table_, handle);
  efi_.events.set_tpl(tpl);
  const auto ended = images_.find(handle);
  if (ended == images_.end()) return status;
  ended->second.running = false;
  exit_size = ended->second.exit_size, exit_data = ended->second.exit_data;
  // Applications go; drivers stay when they are content.
  if (ended->second.file.kind() == ImageKind::Application || efi_error(status)) forget(handle);
  return status;
}

EfiStatus Images::exit(GateCall& call, EfiHandle handle, EfiStatus status, u64 exit_size, u64 exit_data) {
  const auto it = images_.find(handle);
  if (it == images_.end()) return efi::kInvalidParameter;
  if (!it->second.started) {
    forget(handle);
    return efi::kSuccess;
  }
  if (!it->second.running) return efi::kInvalidParameter;
  it->second.exit_size = exit_size, it->second.exit_data = exit_data;
  call.abandon_image(handle, status);
  return efi::kInvalidParameter;
}

EfiStatus Images::unload(GateCall& call, EfiHandle handle) {
  const auto it = images_.find(handle);
  if (it == images_.end()) return efi::kInvalidParameter;
  if (it->second.running) return efi::kUnsupported;
  if (it->second.started) {
    u64 unload = 0;
    if (!call.read_value(it->second.loaded_image + kUnload, unload) || unload == 0) return efi::kUnsupported;
    const u64 args[] = {handle};
    if (const auto s = call.call_guest(unload, args); efi_error(s)) return s;
  }
  forget(handle);
  return efi::kSuccess;
}

void Images::forget(EfiHandle handle) {
  const auto it = images_.find(handle);
  if (it == images_.end()) return;
  const Image& image = it->second;
  efi_.host.image_unloaded(image.description);
  efi_.handles.close_agent(handle);
  (void)efi_.handles.uninstall(handle, guid::kLoadedImage, image.loaded_image);
  for (const GuestPhys block : {image.loaded_image, image.load_options, image.file_path})
    if (block) (void)efi_.pool.free(block);
  (void)efi_.memory.free(image.base, image.pages);
  images_.erase(it);
}

void Images::set_load_options(EfiHandle handle, std::span<const u8> options) {
  const auto it = images_.find(handle);
  if (it == images_.end() || options.empty()) return;
  it->second.load_options = efi_.place(options);
  const u32 size = static_cast<u32>(options.size());
  efi_.bus.write_bytes(it->second.loaded_image + kLoadOptionsSize, &size, 4);
  efi_.bus.write_bytes(it->second.loaded_image + kLoadOptions, &it->second.load_options, 8);
}

bool Images::has_runtime_driver() const {
  return std::any_of(images_.begin(), images_.end(), [](const auto& i) { return i.second.file.kind() == ImageKind::RuntimeDriver; });
}

void Images::relocate_runtime_images(const std::function<u64(u64)>& convert) {
  for (const auto& [handle, image] : images_) {
    if (image.file.kind() != ImageKind::RuntimeDriver) continue;
    const auto before = image.file.relocated(image.base), after = image.file.relocated(convert(image.base));
    // Only words that still hold their loaded value: the driver may have changed data since.
    for (size_t i = 0; i + 8 <= before.size() && i + 8 <= after.size(); i += 8) {
      const u64 was = load_le<u64>(&before[i]), will = load_le<u64>(&after[i]);
      u64 now = 0;
      if (was == will || efi_.bus.read_bytes(image.base + i, &now, 8) != AccessResult::Ok || now != was)
        continue;
      efi_.bus.write_bytes(image.base + i, &will, 8);
    }
  }
}

}  // namespace ia64::firmware
