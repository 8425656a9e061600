// The 256 bytes of configuration space of one function: header type 0, BARs, capability list.
#pragma once

#include <array>
#include <span>

#include "base/int_types.h"
#include "base/state_archive.h"
#include "devices/pci/pci_regs.h"

namespace ia64::devices::pci {

/// What a function says about itself. Designated initializers keep it readable.
struct Identity {
  u16 vendor_id = 0;
  u16 device_id = 0;
  u8 revision = 0;
  u32 class_code = 0;  ///< 24 bits: class, subclass, programming interface
  u16 subsystem_vendor = 0;
  u16 subsystem_id = 0;
  u8 interrupt_pin = 1;  ///< 0 none, 1 INTA
};

enum class BarKind : u8 { None, Memory32, Memory64, Io };

struct Bar {
  BarKind kind = BarKind::None;
  u64 size_bytes = 0;  ///< a power of two; memory >= 16, I/O >= 4
};

/// Bytes plus per-bit write masks. Knows no bus and takes no lock; its owner does both.
class ConfigSpace {
 public:
  explicit ConfigSpace(const Identity& identity);

  /// Describes BAR `n` (0..5; a 64-bit one also takes n+1). Only while the device is being built.
  void add_bar(unsigned n, BarKind kind, u64 size_bytes);
  /// Appends a capability: `body` follows the two header bytes, `writable` masks it (shorter means read-only
  /// rest).
  /// @returns its offset. Only while the device is being built.
  unsigned add_capability(u8 id, std::span<const u8> body, std::span<const u8> writable = {});

  /// @param reg 0..255, reg + size <= 256; size 1, 2 or 4
  u32 read(unsigned reg, unsigned size) const;
  void write(unsigned reg, unsigned size, u32 value);
  /// Sets bytes past the write masks, for registers the device itself changes.
  void set16(unsigned reg, u16 value);

  u16 command() const { return static_cast<u16>(read(kCommand, 2)); }
  const Bar& bar(unsigned n) const { return bars_[n]; }
  /// Address of BAR `n` if its decoder is on, or kNotDecoded.
  u64 decoded_base(unsigned n) const;
  static constexpr u64 kNotDecoded = ~u64{0};

  /// Back to the values after power-on.
  void reset() { bytes_ = initial_; }
  /// Loading refuses bytes that a guest could not have made of these.
  void visit_state(StateArchive& a);

 private:
  void set(unsigned reg, unsigned size, u32 value);
  void set_mask(unsigned reg, unsigned size, u32 mask);

  // configuration
  std::array<u8, kConfigSize> initial_{};
  std::array<u8, kConfigSize> writable_{};
  std::array<Bar, 6> bars_{};
  unsigned last_capability_ = kCapabilities - 1;  // the link byte sits one past it
  unsigned next_capability_ = kFirstCapability;
  // volatile state
  std::array<u8, kConfigSize> bytes_{};
};

}  // namespace ia64::devices::pci
