// The EFI runtime services: time, variables, virtual mode, reset. Callable in physical and virtual mode.
#pragma once

#include <optional>

#include "base/state_archive.h"
#include "firmware/call_gate.h"
#include "firmware/efi/boot_services.h"
#include "firmware/efi/time.h"
#include "firmware/efi/variables.h"

namespace ia64::firmware {

/// Thread rule: the firmware's lock.
class RuntimeServices {
 public:
  RuntimeServices(EfiContext& efi, CallGate& gate, SystemTable& table, Images& images,
                  VariableStore& variables, MonotonicCounter& counter);

  std::vector<EfiServiceRow> rows();
  /// Saves the variables through the host when a non-volatile one changed. @returns DeviceError when the host
  /// refused
  EfiStatus save_variables();
  /// Protocol interfaces that runtime code reaches through pointers of its own (FPSWA): `at` holds a guest
  /// address that SetVirtualAddressMap has to convert.
  void add_runtime_pointer(GuestPhys at) { runtime_pointers_.push_back(at); }
  bool virtual_mode() const { return virtual_; }
  void visit_state(StateArchive& a) { a(map_, virtual_, time_zone_, daylight_); }

 private:
  struct Mapping {
    u64 base, bytes, virtual_base;
    void visit_state(StateArchive& a) { a(base, bytes, virtual_base); }
  };
  EfiStatus get_time(GateCall& call);
  EfiStatus set_time(GateCall& call);
  EfiStatus get_wakeup_time(GateCall& call);
  EfiStatus set_virtual_address_map(GateCall& call);
  EfiStatus convert_pointer(GateCall& call);
  EfiStatus get_variable(GateCall& call);
  EfiStatus get_next_variable_name(GateCall& call);
  EfiStatus set_variable(GateCall& call);
  EfiStatus next_high_count(GateCall& call);
  EfiStatus reset_system(GateCall& call);
  bool runtime() const { return !efi_.boot_services; }
  std::optional<u64> converted(u64 address) const;
  u64 convert_or_keep(u64 address) const { return converted(address).value_or(address); }

  EfiContext& efi_;
  CallGate& gate_;
  SystemTable& table_;
  Images& images_;
  VariableStore& variables_;
  MonotonicCounter& counter_;
  std::vector<Mapping> map_;
  bool virtual_ = false, converting_ = false;
  std::vector<GuestPhys> runtime_pointers_;
  i16 time_zone_ = 0;
  u8 daylight_ = 0;
};

}  // namespace ia64::firmware
