// What all EFI code shares: guest memory, allocators, handles, events and functions in guest memory.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/address_space.h"
#include "base/clock.h"
#include "firmware/board_description.h"
#include "firmware/efi/device_path.h"
#include "firmware/efi/events.h"
#include "firmware/efi/handle_db.h"
#include "firmware/efi/memory_map.h"
#include "firmware/efi/pool.h"
#include "firmware/gate.h"

namespace ia64::firmware {

/// An EFI function implemented on the host. Arguments come from the call; the result goes to r8.
using EfiFunction = std::function<EfiStatus(GateCall&)>;

/// State of one power-on of the EFI part. Host-side code reaches guest physical memory through `bus`, and a
/// caller's memory through the GateCall. Thread rule: the firmware's lock.
class EfiContext {
 public:
  EfiContext(const BoardDescription& board, AddressSpace& bus, Clock& clock, FirmwareHost& host,
             ServiceTable& gate);

  const BoardDescription& board;
  AddressSpace& bus;
  Clock& clock;
  FirmwareHost& host;
  ServiceTable& gate;
  MemoryMap memory;
  Pool pool;
  HandleDatabase handles;
  EventTable events;
  /// False from ExitBootServices on: boot services and boot-time protocols answer Unsupported from then.
  bool boot_services = true;

  /// Registers a host function once per name and returns the guest address of its descriptor; later calls
  /// with the same name return the same descriptor and ignore `fn`, so all instances of a protocol share
  /// their functions and tell instances apart by their `This` argument. Calls are traced on channel efi and
  /// pending notifications run after them.
  GuestPhys function(std::string_view name, EfiFunction fn);
  /// As function(), but for runtime services: no event dispatch, usable after ExitBootServices.
  GuestPhys runtime_function(std::string_view name, EfiFunction fn);

  /// Copies bytes into fresh pool memory of this type. @returns 0 when memory is exhausted
  GuestPhys place(std::span<const u8> bytes, MemoryType type = MemoryType::BootServicesData);

  /// Called, latest first, inside a successful ExitBootServices: drivers reset their devices here.
  void at_exit_boot_services(std::function<void()> fn) { exit_hooks_.push_back(std::move(fn)); }
  void run_exit_hooks();
  /// The state after ExitBootServices. Loading ends boot services without running the hooks: the devices have a state already.
  void visit_state(StateArchive& a);

 private:
  GuestPhys add(std::string_view name, EfiFunction fn, bool runtime);
  std::map<std::string, GuestPhys, std::less<>> functions_;
  std::vector<std::function<void()>> exit_hooks_;
};

/// Composes a protocol interface structure in guest memory, field by field in order; fields are naturally
/// aligned.
///   interface = ProtocolBuilder(efi).u64_value(revision).pointer(media).function("BlockIo.Reset",
///   reset)....build();
class ProtocolBuilder {
 public:
  explicit ProtocolBuilder(EfiContext& efi, MemoryType type = MemoryType::BootServicesData)
      : efi_(efi), type_(type) {}
  ProtocolBuilder& u8_value(u8 v) { return raw(&v, 1); }
  ProtocolBuilder& u16_value(u16 v) { return raw(&v, 2); }
  ProtocolBuilder& u32_value(u32 v) { return raw(&v, 4); }
  ProtocolBuilder& u64_value(u64 v) { return raw(&v, 8); }
  ProtocolBuilder& pointer(GuestPhys p) { return u64_value(p); }
  /// A pointer to the descriptor of a function shared by name (EfiContext::function).
  ProtocolBuilder& function(std::string_view name, EfiFunction fn) {
    return pointer(efi_.function(name, std::move(fn)));
  }
  /// Writes the structure into pool memory. @returns its address, 0 when memory is exhausted
  GuestPhys build();
  /// Releases a structure made by build().
  static void release(EfiContext& efi, GuestPhys interface) { (void)efi.pool.free(interface); }

 private:
  ProtocolBuilder& raw(const void* p, size_t size);
  EfiContext& efi_;
  MemoryType type_;
  std::vector<u8> bytes_;
};

}  // namespace ia64::firmware
