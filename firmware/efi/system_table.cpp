// EFI system table, services tables and configuration tables in guest memory. @source EFI 1.10, chapter 4
#include "firmware/efi/system_table.h"

#include <algorithm>
#include <cstring>

#include "base/endian.h"
#include "base/invariant.h"
#include "firmware/efi/crc32.h"

namespace ia64::firmware {
namespace {

constexpr u64 kSystemSignature = 0x5453'5953'2049'4249, kBootSignature = 0x5652'4553'544f'4f42,
              kRuntimeSignature = 0x5652'4553'544e'5552;
constexpr u32 kRevision110 = 1 << 16 | 10;
constexpr u32 kFirmwareRevision = 14 << 16 | 62;
constexpr u32 kHeaderBytes = 24;
constexpr char16_t kVendor[] = u"HP";

constexpr std::string_view kBootOrder[] = {"RaiseTPL",
                                           "RestoreTPL",
                                           "AllocatePages",
                                           "FreePages",
                                           "GetMemoryMap",
                                           "AllocatePool",
                                           "FreePool",
                                           "CreateEvent",
                                           "SetTimer",
                                           "WaitForEvent",
                                           "SignalEvent",
                                           "CloseEvent",
                                           "CheckEvent",
                                           "InstallProtocolInterface",
                                           "ReinstallProtocolInterface",
                                           "UninstallProtocolInterface",
                                           "HandleProtocol",
                                           "PCHandleProtocol",
                                           "RegisterProtocolNotify",
                                           "LocateHandle",
                                           "LocateDevicePath",
                                           "InstallConfigurationTable",
                                           "LoadImage",
                                           "StartImage",
                                           "Exit",
                                           "UnloadImage",
                                           "ExitBootServices",
                                           "GetNextMonotonicCount",
                                           "Stall",
                                           "SetWatchdogTimer",
                                           "ConnectController",
                                           "DisconnectController",
                                           "OpenProtocol",
                                           "CloseProtocol",
                                           "OpenProtocolInformation",
                                           "ProtocolsPerHandle",
                                           "LocateHandleBuffer",
                                           "LocateProtocol",
                                           "InstallMultipleProtocolInterfaces",
                                           "UninstallMultipleProtocolInterfaces",
                                           "CalculateCrc32",
                                           "CopyMem",
                                           "SetMem"};

constexpr std::string_view kRuntimeOrder[] = {
    "GetTime",        "SetTime",     "GetWakeupTime",       "SetWakeupTime", "SetVirtualAddressMap",
    "ConvertPointer", "GetVariable", "GetNextVariableName", "SetVariable",   "GetNextHighMonotonicCount",
    "ResetSystem"};

void write_table(AddressSpace& bus, GuestPhys at, u64 signature, std::span<const u64> body) {
  std::vector<u8> bytes(kHeaderBytes + body.size_bytes());
  store_le(&bytes[0], signature);
  store_le(&bytes[8], kRevision110);
  store_le(&bytes[12], static_cast<u32>(bytes.size()));
  std::memcpy(&bytes[kHeaderBytes], body.data(), body.size_bytes());
  store_le(&bytes[16], crc32(bytes));
  bus.write_bytes(at, bytes.data(), bytes.size());
}

}  // namespace

SystemTable::SystemTable(EfiContext& efi, GuestPhys at)
    : efi_(efi),
      system_(at),
      runtime_(at + 256),
      configuration_(at + 512),
      vendor_(at + 4096),
      configuration_pointer_(configuration_),
      runtime_pointer_(runtime_),
      vendor_pointer_(vendor_) {
  static_assert(512 + kMaxConfigurationTables * 24 <= 4096);
  efi_.bus.write_bytes(vendor_, kVendor, sizeof kVendor);
  // Boot services are gone when the OS runs, so their table is ordinary boot-time memory.
  const std::vector<u8> empty(kHeaderBytes + 8 * std::size(kBootOrder));
  boot_ = efi_.place(empty);
  INVARIANT(boot_);
  store();
}

void SystemTable::write_functions(GuestPhys table, std::span<const std::string_view> order,
                                  const std::vector<EfiServiceRow>& rows, u64 signature, bool runtime) {
  std::vector<u64> body;
  for (const auto name : order) {
    const auto row = std::find_if(rows.begin(), rows.end(), [&](const auto& r) { return r.name == name; });
    INVARIANT(row != rows.end());
    body.push_back(runtime ? efi_.runtime_function(name, row->function) : efi_.function(name, row->function));
  }
  write_table(efi_.bus, table, signature, body);
  if (runtime) runtime_functions_ = body;
}

void SystemTable::set_boot_services(const std::vector<EfiServiceRow>& rows) {
  write_functions(boot_, kBootOrder, rows, kBootSignature, false);
  store();
}

void SystemTable::set_runtime_services(const std::vector<EfiServiceRow>& rows) {
  write_functions(runtime_, kRuntimeOrder, rows, kRuntimeSignature, true);
  store();
}

void SystemTable::set_console(const ConsoleEntries& entries) {
  console_ = entries;
  store();
}

EfiStatus SystemTable::set_configuration_table(const Guid& g, u64 table) {
  const auto it = std::find_if(tables_.begin(), tables_.end(), [&](const auto& t) { return t.guid == g; });
  if (table == 0) {
    if (it == tables_.end()) return efi::kNotFound;
    tables_.erase(it);
  } else if (it != tables_.end()) {
    it->table = table;
  } else {
    if (tables_.size() == kMaxConfigurationTables) return efi::kOutOfResources;
    tables_.push_back({g, table});
  }
  store();
  return efi::kSuccess;
}

void SystemTable::forget_boot_services() {
  console_ = {};
  boot_ = 0;
  store();
}

void SystemTable::visit_state(StateArchive& a) {
  a.fixed(runtime_functions_, "the number of runtime services");
  a(tables_, configuration_pointer_, runtime_pointer_, vendor_pointer_);
  a.require(tables_.size() <= kMaxConfigurationTables, "the number of configuration tables");
  if (a.loading()) console_ = {}, boot_ = 0;
}

void SystemTable::store_configuration() {
  std::vector<u8> bytes(kMaxConfigurationTables * 24);
  for (size_t i = 0; i < tables_.size(); i++) {
    store_le(&bytes[24 * i], tables_[i].guid);
    store_le(&bytes[24 * i + 16], tables_[i].table);
  }
  efi_.bus.write_bytes(configuration_, bytes.data(), bytes.size());
}

void SystemTable::store() {
  store_configuration();
  const u64 body[] = {vendor_pointer_,       kFirmwareRevision,
                      console_.in_handle,    console_.in,
                      console_.out_handle,   console_.out,
                      console_.error_handle, console_.error,
                      runtime_pointer_,      boot_,
                      tables_.size(),        tables_.empty() ? 0 : configuration_pointer_};
  write_table(efi_.bus, system_, kSystemSignature, body);
}

// Configuration table entries stay physical: each vendor's GUID defines how its table is addressed
// (EFI 1.10, 4.6), and the tables announced here are all read by physical address.
void SystemTable::convert(const std::function<u64(u64)>& convert) {
  for (u64& f : runtime_functions_) f = convert(f);
  write_table(efi_.bus, runtime_, kRuntimeSignature, runtime_functions_);
  vendor_pointer_ = convert(vendor_);
  runtime_pointer_ = convert(runtime_);
  configuration_pointer_ = convert(configuration_);
  store();
}

}  // namespace ia64::firmware
