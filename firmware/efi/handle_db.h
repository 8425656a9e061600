// The EFI handle database: which protocol interfaces are installed on which handles, and who uses them.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <vector>

#include "firmware/efi/guid.h"
#include "firmware/efi/status.h"

namespace ia64::firmware {

/// EFI_HANDLE: an opaque nonzero number for the guest.
using EfiHandle = u64;

/// EFI_OPEN_PROTOCOL_INFORMATION_ENTRY.
struct OpenInformation {
  EfiHandle agent = 0, controller = 0;
  u32 attributes = 0;
  u32 open_count = 0;
};

/// OpenProtocol attributes. @source EFI 1.10, 5.3 (OpenProtocol)
namespace open_protocol {
inline constexpr u32 kByHandle = 1, kGet = 2, kTest = 4, kByChild = 8, kByDriver = 0x10, kExclusive = 0x20;
}

/// Handles with their protocols in installation order. Interfaces are guest addresses, whether host- or
/// guest-made: the database never looks behind them. Thread rule: the firmware's lock.
class HandleDatabase {
 public:
  /// Installs `interface` (may be 0) on `handle`, making a new handle when it is 0.
  /// @returns InvalidParameter for an unknown handle or a protocol already on it
  EfiStatus install(EfiHandle& handle, const Guid& protocol, u64 interface);
  EfiStatus reinstall(EfiHandle handle, const Guid& protocol, u64 old_interface, u64 new_interface);
  /// @returns NotFound when that very interface is not installed, AccessDenied while a driver holds it open
  EfiStatus uninstall(EfiHandle handle, const Guid& protocol, u64 interface);

  /// The interface, or nothing. No open record is kept (HandleProtocol semantics for firmware's own use).
  std::optional<u64> find(EfiHandle handle, const Guid& protocol) const;
  bool exists(EfiHandle handle) const { return handles_.count(handle) != 0; }

  EfiStatus open(EfiHandle handle, const Guid& protocol, EfiHandle agent, EfiHandle controller,
                 u32 attributes, u64& interface);
  EfiStatus close(EfiHandle handle, const Guid& protocol, EfiHandle agent, EfiHandle controller);
  /// Forgets every open record made by `agent` (an image that is unloaded).
  void close_agent(EfiHandle agent);
  std::optional<std::vector<OpenInformation>> open_information(EfiHandle handle, const Guid& protocol) const;

  /// Every handle in creation order, or those that carry `protocol`.
  std::vector<EfiHandle> all() const;
  std::vector<EfiHandle> with(const Guid& protocol) const;
  std::optional<std::vector<Guid>> protocols_of(EfiHandle handle) const;

  /// RegisterProtocolNotify: a cookie whose queue collects handles on which `protocol` is installed from now
  /// on.
  u64 add_registration(const Guid& protocol, u64 event);
  /// Takes the next handle of a registration's queue. @returns nothing for an unknown cookie or an empty
  /// queue
  std::optional<EfiHandle> next_registered(u64 registration);
  bool has_registration(u64 registration) const { return registrations_.count(registration) != 0; }
  void drop_registrations_of_event(u64 event);
  /// Called for each install/reinstall with the events to signal.
  void on_install(std::function<void(u64 event)> signal) { signal_ = std::move(signal); }

 private:
  struct Installed {
    Guid protocol;
    u64 interface;
    std::vector<OpenInformation> opens;
  };
  struct Registration {
    Guid protocol;
    u64 event;
    std::vector<EfiHandle> queue;
  };
  Installed* lookup(EfiHandle handle, const Guid& protocol);
  const Installed* lookup(EfiHandle handle, const Guid& protocol) const;
  void notify(EfiHandle handle, const Guid& protocol);

  std::map<EfiHandle, std::vector<Installed>> handles_;
  std::map<u64, Registration> registrations_;
  std::function<void(u64)> signal_;
  EfiHandle next_handle_ = 0x100;
  u64 next_registration_ = 1;
};

}  // namespace ia64::firmware
