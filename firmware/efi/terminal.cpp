// Polled UART, key decoding and terminal output of the firmware console.
#include <fmt/format.h>

#include "firmware/efi/console.h"

namespace ia64::firmware {
namespace {

enum UartRegister : unsigned {
  kData = 0,
  kInterruptEnable = 1,
  kFifoControl = 2,
  kLineControl = 3,
  kModemControl = 4,
  kLineStatus = 5
};
constexpr u8 kDataReady = 0x01, kTransmitEmpty = 0x20, kDlab = 0x80;

struct KeySequence {
  std::string_view bytes;  // without the leading ESC
  u16 scan;
};
constexpr KeySequence kSequences[] = {
    {"[A", scan::kUp},
    {"[B", scan::kDown},
    {"[C", scan::kRight},
    {"[D", scan::kLeft},
    {"OA", scan::kUp},
    {"OB", scan::kDown},
    {"OC", scan::kRight},
    {"OD", scan::kLeft},
    {"[H", scan::kHome},
    {"[1~", scan::kHome},
    {"h", scan::kHome},
    {"[F", scan::kEnd},
    {"[K", scan::kEnd},
    {"[4~", scan::kEnd},
    {"k", scan::kEnd},
    {"[2~", scan::kInsert},
    {"[@", scan::kInsert},
    {"+", scan::kInsert},
    {"[3~", scan::kDelete},
    {"-", scan::kDelete},
    {"[5~", scan::kPageUp},
    {"?", scan::kPageUp},
    {"[6~", scan::kPageDown},
    {"/", scan::kPageDown},
    {"OP", 11},
    {"OQ", 12},
    {"OR", 13},
    {"OS", 14},
    {"[15~", 15},
    {"[17~", 16},
    {"[18~", 17},
    {"[19~", 18},
    {"[20~", 19},
    {"[21~", 20},
    {"[11~", 11},
    {"[12~", 12},
    {"[13~", 13},
    {"[14~", 14},
    {"1", 11},
    {"2", 12},
    {"3", 13},
    {"4", 14},
    {"5", 15},
    {"6", 16},
    {"7", 17},
    {"8", 18},
    {"9", 19},
    {"0", 20},
};

std::string utf8(char16_t c) {
  if (c < 0x80) return {static_cast<char>(c)};
  if (c < 0x800) return {static_cast<char>(0xc0 | c >> 6), static_cast<char>(0x80 | (c & 0x3f))};
  return {static_cast<char>(0xe0 | c >> 12), static_cast<char>(0x80 | (c >> 6 & 0x3f)),
          static_cast<char>(0x80 | (c & 0x3f))};
}

size_t utf8_length(u8 lead) {
  return lead < 0x80             ? 1
         : (lead & 0xe0) == 0xc0 ? 2
         : (lead & 0xf0) == 0xe0 ? 3
         : (lead & 0xf8) == 0xf0 ? 4
                                 : 0;
}

bool has_glyph(char16_t c) {
  return c >= 0x20 && c != 0x7f && !(c >= 0xd800 && c < 0xe000) && !(c >= 0x80 && c < 0xa0);
}

}  // namespace

u8 SerialPort::in(unsigned reg) {
  u64 v = 0xff;
  (void)bus_.read(uart_.base + reg, 1, v);
  return static_cast<u8>(v);
}

void SerialPort::out(unsigned reg, u8 value) {
  (void)bus_.write(uart_.base + reg, 1, value);
}

void SerialPort::initialise() {
  const u16 divisor = static_cast<u16>(uart_.clock_hz / (16 * uart_.baud));
  out(kInterruptEnable, 0);
  out(kLineControl, kDlab | 3);
  out(0, static_cast<u8>(divisor));
  out(1, static_cast<u8>(divisor >> 8));
  out(kLineControl, 3);
  out(kFifoControl, 7);
  out(kModemControl, 3);
}

void SerialPort::put(u8 byte) {
  // A transmitter that stays full is broken; firmware output must not hang the machine.
  for (unsigned tries = 0; !(in(kLineStatus)&kTransmitEmpty) && tries < 10000; tries++) {
  }
  out(kData, byte);
}

std::optional<u8> SerialPort::get() {
  const u8 status = in(kLineStatus);
  if (status == 0xff || !(status & kDataReady)) return {};  // all ones: no UART there
  return in(kData);
}

void KeyDecoder::feed(u8 byte, u64 now_ns) {
  // An old lone ESC was a key of its own.
  if (!sequence_.empty() && sequence_[0] == 0x1b && sequence_.size() == 1 && now_ns - last_ns_ >= kEscapeNs) {
    keys_.push_back({scan::kEscape, 0});
    sequence_.clear();
  }
  last_ns_ = now_ns;
  const bool cr = after_cr_;
  after_cr_ = false;
  if (!sequence_.empty() || byte == 0x1b || byte >= 0x80) {
    sequence_.push_back(byte);
    if (finish_sequence()) sequence_.clear();
    return;
  }
  switch (byte) {
    case '\r':
      after_cr_ = true;
      keys_.push_back({0, u'\r'});
      break;
    case '\n':
      if (!cr) keys_.push_back({0, u'\r'});
      break;
    case 0x7f: keys_.push_back({0, u'\b'}); break;
    default: keys_.push_back({0, byte});
  }
}

/// @returns true when the sequence under way is complete (a key, or nonsense that is dropped)
bool KeyDecoder::finish_sequence() {
  const u8 lead = sequence_[0];
  if (lead != 0x1b) {
    const size_t need = utf8_length(lead);
    if (need < 2) return true;
    if (sequence_.size() < need) return false;
    if (need == 2) keys_.push_back({0, static_cast<char16_t>((lead & 0x1f) << 6 | (sequence_[1] & 0x3f))});
    if (need == 3)
      keys_.push_back({0, static_cast<char16_t>((lead & 0xf) << 12 | (sequence_[1] & 0x3f) << 6 |
                                                (sequence_[2] & 0x3f))});
    return true;
  }
  if (sequence_.size() == 1) return false;
  if (sequence_.size() == 2 && sequence_[1] == 0x1b) {
    keys_.push_back({scan::kEscape, 0});
    return true;
  }
  const std::string_view tail(reinterpret_cast<const char*>(sequence_.data()) + 1, sequence_.size() - 1);
  bool prefix = false;
  for (const auto& s : kSequences) {
    if (s.bytes == tail) {
      keys_.push_back({s.scan, 0});
      return true;
    }
    prefix |= s.bytes.substr(0, tail.size()) == tail;
  }
  // An unknown CSI sequence ends with its final byte; anything else is nonsense right away.
  if (tail.size() > 1 && tail[0] == '[')
    return (tail.back() >= 0x40 && tail.back() <= 0x7e) || tail.size() > 16;
  return !prefix && tail != "[" && tail != "O";
}

std::optional<InputKey> KeyDecoder::next(u64 now_ns) {
  if (keys_.empty() && sequence_.size() == 1 && sequence_[0] == 0x1b && now_ns - last_ns_ >= kEscapeNs) {
    sequence_.clear();
    keys_.push_back({scan::kEscape, 0});
  }
  if (keys_.empty()) return {};
  const InputKey key = keys_.front();
  keys_.pop_front();
  return key;
}

void Terminal::send(std::string_view s) {
  for (const char c : s) port_.put(static_cast<u8>(c));
}

void Terminal::reset() {
  attribute_ = 0x07;
  cursor_visible_ = true;
  send("\x1b[0m\x1b[?25h");
  clear();
}

void Terminal::clear() {
  send("\x1b[2J\x1b[1;1H");
  column_ = row_ = 0;
}

void Terminal::glyph(char16_t c) {
  send(utf8(c));
  if (++column_ < kColumns) return;
  column_ = 0;
  if (row_ < kRows - 1) row_++;
}

bool Terminal::write(std::u16string_view text) {
  bool complete = true;
  for (const char16_t c : text) switch (c) {
      case u'\r':
        send("\r");
        column_ = 0;
        break;
      case u'\n':
        send("\n");
        if (row_ < kRows - 1) row_++;
        break;
      case u'\b':
        if (column_ > 0) send("\b"), column_--;
        break;
      case u'\t':
      case u'\a': send(utf8(c)); break;
      case 0: break;
      default: complete &= has_glyph(c); glyph(has_glyph(c) ? c : u'?');
    }
  return complete;
}

void Terminal::print(std::string_view text) {
  for (const char c : text) {
    if (c == '\n') (void)write(u"\r");
    const char16_t wide = static_cast<u8>(c);
    (void)write({&wide, 1});
  }
}

void Terminal::set_attribute(u8 attribute) {
  static constexpr u8 kAnsi[] = {0, 4, 2, 6, 1, 5, 3, 7};  // EFI orders colours as the PC does: blue is 1
  attribute_ = attribute & 0x7f;
  send(fmt::format("\x1b[0;{}{};{}m", attribute & 8 ? "1;" : "", 30 + kAnsi[attribute & 7],
                   40 + kAnsi[attribute >> 4 & 7]));
}

bool Terminal::set_cursor(int column, int row) {
  if (column < 0 || row < 0 || column >= kColumns || row >= kRows) return false;
  send(fmt::format("\x1b[{};{}H", row + 1, column + 1));
  column_ = column, row_ = row;
  return true;
}

void Terminal::show_cursor(bool on) {
  cursor_visible_ = on;
  send(on ? "\x1b[?25h" : "\x1b[?25l");
}

}  // namespace ia64::firmware
