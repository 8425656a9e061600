// One character cell of a terminal, and a grid of them: what the window shows before any pixel is drawn.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "base/int_types.h"

namespace ia64::machine::window {

/// The terminal's own colour, one of the palette's 256, or red, green and blue.
struct Colour {
  enum class Kind : u8 { Default, Indexed, Rgb } kind = Kind::Default;
  u8 r = 0, g = 0, b = 0;  ///< Indexed: the index in `r`
  static constexpr Colour indexed(u8 n) { return {Kind::Indexed, n, 0, 0}; }
  static constexpr Colour rgb(u8 r, u8 g, u8 b) { return {Kind::Rgb, r, g, b}; }
  bool operator==(const Colour&) const = default;
};

/// How a cell's text looks.
struct Style {
  Colour foreground, background;
  bool bold = false, italic = false, underline = false, blink = false, reverse = false, strike = false;
  bool operator==(const Style&) const = default;
};

/// A character with up to two combining ones. A wide character stands in its left cell, with a cell of width 0 behind it.
struct Cell {
  std::array<char32_t, 3> text{};  ///< 0: nothing there, looks like a blank
  u8 width = 1;
  Style style;
  bool operator==(const Cell&) const = default;
};

/// Rows and columns of cells. Writing outside it does nothing.
class CellGrid {
 public:
  CellGrid() = default;
  CellGrid(unsigned rows, unsigned columns) : rows_(rows), columns_(columns), cells_(size_t{rows} * columns) {}
  unsigned rows() const { return rows_; }
  unsigned columns() const { return columns_; }
  Cell& at(unsigned row, unsigned column) { return cells_[size_t{row} * columns_ + column]; }
  const Cell& at(unsigned row, unsigned column) const { return cells_[size_t{row} * columns_ + column]; }
  /// Writes UTF-8 text, cut off at the last column. @returns the column behind it
  unsigned put(unsigned row, unsigned column, std::string_view text, const Style& style);
  /// Blanks of one style.
  void fill(unsigned row, unsigned column, unsigned rows, unsigned columns, const Style& style);

 private:
  unsigned rows_ = 0, columns_ = 0;
  std::vector<Cell> cells_;
};

/// UTF-8 to characters; what is malformed becomes U+FFFD.
std::u32string decode_utf8(std::string_view text);
void append_utf8(std::string& out, char32_t c);
/// Cells as text, without the blanks at the end.
std::string cells_text(const std::vector<Cell>& cells, size_t first = 0, size_t end = ~size_t{0});

}  // namespace ia64::machine::window
