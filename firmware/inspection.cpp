// Copies of firmware's tables for people.
#include "firmware/efi/guest_data.h"
#include "firmware/firmware_impl.h"

namespace ia64::firmware {
namespace {

std::string ascii(std::u16string_view text) {
  std::string out;
  for (const char16_t c : text) out += c >= ' ' && c < 0x7f ? static_cast<char>(c) : '?';
  return out;
}

const char* type_text(MemoryType type) {
  static constexpr const char* kNames[] = {"ReservedMemoryType", "LoaderCode",          "LoaderData",          "BootServicesCode",
                                           "BootServicesData",   "RuntimeServicesCode", "RuntimeServicesData", "ConventionalMemory",
                                           "UnusableMemory",     "ACPIReclaimMemory",   "ACPIMemoryNVS",       "MemoryMappedIO",
                                           "MemoryMappedIOPortSpace", "PalCode"};
  static_assert(std::size(kNames) == static_cast<size_t>(MemoryType::Count));
  return type < MemoryType::Count ? kNames[static_cast<unsigned>(type)] : "vendor";
}

std::vector<EfiVariableInfo> variables_of(const VariableStore& store, bool runtime) {
  std::vector<EfiVariableInfo> out;
  VariableStore::Key key;
  while (store.next(key, runtime) == efi::kSuccess) {
    const VariableStore::Variable* v = store.get(key, runtime);
    if (v) out.push_back({ascii(key.name), guid_name(key.vendor), v->attributes, v->data});
  }
  return out;
}

std::vector<EfiHandleInfo> handles_of(EfiContext& efi) {
  std::vector<EfiHandleInfo> out;
  for (const EfiHandle handle : efi.handles.all()) {
    EfiHandleInfo info{.handle = handle, .path = {}, .protocols = {}};
    if (efi.boot_services && efi.handles.find(handle, guid::kDevicePath)) info.path = device_path_of(efi, handle).to_text();
    const auto protocols = efi.handles.protocols_of(handle);
    for (const Guid& g : protocols ? *protocols : std::vector<Guid>{})
      info.protocols.emplace_back(guid_name(g), efi.handles.find(handle, g).value_or(0));
    out.push_back(std::move(info));
  }
  return out;
}

}  // namespace

EfiInspection Firmware::inspect_efi() {
  EfiInspection out;
  if (!impl_->power_on) return out;
  PowerOn& p = *impl_->power_on;
  out.boot_services = p.efi.boot_services;
  out.variables = variables_of(impl_->variables, !p.efi.boot_services);
  out.handles = handles_of(p.efi);
  for (const MemoryDescriptor& d : p.efi.memory.descriptors())
    out.memory.push_back({d.base, d.pages * efi::kPageSize, type_text(d.type), d.attributes});
  out.images = p.images.described();
  return out;
}

}  // namespace ia64::firmware
