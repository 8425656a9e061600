// Escape-key parser of the console.
#include "machine/host/console_keys.h"

#include <vector>

namespace ia64::machine {

std::string ConsoleKeys::help() {
  return "\r\nConsole keys, after Ctrl-]:\r\n"
         "  ?   this list\r\n"
         "  q   quit: stop the machine at once, as if its power failed\r\n"
         "  r   reset the machine\r\n"
         "  p   press the power button: the guest shuts down if it listens\r\n"
         "  b   send a serial break\r\n"
         "  Ctrl-]  send Ctrl-] to the guest\r\n";
}

void ConsoleKeys::feed(std::span<const u8> bytes) {
  std::vector<u8> plain;
  for (const u8 b : bytes) {
    if (escaped_) {
      escaped_ = false;
      if (b == kEscape) {
        plain.push_back(b);
      } else {
        command(b);
      }
    } else if (b == kEscape) {
      escaped_ = true;
    } else {
      plain.push_back(b);
    }
  }
  if (!plain.empty()) to_guest(plain);
}

void ConsoleKeys::command(u8 key) {
  switch (key) {
    case '?': show(help()); break;
    case 'q': quit(); break;
    case 'r': reset(); break;
    case 'p': press_power_button(); break;
    case 'b': send_break(); break;
    default: show("\r\nno such console key; Ctrl-] ? lists them\r\n"); break;
  }
}

}  // namespace ia64::machine
