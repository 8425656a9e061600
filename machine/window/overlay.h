// What lies over the terminal and takes keys and mouse while it is there: menu, prompt, text, debugger.
#pragma once

#include <string>

#include "machine/window/cell.h"
#include "machine/window/keys.h"

namespace ia64::machine::window {

/// A mouse event in cells of the window.
struct MouseEvent {
  enum class Kind : u8 { Press, Release, Move, Wheel } kind = Kind::Move;
  unsigned row = 0, column = 0;
  unsigned button = 0;      ///< 1 left, 2 middle, 3 right
  unsigned clicks = 1;
  int wheel = 0;            ///< lines up
  Modifiers modifiers;
};

/// Draws itself over the grid, whose last row is the status bar's. UI thread.
class Overlay {
 public:
  virtual ~Overlay() = default;
  virtual void draw(CellGrid& grid) = 0;
  /// @returns false when the overlay is to go away
  virtual bool key(const KeyPress& press) = 0;
  virtual bool mouse(const MouseEvent&) { return true; }
  /// Pasted or typed text.
  virtual bool text(std::string_view) { return true; }
  /// The guest may have changed: asked twice a second and after commands.
  virtual void refresh() {}
};

/// Colours of everything that is not the guest's.
namespace look {
inline constexpr Style kPanel{.foreground = Colour::rgb(0xe6, 0xe6, 0xe6), .background = Colour::rgb(0x26, 0x32, 0x40)};
inline constexpr Style kPanelDim{.foreground = Colour::rgb(0x9a, 0xa8, 0xb8), .background = Colour::rgb(0x26, 0x32, 0x40)};
inline constexpr Style kPanelTitle{.foreground = Colour::rgb(0xff, 0xc8, 0x57), .background = Colour::rgb(0x26, 0x32, 0x40), .bold = true};
inline constexpr Style kChosen{.foreground = Colour::rgb(0x10, 0x18, 0x20), .background = Colour::rgb(0x8f, 0xc7, 0xf2)};
inline constexpr Style kBar{.foreground = Colour::rgb(0xd8, 0xde, 0xe6), .background = Colour::rgb(0x1c, 0x26, 0x31)};
inline constexpr Style kBarStrong{.foreground = Colour::rgb(0xff, 0xff, 0xff), .background = Colour::rgb(0x35, 0x52, 0x70), .bold = true};
inline constexpr Style kBarWarning{.foreground = Colour::rgb(0x10, 0x10, 0x10), .background = Colour::rgb(0xff, 0xc8, 0x57), .bold = true};
inline constexpr Colour kSelected = Colour::rgb(0x3a, 0x5f, 0x8a);
inline constexpr Colour kFound = Colour::rgb(0x7a, 0x5c, 0x00);
inline constexpr Colour kFoundHere = Colour::rgb(0xd9, 0x8a, 0x00);
}  // namespace look

/// A frame of box-drawing lines with a title, filled with blanks.
void draw_frame(CellGrid& grid, unsigned row, unsigned column, unsigned rows, unsigned columns, std::string_view title);
/// Columns that UTF-8 text takes in CellGrid::put.
unsigned text_columns(std::string_view text);

}  // namespace ia64::machine::window
