// A screen as text, for tests and for copying whole screens.
#pragma once

#include <string>

#include "machine/window/cell.h"
#include "machine/window/screen_model.h"

namespace ia64::machine::window {

/// The rows of the screen, a newline behind each, without blanks at their ends.
std::string screen_text(const ScreenModel& model);
std::string grid_text(const CellGrid& grid);

/// What is not plain: a line "ROW:FIRST-LAST words" for each run of cells of one style, such as "0:4-7 bold fg=1 reverse".
std::string style_text(const ScreenModel& model);

}  // namespace ia64::machine::window
