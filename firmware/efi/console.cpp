// Simple Text Input/Output and Serial I/O on the firmware console. @source EFI 1.10, chapters 10
#include "firmware/efi/console.h"

#include <algorithm>
#include <utility>

#include "base/endian.h"
#include "firmware/efi/guest_data.h"

namespace ia64::firmware {
namespace {

constexpr u64 kKeyPollNs = 10'000'000;
constexpr u32 kSerialRevision = 0x10000;
constexpr u32 kInputEmpty = 0x100, kClearToSend = 0x10, kDataSetReady = 0x20, kCarrierDetect = 0x80, kDtr = 1,
              kRts = 2;
constexpr u64 kMaxSerialBytes = 64 << 10;

}  // namespace

Console::Console(EfiContext& efi) : efi_(efi), port_(efi.bus, efi.board.uarts.at(0)), terminal_(port_) {
  path_.acpi(DevicePath::kPnp0501, 0).uart(efi.board.uarts[0].baud).vendor_messaging(guid::kTerminalVtUtf8);
  port_.initialise();
}

void Console::install(SystemTable& table) {
  const GuestPhys path = efi_.place(path_.bytes());
  const GuestPhys output = make_output(), input = make_input(), serial = make_serial();
  EfiHandle handle = 0;
  (void)efi_.handles.install(handle, guid::kDevicePath, path);
  (void)efi_.handles.install(handle, guid::kSimpleTextInput, input);
  (void)efi_.handles.install(handle, guid::kSimpleTextOutput, output);
  (void)efi_.handles.install(handle, guid::kSerialIo, serial);
  table.set_console({handle, handle, handle, input, output, output});
}

void Console::store_mode() {
  u8 mode[24] = {};
  store_le(&mode[0], i32{1});  // one mode: 80 x 25
  store_le(&mode[8], i32{terminal_.attribute()});
  store_le(&mode[12], i32{terminal_.column()}), store_le(&mode[16], i32{terminal_.row()});
  mode[20] = terminal_.cursor_visible();
  efi_.bus.write_bytes(mode_, mode, sizeof mode);
}

EfiStatus Console::output_string(GateCall& call) {
  const auto text = read_string16(call, call.arg(1), 64 << 10);
  if (!text) return efi::kInvalidParameter;
  const bool complete = terminal_.write(*text);
  store_mode();
  return complete ? efi::kSuccess : efi::kWarnUnknownGlyph;
}

EfiStatus Console::test_string(GateCall& call) {
  const auto text = read_string16(call, call.arg(1), 64 << 10);
  if (!text) return efi::kInvalidParameter;
  const bool printable = std::all_of(text->begin(), text->end(), [](char16_t c) {
    return c == u'\r' || c == u'\n' || c == u'\b' || (c >= 0x20 && !(c >= 0xd800 && c < 0xe000));
  });
  return printable ? efi::kSuccess : efi::kUnsupported;
}

GuestPhys Console::make_output() {
  mode_ = efi_.place(std::vector<u8>(24));
  store_mode();
  const auto changed = [this](EfiStatus s) {
    store_mode();
    return s;
  };
  return ProtocolBuilder(efi_)
      .function("ConOut.Reset", [=, this](GateCall&) { return terminal_.reset(), changed(efi::kSuccess); })
      .function("ConOut.OutputString", [this](GateCall& c) { return output_string(c); })
      .function("ConOut.TestString", [this](GateCall& c) { return test_string(c); })
      .function("ConOut.QueryMode",
                [](GateCall& c) {
                  if (c.arg(1) != 0) return efi::kUnsupported;
                  const bool ok = c.write_value(c.arg(2), u64{Terminal::kColumns}) &&
                                  c.write_value(c.arg(3), u64{Terminal::kRows});
                  return ok ? efi::kSuccess : efi::kInvalidParameter;
                })
      .function("ConOut.SetMode",
                [=, this](GateCall& c) {
                  if (c.arg(1) != 0) return efi::kUnsupported;
                  return terminal_.clear(), changed(efi::kSuccess);
                })
      .function("ConOut.SetAttribute",
                [=, this](GateCall& c) {
                  if (c.arg(1) > 0x7f) return efi::kUnsupported;
                  return terminal_.set_attribute(static_cast<u8>(c.arg(1))), changed(efi::kSuccess);
                })
      .function("ConOut.ClearScreen",
                [=, this](GateCall&) { return terminal_.clear(), changed(efi::kSuccess); })
      .function("ConOut.SetCursorPosition",
                [=, this](GateCall& c) {
                  if (c.arg(1) >= Terminal::kColumns || c.arg(2) >= Terminal::kRows) return efi::kUnsupported;
                  return terminal_.set_cursor(static_cast<int>(c.arg(1)), static_cast<int>(c.arg(2))),
                         changed(efi::kSuccess);
                })
      .function(
          "ConOut.EnableCursor",
          [=, this](GateCall& c) { return terminal_.show_cursor(c.arg(1) & 0xff), changed(efi::kSuccess); })
      .pointer(mode_)
      .build();
}

void Console::pump() {
  const u64 now = efi_.clock.now_ns();
  while (const auto byte = port_.get()) decoder_.feed(*byte, now);
}

std::optional<InputKey> Console::poll_key() {
  pump();
  if (pending_) return std::exchange(pending_, {});
  return decoder_.next(efi_.clock.now_ns());
}

std::optional<InputKey> Console::wait_key(GateCall& call, std::optional<u64> deadline_ns) {
  for (;;) {
    if (const auto key = poll_key()) return key;
    const u64 now = efi_.clock.now_ns();
    if (deadline_ns && now >= *deadline_ns) return {};
    efi_.events.check_timers();
    efi_.events.dispatch(call);
    call.wait_until(std::min(now + kKeyPollNs, deadline_ns.value_or(~u64{0})));
  }
}

EfiStatus Console::read_key(GateCall& call) {
  const auto key = poll_key();
  if (!key) return efi::kNotReady;
  return call.write_value(call.arg(1), *key) ? efi::kSuccess : efi::kInvalidParameter;
}

GuestPhys Console::make_input() {
  const EfiEvent wait = efi_.events.create_polled([this] {
    if (!pending_) pending_ = poll_key();
    return pending_.has_value();
  });
  return ProtocolBuilder(efi_)
      .function("ConIn.Reset",
                [this](GateCall&) {
                  pump();
                  decoder_.clear();
                  pending_.reset();
                  return efi::kSuccess;
                })
      .function("ConIn.ReadKeyStroke", [this](GateCall& c) { return read_key(c); })
      .u64_value(wait)
      .build();
}

EfiStatus Console::serial_write(GateCall& call) {
  u64 n = 0;
  if (!call.read_value(call.arg(1), n) || n > kMaxSerialBytes) return efi::kInvalidParameter;
  std::vector<u8> bytes(n);
  if (!call.read(call.arg(2), bytes.data(), n)) return efi::kInvalidParameter;
  for (const u8 b : bytes) port_.put(b);
  return efi::kSuccess;
}

EfiStatus Console::serial_read(GateCall& call) {
  u64 n = 0;
  if (!call.read_value(call.arg(1), n) || n > kMaxSerialBytes) return efi::kInvalidParameter;
  std::vector<u8> bytes;
  while (bytes.size() < n) {
    const auto b = port_.get();
    if (!b) break;
    bytes.push_back(*b);
  }
  if (!call.write_value(call.arg(1), u64{bytes.size()}) ||
      !call.write(call.arg(2), bytes.data(), bytes.size()))
    return efi::kInvalidParameter;
  return bytes.size() == n ? efi::kSuccess : efi::kTimeout;
}

GuestPhys Console::make_serial() {
  std::vector<u8> mode(40);
  store_le(&mode[0], kDtr | kRts),
      store_le(&mode[4], u32{1'000'000});  // control mask, timeout in microseconds
  store_le(&mode[8], efi_.board.uarts[0].baud);
  store_le(&mode[16], u32{16}), store_le(&mode[20], u32{8}), store_le(&mode[24], u32{1}),
      store_le(&mode[28], u32{1});
  const GuestPhys mode_at = efi_.place(mode);
  return ProtocolBuilder(efi_)
      .u32_value(kSerialRevision)
      .function("SerialIo.Reset", [this](GateCall&) { return port_.initialise(), efi::kSuccess; })
      .function("SerialIo.SetAttributes", [](GateCall&) { return efi::kSuccess; })
      .function("SerialIo.SetControl", [](GateCall&) { return efi::kSuccess; })
      .function("SerialIo.GetControl",
                [](GateCall& c) {
                  const u32 bits = kDtr | kRts | kClearToSend | kDataSetReady | kCarrierDetect | kInputEmpty;
                  return c.write_value(c.arg(1), bits) ? efi::kSuccess : efi::kInvalidParameter;
                })
      .function("SerialIo.Write", [this](GateCall& c) { return serial_write(c); })
      .function("SerialIo.Read", [this](GateCall& c) { return serial_read(c); })
      .pointer(mode_at)
      .build();
}

}  // namespace ia64::firmware
