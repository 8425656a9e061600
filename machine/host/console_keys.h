// The console's escape key: Ctrl-] and what may follow it.
#pragma once

#include <functional>
#include <span>
#include <string>

#include "base/int_types.h"

namespace ia64::machine {

/// Splits typed bytes into guest input and console commands. Loop thread.
class ConsoleKeys {
 public:
  static constexpr u8 kEscape = 0x1d;  ///< Ctrl-]
  /// What the keys do; all must be set.
  std::function<void(std::span<const u8>)> to_guest;
  std::function<void()> quit, reset, press_power_button, send_break;
  std::function<void(const std::string&)> show;  ///< text for the user, not for the guest
  std::function<void(const std::string&)> run;   ///< a line typed at the prompt of Ctrl-] c
  std::string prompt;                            ///< that prompt

  void feed(std::span<const u8> bytes);
  static std::string help();

 private:
  static constexpr size_t kMaxLineBytes = 1024;

  void command(u8 key);
  void edit_line(u8 key);
  bool escaped_ = false;
  bool in_line_ = false;  // typing goes to the prompt
  std::string line_;
};

}  // namespace ia64::machine
