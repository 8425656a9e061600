// The EFI system table with its boot and runtime services tables and configuration tables, as they lie in
// guest memory.
#pragma once

#include <functional>
#include <vector>

#include "base/state_archive.h"
#include "firmware/efi/context.h"

namespace ia64::firmware {

/// One function of a services table.
struct EfiServiceRow {
  std::string_view name;
  EfiFunction function;
};

/// Console handles and interfaces that the system table announces.
struct ConsoleEntries {
  EfiHandle in_handle = 0, out_handle = 0, error_handle = 0;
  GuestPhys in = 0, out = 0, error = 0;
};

/// Owner of the three tables. After every change the header CRCs are right again. Thread rule: the firmware's
/// lock.
class SystemTable {
 public:
  /// Reserves the tables in runtime memory at `at` (at least kBytes).
  SystemTable(EfiContext& efi, GuestPhys at);
  static constexpr u64 kBytes = 8192;
  static constexpr unsigned kMaxConfigurationTables = 64;

  /// Fills the services tables; every name of the respective table must appear in exactly one row.
  void set_boot_services(const std::vector<EfiServiceRow>& rows);
  void set_runtime_services(const std::vector<EfiServiceRow>& rows);
  void set_console(const ConsoleEntries& entries);
  /// InstallConfigurationTable: adds, replaces, or removes (`table` 0). @returns OutOfResources, or NotFound
  /// on removal
  EfiStatus set_configuration_table(const Guid& g, u64 table);
  /// ExitBootServices: console and boot services disappear from the table.
  void forget_boot_services();
  /// SetVirtualAddressMap: rewrites every pointer of the system and runtime tables.
  void convert(const std::function<u64(u64)>& convert);

  /// After ExitBootServices. The tables in memory are not written: they come back with the memory.
  void visit_state(StateArchive& a);

  GuestPhys address() const { return system_; }
  GuestPhys runtime_services() const { return runtime_; }
  GuestPhys boot_services() const { return boot_; }

 private:
  void write_functions(GuestPhys table, std::span<const std::string_view> order,
                       const std::vector<EfiServiceRow>& rows, u64 signature, bool runtime);
  void store();
  void store_configuration();

  EfiContext& efi_;
  GuestPhys system_, runtime_, configuration_, vendor_;
  GuestPhys boot_ = 0;
  std::vector<u64> runtime_functions_;
  ConsoleEntries console_;
  struct Configuration {
    Guid guid;
    u64 table;
    void visit_state(StateArchive& a) { a(guid, table); }
  };
  std::vector<Configuration> tables_;
  u64 configuration_pointer_, runtime_pointer_, vendor_pointer_;
};

}  // namespace ia64::firmware
