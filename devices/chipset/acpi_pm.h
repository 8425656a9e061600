// The ACPI power-management block: PM timer, fixed events, soft-off, one general-purpose event register.
#pragma once

#include <functional>
#include <mutex>

#include "base/address_space.h"
#include "base/clock.h"
#include "base/irq_line.h"
#include "devices/device.h"

namespace ia64::devices {

/// ACPI fixed hardware, always in ACPI mode (SCI_EN reads as one; there is no SMI_CMD).
/// Locking: one mutex, held while the SCI line is driven, never while the sleep callback runs.
/// @source ACPI 2.0 4.7; platform reference 1.4
class AcpiPm final : public Device, public MmioRegion {
 public:
  /// What firmware's \_S5 object must put into SLP_TYP.
  static constexpr u8 kSleepTypeS5 = 5;

  /// @param on_soft_off called once per write of SLP_EN with SLP_TYP = kSleepTypeS5, on the writer's thread,
  /// no locks held
  AcpiPm(Clock& clock, IrqLine& sci, std::function<void()> on_soft_off);
  ~AcpiPm() override;

  /// The user pressed the power button: sets PWRBTN_STS. Any thread.
  void press_power_button();
  /// Sets bits of GPE0_STS (a chipset event). Any thread.
  void raise_gpe(u32 status_bits);

  AccessResult read(u64 offset, unsigned size, u64& value) override;
  AccessResult write(u64 offset, unsigned size, u64 value) override;
  const char* name() const override { return "acpi-pm"; }
  void reset() override;
  /// Loading sets the timer anew: the clock shows its new time already.
  void visit_state(StateArchive& a) override;
  void inspect(InspectWriter& out) const override;

 private:
  struct State {
    u16 pm1_status = 0;
    u16 pm1_enable = 0;
    u16 pm1_control = 0;
    u32 gpe0_status = 0;
    u32 gpe0_enable = 0;
    void visit_state(StateArchive& a) { a(pm1_status, pm1_enable, pm1_control, gpe0_status, gpe0_enable); }
  };

  u64 timer_ticks() const;
  void arm_timer();
  void on_timer_msb();
  void update_sci();
  u8 read_byte(u64 offset, u32 timer) const;
  void write_byte(u64 offset, u8 value);

  Clock& clock_;
  IrqLine& sci_;
  std::function<void()> on_soft_off_;
  mutable std::mutex mutex_;
  Clock::TimerId timer_ = 0;
  bool stopping_ = false;
  State state_;
};

}  // namespace ia64::devices
