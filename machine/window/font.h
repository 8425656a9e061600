// Letters of the window: a monospaced TrueType font at some size.
#pragma once

#include <SDL.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "machine/window/cell.h"

typedef struct _TTF_Font TTF_Font;

namespace ia64::machine::window {

/// Window's thread.
class Font {
 public:
  static constexpr int kSmallest = 6, kLargest = 72, kStandard = 15;

  /// @returns Io when no font is found; see docs/window.md for where it is looked for
  static Result<std::unique_ptr<Font>> open();
  ~Font();
  Font(const Font&) = delete;

  /// Pixels of a letter's height, about; clamped.
  void set_size(int pixels);
  int size() const { return size_; }
  int cell_width() const { return width_; }
  int cell_height() const { return height_; }
  /// White pixels whose alpha is the shape, at most `cells` wide; nullptr for blanks. Kept until set_size().
  SDL_Surface* glyph(const Cell& cell);

 private:
  struct Face;
  explicit Font(std::unique_ptr<Face> face);
  struct FreeSurface {
    void operator()(SDL_Surface* s) const { SDL_FreeSurface(s); }
  };
  using Surface = std::unique_ptr<SDL_Surface, FreeSurface>;
  Surface render(const Cell& cell);

  static constexpr size_t kMaxGlyphs = 4096;
  std::unique_ptr<Face> face_;
  int size_ = 0, width_ = 0, height_ = 0;
  std::map<std::u32string, Surface> glyphs_;  ///< by style and characters
};

}  // namespace ia64::machine::window
