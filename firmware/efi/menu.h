// Menus, prompts and messages on the firmware console.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "firmware/efi/console.h"

namespace ia64::firmware {

/// Asks the person at the console. Runs on the boot manager's fiber.
class Menu {
 public:
  struct Page {
    std::string title;
    std::vector<std::string> items;
    std::vector<std::string> footer;
    size_t selected = 0;
  };
  /// What ended choose().
  struct Answer {
    enum class How : u8 { Chosen, Escape, TimedOut, OtherKey } how;
    size_t item = 0;
    InputKey key;
  };

  explicit Menu(Console& console, Clock& clock) : console_(console), clock_(clock) {}

  /// Shows a page and lets the arrow keys move, Enter choose. With `seconds`, counts down until the first
  /// key.
  /// @param other_keys  keys that end the menu with How::OtherKey
  Answer choose(GateCall& call, const Page& page, std::optional<u64> seconds = {},
                std::u16string_view other_keys = {});
  /// Reads a line with editing. @returns nothing on Escape
  std::optional<std::string> ask(GateCall& call, std::string_view prompt, size_t max_chars);
  void say(std::string_view text) { console_.terminal().print(text); }
  void wait_any_key(GateCall& call);

 private:
  void draw(const Page& page, size_t top);
  void draw_item(const Page& page, size_t item, size_t top, bool selected);
  void draw_countdown(u64 seconds);
  Console& console_;
  Clock& clock_;
};

}  // namespace ia64::firmware
