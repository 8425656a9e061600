// Cells to pixels.
#pragma once

#include <SDL.h>

#include <memory>
#include <vector>

#include "machine/window/cell.h"
#include "machine/window/font.h"

namespace ia64::machine::window {

/// Keeps a picture of the last grid and draws only what differs. Window's thread.
class SdlPainter {
 public:
  explicit SdlPainter(Font& font) : font_(font) {}

  /// @returns the rectangles of the picture that changed; the whole picture when its size did
  std::vector<SDL_Rect> paint(const CellGrid& grid, bool reverse_screen);
  /// The picture; nullptr before the first paint().
  SDL_Surface* picture() const { return picture_.get(); }
  /// Everything is to be drawn anew: the font changed.
  void forget() { shown_ = CellGrid(); }

 private:
  struct FreeSurface {
    void operator()(SDL_Surface* s) const { SDL_FreeSurface(s); }
  };
  bool prepare(const CellGrid& grid, bool reverse_screen);
  void draw_row(const CellGrid& grid, unsigned row, unsigned first, unsigned end);
  void draw_text(const Cell& cell, const SDL_Rect& box);
  void fill(const SDL_Rect& box, u8 r, u8 g, u8 b);

  Font& font_;
  CellGrid shown_;
  bool reverse_screen_ = false;
  std::unique_ptr<SDL_Surface, FreeSurface> picture_;
};

}  // namespace ia64::machine::window
