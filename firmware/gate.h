// The gate between guest and host: firmware entry points in guest memory that trap to C++ services, and calls back into the guest.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "firmware/guest_cpu.h"

namespace ia64::firmware {

/// One call from the guest, as the service sees it. Lives on the service's fiber.
class GateCall {
 public:
  virtual ~GateCall() = default;
  virtual GuestCpu& cpu() = 0;
  /// Argument n of the standard calling convention: in0..in7 are r32.., further ones lie on the memory stack at sp+16.
  virtual u64 arg(unsigned n) = 0;
  /// Results r8..r11 (a PAL or SAL call returns all four, EFI r8 only).
  virtual void ret(u64 r8) = 0;
  virtual void ret(u64 r8, u64 r9, u64 r10, u64 r11) = 0;
  /// Memory through the caller's addressing mode, little-endian byte images. @returns false when an address is not mapped
  virtual bool read(u64 va, void* out, size_t size_bytes) = 0;
  virtual bool write(u64 va, const void* in, size_t size_bytes) = 0;
  /// Calls a guest function through its descriptor {entry, gp}; returns its r8. Nested to any depth.
  virtual u64 call_guest(u64 descriptor, std::span<const u64> args) = 0;
  /// Lets virtual time pass: the CPU idles (host sleeps) until `deadline_ns` of virtual time or an input event.
  virtual void wait_until(u64 deadline_ns) = 0;

  /// As call_guest for an image's entry point `entry(handle, system_table)`, but abandon_image() with the same token, from
  /// any service called below it, makes this call return early with that result.
  virtual u64 call_image(u64 descriptor, u64 handle, u64 system_table, u64 token) {
    const u64 args[] = {handle, system_table};
    return call_guest(descriptor, args);
  }
  /// Ends the call_image() of `token` with `result`: everything the guest had on its stacks above it is gone, and so is
  /// this call. Returns only when there is no such call.
  virtual void abandon_image(u64 token, u64 result) {}
  /// The service has set ip and the other registers of the CPU itself: after it returns the CPU goes on there, and every
  /// call still open on this CPU is forgotten (hand-over to an operating system).
  virtual void leave() {}
  /// After the service returns the CPU leaves its run loop (GateAction::Stop): power off, or a firmware crash.
  virtual void stop() {}

  template <class T>
  bool read_value(u64 va, T& v) { return read(va, &v, sizeof v); }
  template <class T>
  bool write_value(u64 va, const T& v) { return write(va, &v, sizeof v); }
};

using Service = std::function<void(GateCall&)>;
/// Does a call that neither waits nor touches guest memory right on the processor's thread, without a GateCall: it sets the result registers
/// itself. @returns false, having done nothing, when the call is another one
using QuickService = std::function<bool(GuestCpu&)>;

/// How a stub returns. @source SDM vol. 2, 11.10.2 (PAL calling conventions)
enum class StubKind : u8 {
  Stacked,    ///< br.ret b0: EFI, SAL and stacked PAL calls
  PalEntry,   ///< the one PAL_PROC entry: static procedures return by `br.cond b0` without a frame, stacked ones by br.ret
};

/// Where services live in guest memory. Built once per power-on.
class ServiceTable {
 public:
  virtual ~ServiceTable() = default;
  /// Adds a stub (code) and a function descriptor for `service`. @returns guest physical address of the descriptor
  virtual GuestPhys add(std::string name, StubKind kind, Service service) = 0;
  /// `quick` is asked first when the service at `descriptor` is called: operating systems call some procedures hundreds of times a second
  /// while they idle.
  virtual void add_quick(GuestPhys descriptor, QuickService quick) {}
  /// Address of the stub's first bundle.
  virtual GuestPhys entry_of(GuestPhys descriptor) const = 0;
};

}  // namespace ia64::firmware
