// Lines of text in a frame: what a command answered, help.
#pragma once

#include <string>
#include <vector>

#include "machine/window/overlay.h"

namespace ia64::machine::window {

/// `line` with newlines in place of blanks, so that no line has more columns, unless one word has.
std::string wrapped(const std::string& line, unsigned columns);

/// Arrows, pages and wheel scroll; Esc, Enter and q leave.
class TextBox final : public Overlay {
 public:
  TextBox(std::string title, const std::string& text);
  void draw(CellGrid& grid) override;
  bool key(const KeyPress& press) override;
  bool mouse(const MouseEvent& event) override;

 private:
  void scroll(long by);

  std::string title_;
  std::vector<std::string> lines_;
  size_t top_ = 0, shown_ = 1;
  unsigned row_ = 0, column_ = 0, columns_ = 0;
};

}  // namespace ia64::machine::window
