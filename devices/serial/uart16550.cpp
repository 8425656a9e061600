// 16550A registers, FIFOs and interrupt priorities.
#include "devices/serial/uart16550.h"

#include <utility>

#include "base/log.h"
#include "devices/serial/uart16550_regs.h"

namespace ia64::devices {

using namespace uart16550;

Uart16550::Uart16550(IrqLine& irq, CharChannel& channel) : irq_(irq), channel_(channel) {
  channel_.set_break_handler([this] { receive_break(); });
  channel_.set_receiver([this](std::span<const u8> bytes) { return receive(bytes); });
}

Uart16550::~Uart16550() {
  channel_.set_receiver(nullptr);
  channel_.set_break_handler(nullptr);
}

void Uart16550::reset() {
  bool room;
  {
    std::lock_guard lock(mutex_);
    state_ = State{};
    update_irq();
    room = std::exchange(host_waits_, false);
  }
  if (room) channel_.receiver_ready();
}

void Uart16550::visit_state(StateArchive& a) {
  {
    std::lock_guard lock(mutex_);
    State state = state_;
    a(state);
    if (!a.loading() || !a.ok()) return;
    state_ = state;
    host_waits_ = false;
    update_irq();
  }
  channel_.receiver_ready();  // whatever the host end kept back may come, or is refused anew
}

unsigned Uart16550::capacity() const {
  return state_.fcr & kFcrEnable ? kFifoDepth : 1;
}

// --- receiver
// ---------------------------------------------------------------------------------------------------------

size_t Uart16550::receive(std::span<const u8> bytes) {
  std::lock_guard lock(mutex_);
  size_t taken = 0;
  // In loopback the serial input is disconnected; the host's bytes wait for its end.
  while (!(state_.mcr & kMcrLoop) && taken < bytes.size() && state_.fifo_count < capacity())
    push({bytes[taken++], 0});
  if (taken < bytes.size()) host_waits_ = true;
  update_irq();
  return taken;
}

void Uart16550::receive_break() {
  std::lock_guard lock(mutex_);
  if (state_.mcr & kMcrLoop) return;
  push({0, kLsrBreak});
  update_irq();
}

// True once after the host end was refused bytes and can now deliver some.
bool Uart16550::take_room() {
  if (state_.fifo_count >= capacity() || (state_.mcr & kMcrLoop)) return false;
  return std::exchange(host_waits_, false);
}

void Uart16550::push(Received r) {
  if (state_.fifo_count >= capacity()) {
    state_.line_errors |= kLsrOverrun;
    if (state_.fcr & kFcrEnable) return;  // the FIFO keeps what it has, the shift register is lost
    state_.fifo_count = 0;                // without FIFO the holding register is overwritten
  }
  state_.fifo[(state_.fifo_head + state_.fifo_count++) % kFifoDepth] = r;
  if (state_.fifo_count == 1) expose_head_errors();
}

// Errors show in LSR when their byte reaches the head of the FIFO.
void Uart16550::expose_head_errors() {
  if (!state_.fifo_count) return;
  Received& head = state_.fifo[state_.fifo_head];
  state_.line_errors |= head.errors;
  head.errors = 0;
}

u8 Uart16550::pop() {
  const u8 byte = state_.fifo[state_.fifo_head].byte;
  if (!state_.fifo_count) return byte;  // an empty receiver repeats its last byte
  if (state_.fifo_count == 1) {
    state_.fifo_count = 0;
    return byte;
  }
  state_.fifo_head = (state_.fifo_head + 1) % kFifoDepth;
  state_.fifo_count--;
  expose_head_errors();
  return byte;
}

// --- status and interrupts
// --------------------------------------------------------------------------------------------

u8 Uart16550::line_status() {
  u8 lsr = kLsrThrEmpty | kLsrIdle | state_.line_errors;
  if (state_.fifo_count) lsr |= kLsrData;
  if (state_.fcr & kFcrEnable) {
    if (state_.line_errors & (kLsrParity | kLsrFraming | kLsrBreak)) lsr |= kLsrFifoError;
    for (unsigned i = 0; i < state_.fifo_count; i++)
      if (state_.fifo[(state_.fifo_head + i) % kFifoDepth].errors) lsr |= kLsrFifoError;
  }
  state_.line_errors = 0;
  return lsr;
}

u8 Uart16550::modem_status() {
  const u8 msr = state_.modem;
  state_.modem &= 0xf0;
  return msr;
}

// In loopback the four outputs feed the four inputs; otherwise the host end is always there.
void Uart16550::update_modem() {
  u8 now = kMsrCts | kMsrDsr | kMsrDcd;
  if (const u8 m = state_.mcr; m & kMcrLoop)
    now = static_cast<u8>((m & kMcrRts ? kMsrCts : 0) | (m & kMcrDtr ? kMsrDsr : 0) |
                          (m & kMcrOut1 ? kMsrRing : 0) | (m & kMcrOut2 ? kMsrDcd : 0));
  const u8 changed = (state_.modem ^ now) & 0xf0;
  u8 delta = (changed >> 4) & (kMsrDeltaCts | kMsrDeltaDsr | kMsrDeltaDcd);
  if ((changed & kMsrRing) && !(now & kMsrRing)) delta |= kMsrRingEnd;
  state_.modem = static_cast<u8>(now | (state_.modem & 0x0f) | delta);
}

bool Uart16550::receive_interrupt() const {
  static constexpr u8 kTrigger[4] = {1, 4, 8, 14};
  const unsigned level = state_.fcr & kFcrEnable ? kTrigger[state_.fcr >> kFcrTriggerShift] : 1;
  return state_.fifo_count >= level;
}

// Highest priority first: line status, received data or time-out, transmitter, modem status.
u8 Uart16550::interrupt_id() const {
  if ((state_.ier & kIerLine) && state_.line_errors) return kIirLine;
  if ((state_.ier & kIerReceive) && receive_interrupt()) return kIirReceive;
  if ((state_.ier & kIerReceive) && state_.fifo_count) return kIirTimeout;
  if ((state_.ier & kIerTransmit) && state_.thr_interrupt) return kIirTransmit;
  if ((state_.ier & kIerModem) && (state_.modem & 0x0f)) return kIirModem;
  return kIirNone;
}

void Uart16550::update_irq() {
  irq_.set(interrupt_id() != kIirNone);
}

// --- registers
// --------------------------------------------------------------------------------------------------------

u8 Uart16550::read_register(unsigned reg) {
  const bool dlab = state_.lcr & kLcrDlab;
  switch (reg) {
    case kData: return dlab ? state_.dll : pop();
    case kIer: return dlab ? state_.dlm : state_.ier;
    case kIir: {
      const u8 id = interrupt_id();
      if (id == kIirTransmit) state_.thr_interrupt = false;  // reading it as the source clears it
      return static_cast<u8>(id | (state_.fcr & kFcrEnable ? kIirFifosOn : 0));
    }
    case kLcr: return state_.lcr;
    case kMcr: return state_.mcr;
    case kLsr: return line_status();
    case kMsr: return modem_status();
    default: return state_.scr;
  }
}

void Uart16550::write_data(u8 value, After& after) {
  static constexpr u8 kWordMask[4] = {0x1f, 0x3f, 0x7f, 0xff};
  if (state_.mcr & kMcrLoop) {
    push({static_cast<u8>(value & kWordMask[state_.lcr & kLcrWordLength]), 0});
  } else {
    after.transmit = true;
    after.byte = value;
  }
  state_.thr_interrupt = true;  // the byte has already left, so THR is empty again
}

void Uart16550::write_ier(u8 value) {
  // Enabling the transmitter interrupt while THR is empty raises it at once.
  if ((value & kIerTransmit) && !(state_.ier & kIerTransmit)) state_.thr_interrupt = true;
  state_.ier = value & 0x0f;
}

void Uart16550::write_fcr(u8 value) {
  const bool toggled = (value ^ state_.fcr) & kFcrEnable;
  const bool clear = toggled || ((value & kFcrEnable) && (value & kFcrClearReceive));
  if (clear) state_.fifo_head = state_.fifo_count = 0;
  if ((value & kFcrEnable) && (value & kFcrClearTransmit)) state_.thr_interrupt = true;
  // Without the enable bit the other bits cannot be programmed.
  state_.fcr = value & kFcrEnable ? value & 0xc9 : 0;
}

void Uart16550::write_register(unsigned reg, u8 value, After& after) {
  const bool dlab = state_.lcr & kLcrDlab;
  switch (reg) {
    case kData: dlab ? void(state_.dll = value) : write_data(value, after); break;
    case kIer: dlab ? void(state_.dlm = value) : write_ier(value); break;
    case kIir: write_fcr(value); break;
    case kLcr:
      // A break sent to ourselves in loopback arrives as one.
      if ((state_.mcr & kMcrLoop) && (value & ~state_.lcr & kLcrBreak)) push({0, kLsrBreak});
      state_.lcr = value;
      break;
    case kMcr:
      state_.mcr = value & kMcrBits;
      update_modem();
      break;
    case kScr: state_.scr = value; break;
    default: break;  // LSR and MSR are read-only
  }
}

AccessResult Uart16550::read(u64 offset, unsigned size, u64& value) {
  if (size != 1) return AccessResult::BadSize;
  bool room = false;
  {
    std::lock_guard lock(mutex_);
    value = read_register(static_cast<unsigned>(offset & 7));
    LOG(Serial, "read {} -> {:#x}", offset, value);
    update_irq();
    room = take_room();
  }
  if (room) channel_.receiver_ready();
  return AccessResult::Ok;
}

AccessResult Uart16550::write(u64 offset, unsigned size, u64 value) {
  if (size != 1) return AccessResult::BadSize;
  After after;
  {
    std::lock_guard lock(mutex_);
    LOG(Serial, "write {} <- {:#x}", offset, value);
    write_register(static_cast<unsigned>(offset & 7), static_cast<u8>(value), after);
    update_irq();
    after.room = take_room();
  }
  if (after.transmit) channel_.write({&after.byte, 1});
  if (after.room) channel_.receiver_ready();
  return AccessResult::Ok;
}

void Uart16550::inspect(InspectWriter& out) const {
  std::lock_guard lock(mutex_);
  out.begin(name());
  out.value("ier", state_.ier);
  out.value("iir", interrupt_id());
  out.value("fcr", state_.fcr);
  out.value("lcr", state_.lcr);
  out.value("mcr", state_.mcr);
  out.value("divisor", state_.dll | (state_.dlm << 8));
  out.value("received", state_.fifo_count);
  out.end();
}

}  // namespace ia64::devices
