// SAL PCI configuration accesses, through the board's firmware-private window. @source SAL 3.2, 9.9
#include "firmware/sal/sal.h"

namespace ia64::firmware::sal {

namespace {

constexpr u64 kWindowBuses = 8;

struct Target {
  bool valid = false;
  bool present = false;  ///< inside the window; anything else reads all ones
  GuestPhys address = 0;
};

/// Decodes the address argument of either form. @param size 1, 2 or 4
Target decode(const BoardDescription& board, u64 address, u64 size, u64 type) {
  if ((size != 1 && size != 2 && size != 4) || address % size || type > 1) return {};
  const bool extended = type == 1;
  const u64 segment = extended ? address >> 28 : address >> 24;
  const u64 bus = extended ? field(address, 20, 8) : field(address, 16, 8);
  const u64 device_function = extended ? field(address, 12, 8) : field(address, 8, 8);
  const u64 reg = extended ? field(address, 0, 12) : field(address, 0, 8);
  return {true, segment == 0 && bus < kWindowBuses,
          board.pci_config_base + (bus << 20 | device_function << 12 | reg)};
}

}  // namespace

SalResult pci_config_read(Call& call) {
  const Target t = decode(call.sal.board(), call.a[0], call.a[1], call.a[2]);
  if (!t.valid) return kInvalid;
  const auto size = static_cast<unsigned>(call.a[1]);
  u64 value = low_mask(8 * size);
  if (t.present) call.sal.bus().read(t.address, size, value);
  return {0, value};
}

SalResult pci_config_write(Call& call) {
  const Target t = decode(call.sal.board(), call.a[0], call.a[1], call.a[3]);
  if (!t.valid) return kInvalid;
  if (t.present)
    call.sal.bus().write(t.address, static_cast<unsigned>(call.a[1]),
                         call.a[2] & low_mask(8 * static_cast<unsigned>(call.a[1])));
  return {};
}

}  // namespace ia64::firmware::sal
