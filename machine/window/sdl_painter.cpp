// Draws cells into a surface: backgrounds, glyphs, lines.
#include "machine/window/sdl_painter.h"

#include <algorithm>

#include "machine/window/box_drawing.h"
#include "machine/window/palette.h"

namespace ia64::machine::window {
namespace {

constexpr int kBitsPerPixel = 32;

u8 mixed(u8 over, u8 under, u8 coverage) { return static_cast<u8>((over * coverage + under * (255 - coverage)) / 255); }

}  // namespace

/// @returns whether nothing of the old picture is of use
bool SdlPainter::prepare(const CellGrid& grid, bool reverse_screen) {
  const int width = static_cast<int>(grid.columns()) * font_.cell_width(), height = static_cast<int>(grid.rows()) * font_.cell_height();
  const bool same_size = picture_ && picture_->w == width && picture_->h == height;
  if (same_size && shown_.rows() == grid.rows() && shown_.columns() == grid.columns() && reverse_screen == reverse_screen_) return false;
  if (!same_size) picture_.reset(SDL_CreateRGBSurfaceWithFormat(0, width, height, kBitsPerPixel, SDL_PIXELFORMAT_RGB888));
  reverse_screen_ = reverse_screen;
  return true;
}

std::vector<SDL_Rect> SdlPainter::paint(const CellGrid& grid, bool reverse_screen) {
  const bool all = prepare(grid, reverse_screen);
  std::vector<SDL_Rect> out;
  if (!picture_) return out;
  const int w = font_.cell_width(), h = font_.cell_height();
  for (unsigned row = 0; row < grid.rows(); row++) {
    unsigned first = grid.columns(), end = 0;
    for (unsigned c = 0; c < grid.columns(); c++)
      if (all || !(grid.at(row, c) == shown_.at(row, c))) first = std::min(first, c), end = c + 1;
    if (first >= end) continue;
    // Glyphs may reach into the next cell: its neighbours are drawn as well.
    first -= first > 0;
    end = std::min(grid.columns(), end + 1);
    draw_row(grid, row, first, end);
    out.push_back({static_cast<int>(first) * w, static_cast<int>(row) * h, static_cast<int>(end - first) * w, h});
  }
  shown_ = grid;
  if (all) return {{0, 0, picture_->w, picture_->h}};
  return out;
}

void SdlPainter::fill(const SDL_Rect& box, u8 r, u8 g, u8 b) { SDL_FillRect(picture_.get(), &box, SDL_MapRGB(picture_->format, r, g, b)); }

void SdlPainter::draw_row(const CellGrid& grid, unsigned row, unsigned first, unsigned end) {
  const int w = font_.cell_width(), h = font_.cell_height();
  const auto box = [&](unsigned column, unsigned columns) {
    return SDL_Rect{static_cast<int>(column) * w, static_cast<int>(row) * h, static_cast<int>(columns) * w, h};
  };
  for (unsigned c = first; c < end; c++) {
    const Rgb background = paint_of(grid.at(row, c).style, reverse_screen_).background;
    fill(box(c, 1), background.r, background.g, background.b);
  }
  const SDL_Rect clip = box(first, end - first);
  SDL_SetClipRect(picture_.get(), &clip);
  for (unsigned c = first; c < end; c++)
    if (const Cell& cell = grid.at(row, c); cell.width) draw_text(cell, box(c, cell.width));
  SDL_SetClipRect(picture_.get(), nullptr);
}

void SdlPainter::draw_text(const Cell& cell, const SDL_Rect& box) {
  const Paint paint = paint_of(cell.style, reverse_screen_);
  const auto& [over, under] = paint;
  const auto parts = box_parts(cell.text[0], box.w, box.h);
  for (const BoxPart& p : parts)
    fill({box.x + p.x, box.y + p.y, p.width, p.height}, mixed(over.r, under.r, p.coverage), mixed(over.g, under.g, p.coverage),
         mixed(over.b, under.b, p.coverage));
  if (SDL_Surface* const glyph = parts.empty() ? font_.glyph(cell) : nullptr) {
    SDL_SetSurfaceColorMod(glyph, over.r, over.g, over.b);
    SDL_Rect to = box;
    SDL_BlitSurface(glyph, nullptr, picture_.get(), &to);
  }
  const int thickness = std::max(1, box.h / 16);
  if (cell.style.underline) fill({box.x, box.y + box.h - 2 * thickness, box.w, thickness}, over.r, over.g, over.b);
  if (cell.style.strike) fill({box.x, box.y + box.h / 2, box.w, thickness}, over.r, over.g, over.b);
}

}  // namespace ia64::machine::window
