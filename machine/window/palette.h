// Colours of the window's palette.
#pragma once

#include "machine/window/cell.h"

namespace ia64::machine::window {

struct Rgb {
  u8 r, g, b;
  bool operator==(const Rgb&) const = default;
};

inline constexpr Rgb kDefaultForeground{0xd3, 0xd7, 0xcf}, kDefaultBackground{0x10, 0x12, 0x14};

/// Entry `n` of the 256: 16 colours of ECMA-48, a cube of 6x6x6, 24 greys. @source xterm's 256colres.h, the numbers of cube and greys
Rgb palette(u8 n);

/// What is to be drawn for a style: reverse and faint defaults resolved.
struct Paint {
  Rgb foreground, background;
};
Paint paint_of(const Style& style, bool reverse_screen);

}  // namespace ia64::machine::window
