// A 16550A serial port in front of a host character channel.
#pragma once

#include <array>
#include <mutex>

#include "base/address_space.h"
#include "base/char_channel.h"
#include "base/irq_line.h"
#include "devices/device.h"

namespace ia64::devices {

/// A 16550A at byte stride 1. Transmission is immediate, so the transmitter is always empty; the divisor and
/// the word format are stored but the line has no speed. Host input waits in the host end while the receiver
/// is full, so nothing typed is lost. Deviation: the receive time-out interrupt comes at once instead of
/// after four character times, because no further byte is on its way. Locking: one mutex, held while the
/// interrupt line is driven, never while the channel is called.
/// @source National Semiconductor PC16550D data sheet
class Uart16550 final : public Device, public MmioRegion {
 public:
  static constexpr u64 kSizeBytes = 8;

  /// Installs itself as the channel's receiver; both wires outlive this object.
  Uart16550(IrqLine& irq, CharChannel& channel);
  ~Uart16550() override;

  AccessResult read(u64 offset, unsigned size, u64& value) override;
  AccessResult write(u64 offset, unsigned size, u64 value) override;
  const char* name() const override { return "uart16550"; }
  void reset() override;
  void visit_state(StateArchive& a) override;
  void inspect(InspectWriter& out) const override;

 private:
  struct Received {
    u8 byte = 0;
    u8 errors = 0;  // LSR error bits that travel with the byte
    void visit_state(StateArchive& a) { a(byte, errors); }
  };
  struct State {
    std::array<Received, 16> fifo{};
    unsigned fifo_head = 0, fifo_count = 0;
    u8 ier = 0, fcr = 0, lcr = 0, mcr = 0, scr = 0;
    u8 dll = 0, dlm = 0;
    u8 line_errors = 0;  // LSR bits 4:1, cleared by reading LSR
    u8 modem = 0xb0;     // CTS, DSR and DCD of the host end, deltas in 3:0
    bool thr_interrupt = false;
    void visit_state(StateArchive& a) {
      a(fifo, fifo_head, fifo_count, ier, fcr, lcr, mcr, scr, dll, dlm, line_errors, modem, thr_interrupt);
      a.require(fifo_head < fifo.size() && fifo_count <= fifo.size(), "the receiver");
    }
  };
  /// What has to be done with the channel once the lock is gone.
  struct After {
    bool transmit = false;
    u8 byte = 0;
    bool room = false;
  };

  size_t receive(std::span<const u8> bytes);
  void receive_break();
  unsigned capacity() const;
  bool take_room();
  void push(Received r);
  u8 pop();
  void expose_head_errors();
  u8 line_status();
  u8 modem_status();
  void update_modem();
  bool receive_interrupt() const;
  u8 interrupt_id() const;
  void update_irq();
  u8 read_register(unsigned reg);
  void write_register(unsigned reg, u8 value, After& after);
  void write_data(u8 value, After& after);
  void write_ier(u8 value);
  void write_fcr(u8 value);

  IrqLine& irq_;
  CharChannel& channel_;
  mutable std::mutex mutex_;
  bool host_waits_ = false;  // the host end was refused bytes
  State state_;
};

}  // namespace ia64::devices
