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
         "  c   a command, as at the virtual console: EJ, IN IMAGE, PS, RS, HE lists them\r\n"
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
    } else if (in_line_) {
      edit_line(b);
    } else {
      plain.push_back(b);
    }
  }
  if (!plain.empty()) to_guest(plain);
}

/// Enter runs the line, Ctrl-C and Esc leave it, backspace takes a character back.
void ConsoleKeys::edit_line(u8 key) {
  constexpr u8 kBackspace = 0x08, kDelete = 0x7f, kCtrlC = 0x03, kEsc = 0x1b;
  if (key == '\r' || key == '\n' || key == kCtrlC || key == kEsc) {
    in_line_ = false;
    show("\r\n");
    if ((key == '\r' || key == '\n') && line_.find_first_not_of(' ') != std::string::npos) run(line_);
  } else if (key == kBackspace || key == kDelete) {
    if (line_.empty()) return;
    line_.pop_back();
    show("\b \b");
  } else if (key >= ' ' && line_.size() < kMaxLineBytes) {
    line_ += static_cast<char>(key);
    show(std::string(1, static_cast<char>(key)));
  }
}

void ConsoleKeys::command(u8 key) {
  switch (key) {
    case '?': show(help()); break;
    case 'q': quit(); break;
    case 'r': reset(); break;
    case 'p': press_power_button(); break;
    case 'b': send_break(); break;
    case 'c':
      in_line_ = true;
      line_.clear();
      show("\r\n" + prompt);
      break;
    default: show("\r\nno such console key; Ctrl-] ? lists them\r\n"); break;
  }
}

}  // namespace ia64::machine
