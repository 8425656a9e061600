// A byte stream to a host end (terminal, socket, window, script) as a serial device sees it.
#pragma once

#include <functional>
#include <span>

#include "base/int_types.h"

namespace ia64 {

/// The host end of a character device. Both directions are non-blocking; flow control is explicit.
class CharChannel {
 public:
  virtual ~CharChannel() = default;
  /// Guest output. Never blocks and never fails; an end that cannot keep up drops or buffers by its own rule. Any thread.
  virtual void write(std::span<const u8> bytes) = 0;
  /// Installs the guest-side receiver. The end calls it with host input, from any thread, without locks held;
  /// it returns how many bytes were taken, and the end offers the rest again after `receiver_ready()`.
  virtual void set_receiver(std::function<size_t(std::span<const u8>)> receiver) = 0;
  /// The guest side has room again. Any thread.
  virtual void receiver_ready() = 0;
  /// Installs a function called when the host end asks for a serial break. Any thread may call it.
  virtual void set_break_handler(std::function<void()> on_break) = 0;
};

}  // namespace ia64
