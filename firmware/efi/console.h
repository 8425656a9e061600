// The serial console of firmware: a 16550 driven by MMIO, a terminal on top, and the Simple Text protocols on
// top of that.
#pragma once

#include <deque>
#include <optional>
#include <string_view>

#include "firmware/efi/system_table.h"

namespace ia64::firmware {

/// Polled 16550. @source National Semiconductor PC16550D
class SerialPort {
 public:
  SerialPort(AddressSpace& bus, const UartInfo& uart) : bus_(bus), uart_(uart) {}
  /// 8 data bits, no parity, 1 stop bit, FIFO on, no interrupts.
  void initialise();
  void put(u8 byte);
  std::optional<u8> get();

 private:
  u8 in(unsigned reg);
  void out(unsigned reg, u8 value);
  AddressSpace& bus_;
  const UartInfo uart_;
};

/// EFI_INPUT_KEY.
struct InputKey {
  u16 scan = 0;
  char16_t character = 0;
  bool operator==(const InputKey&) const = default;
};

/// Scan codes. @source EFI 1.10, table 10-1
namespace scan {
inline constexpr u16 kUp = 1, kDown = 2, kRight = 3, kLeft = 4, kHome = 5, kEnd = 6, kInsert = 7, kDelete = 8,
                     kPageUp = 9, kPageDown = 10, kF1 = 11, kEscape = 0x17;
}

/// Turns terminal bytes (VT100/ANSI/PC-ANSI sequences, UTF-8) into keys.
class KeyDecoder {
 public:
  /// Feeds one byte received at `now_ns`.
  void feed(u8 byte, u64 now_ns);
  /// The next whole key. A lone ESC counts as the Escape key when nothing followed it for kEscapeNs.
  std::optional<InputKey> next(u64 now_ns);
  void clear() { keys_.clear(), sequence_.clear(); }
  static constexpr u64 kEscapeNs = 100'000'000;

 private:
  bool finish_sequence();
  std::deque<InputKey> keys_;
  std::vector<u8> sequence_;  // an escape or UTF-8 sequence under way
  u64 last_ns_ = 0;
  bool after_cr_ = false;
};

/// Screen state of an 80x25 terminal with PC-ANSI colours; text comes in UCS-2 and goes out in UTF-8.
class Terminal {
 public:
  static constexpr int kColumns = 80, kRows = 25;
  explicit Terminal(SerialPort& port) : port_(port) {}
  void reset();
  /// @returns false when some character has no glyph (control characters are acted upon)
  bool write(std::u16string_view text);
  void print(std::string_view text);  ///< ASCII; '\n' also returns the carriage
  void set_attribute(u8 attribute);
  void clear();
  bool set_cursor(int column, int row);
  void show_cursor(bool on);
  int column() const { return column_; }
  int row() const { return row_; }
  u8 attribute() const { return attribute_; }
  bool cursor_visible() const { return cursor_visible_; }

 private:
  void send(std::string_view s);
  void glyph(char16_t c);
  SerialPort& port_;
  int column_ = 0, row_ = 0;
  u8 attribute_ = 0x07;
  bool cursor_visible_ = true;
};

/// Installs the console handle with Simple Text Input/Output, Serial I/O and its device path, and announces
/// it. Thread rule: the firmware's lock.
class Console {
 public:
  explicit Console(EfiContext& efi);
  void install(SystemTable& table);

  Terminal& terminal() { return terminal_; }
  /// The next key without waiting.
  std::optional<InputKey> poll_key();
  /// Waits for a key. @returns nothing when `deadline_ns` of virtual time came first
  std::optional<InputKey> wait_key(GateCall& call, std::optional<u64> deadline_ns = {});
  const DevicePath& device_path() const { return path_; }

 private:
  void pump();
  GuestPhys make_output();
  GuestPhys make_input();
  GuestPhys make_serial();
  void store_mode();
  EfiStatus output_string(GateCall& call);
  EfiStatus test_string(GateCall& call);
  EfiStatus read_key(GateCall& call);
  EfiStatus serial_write(GateCall& call);
  EfiStatus serial_read(GateCall& call);

  EfiContext& efi_;
  SerialPort port_;
  Terminal terminal_;
  KeyDecoder decoder_;
  std::optional<InputKey> pending_;
  DevicePath path_;
  GuestPhys mode_ = 0;
};

}  // namespace ia64::firmware
