// The I/O SAPIC: interrupt pins on one side, messages on the processor interrupt bus on the other.
#pragma once

#include <memory>
#include <mutex>
#include <vector>

#include "base/address_space.h"
#include "base/interrupt_bus.h"
#include "base/irq_line.h"
#include "devices/device.h"

namespace ia64::devices {

/// One I/O SAPIC with up to 116 pins. Board wires are active low: `IrqLine::set(true)` pulls the wire low, so
/// a redirection entry programmed active high sees the opposite of what the device meant, as on hardware.
/// Locking: one mutex, held while a message goes to the interrupt bus; pins may be driven with a device lock
/// held.
/// @source platform reference 3.2
class IoSapic final : public Device, public MmioRegion {
 public:
  /// @param id value of register 0 bits 31:24. @param pins 1..116 (the index register is 8 bits wide)
  IoSapic(InterruptBus& bus, u8 id, unsigned pins);
  ~IoSapic() override;

  /// The wire into pin `n` (0 <= n < pins()). Lives as long as this object. Any thread.
  IrqLine& pin(unsigned n);
  unsigned pins() const { return static_cast<unsigned>(lines_.size()); }

  AccessResult read(u64 offset, unsigned size, u64& value) override;
  AccessResult write(u64 offset, unsigned size, u64 value) override;
  const char* name() const override { return "io-sapic"; }
  void reset() override;
  void visit_state(StateArchive& a) override;
  void inspect(InspectWriter& out) const override;

 private:
  class Line;
  struct Rte {
    u32 low;
    u32 high = 0;
    void visit_state(StateArchive& a) { a(low, high); }
  };
  struct State {
    u8 select = 0;
    std::vector<Rte> rtes;
    void visit_state(StateArchive& a) {
      a(select);
      a.fixed(rtes, "the number of pins");
    }
  };

  State power_on_state() const;
  void set_line(unsigned n, bool asserted);
  bool active(unsigned n) const;
  bool level_triggered(unsigned n) const;
  void deliver_if_level(unsigned n);
  void send(unsigned n);
  u32 read_window() const;
  void write_window(u32 value);
  void write_rte_low(unsigned n, u32 value);
  void end_of_interrupt(u8 vector);

  // wires
  InterruptBus& bus_;
  std::vector<std::unique_ptr<Line>> lines_;
  // configuration
  const u8 id_;
  // book-keeping: what the wires carry; a chip reset does not change it
  std::vector<bool> asserted_;
  mutable std::mutex mutex_;
  // volatile state
  State state_;
};

}  // namespace ia64::devices
