// Keys as the window hears of them, and what typed characters are on a serial line.
#pragma once

#include <optional>
#include <string>

#include "base/int_types.h"

namespace ia64::machine::window {

enum class Key : u8 {
  Enter, Tab, Backspace, Escape, Up, Down, Left, Right, Insert, Delete, Home, End, PageUp, PageDown,
  F1, F2, F3, F4, F5, F6, F7, F8, F9, F10, F11, F12,
};

struct Modifiers {
  bool shift = false, alt = false, ctrl = false;
  bool operator==(const Modifiers&) const = default;
};

/// A named key, or a character. With ctrl or alt the character is that of the key alone, without shift.
struct KeyPress {
  std::optional<Key> key;
  char32_t character = 0;
  Modifiers modifiers;
};

/// Bytes of a typed character: UTF-8, control characters with ctrl, ESC in front with alt. Empty when ctrl and the character mean
/// nothing together. @source DEC VT220 Programmer Reference, table "Keys used to generate 7-bit control characters"
std::string encode_character(char32_t character, Modifiers modifiers);

}  // namespace ia64::machine::window
