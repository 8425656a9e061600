// Raw mode of the controlling terminal, restored at the end.
#pragma once

#include <termios.h>

namespace ia64::machine {

/// Puts standard input into raw mode while it lives, if it is a terminal.
class RawTerminal {
 public:
  RawTerminal();
  ~RawTerminal();
  RawTerminal(const RawTerminal&) = delete;

 private:
  bool active_ = false;
  termios saved_{};
};

}  // namespace ia64::machine
