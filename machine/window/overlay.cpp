// Frames of overlays.
#include "machine/window/overlay.h"

namespace ia64::machine::window {

unsigned text_columns(std::string_view text) { return static_cast<unsigned>(decode_utf8(text).size()); }

void draw_frame(CellGrid& grid, unsigned row, unsigned column, unsigned rows, unsigned columns, std::string_view title) {
  if (rows < 2 || columns < 2) return;
  grid.fill(row, column, rows, columns, look::kPanel);
  const auto edge = [&](unsigned r, const char* left, const char* right) {
    grid.put(r, column, left, look::kPanelDim);
    for (unsigned c = 1; c + 1 < columns; c++) grid.put(r, column + c, "─", look::kPanelDim);
    grid.put(r, column + columns - 1, right, look::kPanelDim);
  };
  edge(row, "┌", "┐");
  edge(row + rows - 1, "└", "┘");
  for (unsigned r = 1; r + 1 < rows; r++) {
    grid.put(row + r, column, "│", look::kPanelDim);
    grid.put(row + r, column + columns - 1, "│", look::kPanelDim);
  }
  if (!title.empty()) grid.put(row, column + 2, " " + std::string(title) + " ", look::kPanelTitle);
}

}  // namespace ia64::machine::window
