// ACPI PM block: registers as bytes, so that every width and split of an access works.
#include "devices/chipset/acpi_pm.h"

#include "base/log.h"
#include "devices/chipset/acpi_pm_regs.h"

namespace ia64::devices {

using namespace acpi_pm;

namespace {

constexpr u64 kNsPerSecond = 1'000'000'000;
constexpr u64 kHalfPeriodTicks = u64{1} << 31;  // TMR_STS is set whenever bit 31 changes

u8 byte_of(u64 v, u64 n) {
  return static_cast<u8>(v >> (8 * n));
}

template <class T>
void set_byte(T& v, u64 n, u8 b) {
  v = static_cast<T>((v & ~(T{0xff} << (8 * n))) | (T{b} << (8 * n)));
}

template <class T>
void clear_byte_bits(T& v, u64 n, u8 ones) {
  v = static_cast<T>(v & ~(T{ones} << (8 * n)));
}

}  // namespace

AcpiPm::AcpiPm(Clock& clock, IrqLine& sci, std::function<void()> on_soft_off)
    : clock_(clock), sci_(sci), on_soft_off_(std::move(on_soft_off)) {
  arm_timer();
}

AcpiPm::~AcpiPm() {
  Clock::TimerId timer;
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
    timer = timer_;
  }
  clock_.cancel(timer);
}

u64 AcpiPm::timer_ticks() const {
  return static_cast<u64>(static_cast<u128>(clock_.now_ns()) * kPmTimerHz / kNsPerSecond);
}

void AcpiPm::arm_timer() {
  const u64 next = (timer_ticks() / kHalfPeriodTicks + 1) * kHalfPeriodTicks;
  const auto deadline =
      static_cast<u64>((static_cast<u128>(next) * kNsPerSecond + kPmTimerHz - 1) / kPmTimerHz);
  // The lock keeps the destructor from reading an id that is about to be replaced.
  std::lock_guard lock(mutex_);
  if (!stopping_) timer_ = clock_.schedule(deadline, [this] { on_timer_msb(); });
}

void AcpiPm::on_timer_msb() {
  {
    std::lock_guard lock(mutex_);
    state_.pm1_status |= kTimerStatus;
    update_sci();
  }
  arm_timer();
}

void AcpiPm::update_sci() {
  sci_.set((state_.pm1_status & state_.pm1_enable) || (state_.gpe0_status & state_.gpe0_enable));
}

void AcpiPm::press_power_button() {
  std::lock_guard lock(mutex_);
  state_.pm1_status |= kPowerButton;
  update_sci();
}

void AcpiPm::raise_gpe(u32 status_bits) {
  std::lock_guard lock(mutex_);
  state_.gpe0_status |= status_bits;
  update_sci();
}

void AcpiPm::reset() {
  std::lock_guard lock(mutex_);
  state_ = State{};
  update_sci();
}

void AcpiPm::visit_state(StateArchive& a) {
  Clock::TimerId timer;
  {
    std::lock_guard lock(mutex_);
    State state = state_;
    a(state);
    if (!a.loading() || !a.ok()) return;
    state_ = state;
    update_sci();
    timer = timer_;
  }
  clock_.cancel(timer);
  arm_timer();
}

u8 AcpiPm::read_byte(u64 offset, u32 timer) const {
  switch (offset & ~u64{1}) {
    case kPmTimer:
    case kPmTimer + 2: return byte_of(timer, offset - kPmTimer);
    case kPm1Status: return byte_of(state_.pm1_status, offset & 1);
    case kPm1Enable: return byte_of(state_.pm1_enable, offset & 1);
    case kPm1Control: return byte_of(state_.pm1_control | kSciEnable, offset & 1);
    case kGpe0Status:
    case kGpe0Status + 2: return byte_of(state_.gpe0_status, offset - kGpe0Status);
    case kGpe0Enable:
    case kGpe0Enable + 2: return byte_of(state_.gpe0_enable, offset - kGpe0Enable);
  }
  return 0;
}

void AcpiPm::write_byte(u64 offset, u8 value) {
  switch (offset & ~u64{1}) {
    case kPm1Status: clear_byte_bits(state_.pm1_status, offset & 1, value); break;
    case kPm1Enable: set_byte(state_.pm1_enable, offset & 1, value); break;
    case kPm1Control: set_byte(state_.pm1_control, offset & 1, value); break;
    case kGpe0Status:
    case kGpe0Status + 2: clear_byte_bits(state_.gpe0_status, offset - kGpe0Status, value); break;
    case kGpe0Enable:
    case kGpe0Enable + 2: set_byte(state_.gpe0_enable, offset - kGpe0Enable, value); break;
    default: break;  // the timer is read-only, the rest is not there
  }
  state_.pm1_enable &= kPm1EnableBits;
}

AccessResult AcpiPm::read(u64 offset, unsigned size, u64& value) {
  std::lock_guard lock(mutex_);
  const auto timer = static_cast<u32>(timer_ticks());
  value = 0;
  for (unsigned i = 0; i < size; i++) value |= u64{read_byte(offset + i, timer)} << (8 * i);
  return AccessResult::Ok;
}

AccessResult AcpiPm::write(u64 offset, unsigned size, u64 value) {
  bool soft_off = false;
  {
    std::lock_guard lock(mutex_);
    for (unsigned i = 0; i < size; i++) write_byte(offset + i, byte_of(value, i));
    if (state_.pm1_control & kSleepEnable) {
      state_.pm1_control &= static_cast<u16>(~kSleepEnable);
      const unsigned type = (state_.pm1_control >> kSleepTypeShift) & 7;
      soft_off = type == kSleepTypeS5;
      LOG(Machine, "ACPI sleep type {}", type);
    }
    update_sci();
  }
  if (soft_off && on_soft_off_) on_soft_off_();
  return AccessResult::Ok;
}

void AcpiPm::inspect(InspectWriter& out) const {
  std::lock_guard lock(mutex_);
  out.begin(name());
  out.value("pm_timer", static_cast<u32>(timer_ticks()));
  out.value("pm1_status", state_.pm1_status);
  out.value("pm1_enable", state_.pm1_enable);
  out.value("pm1_control", state_.pm1_control);
  out.value("gpe0_status", state_.gpe0_status);
  out.value("gpe0_enable", state_.gpe0_enable);
  out.end();
}

}  // namespace ia64::devices
