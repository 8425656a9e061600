// Lines and blocks that must meet those of the next cell: drawn as rectangles instead of a font's glyphs.
#pragma once

#include <vector>

#include "base/int_types.h"

namespace ia64::machine::window {

/// Pixels of a cell. `coverage` 255 is the full foreground colour.
struct BoxPart {
  int x, y, width, height;
  u8 coverage = 255;
};

/// The parts of a character of "Box Drawing" (but its diagonals) or "Block Elements"; empty for every other character.
/// @source Unicode charts U+2500, U+2580
std::vector<BoxPart> box_parts(char32_t c, int cell_width, int cell_height);

}  // namespace ia64::machine::window
