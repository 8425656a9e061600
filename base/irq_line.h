// One level-triggered interrupt line, as a device sees it.
#pragma once

namespace ia64 {

/// A wire from a device to an interrupt controller input. A device is handed a line, never a controller and a number.
class IrqLine {
 public:
  virtual ~IrqLine() = default;
  /// Drives the line. Setting the level it already has is harmless. Thread rule: any thread.
  virtual void set(bool asserted) = 0;
};

/// A line that leads nowhere, for tests and unwired devices.
class NullIrqLine final : public IrqLine {
 public:
  void set(bool) override {}
};

}  // namespace ia64
