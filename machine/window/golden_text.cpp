// Screens as text.
#include "machine/window/golden_text.h"

#include <fmt/format.h>

namespace ia64::machine::window {
namespace {

std::string colour_text(const Colour& c) {
  return c.kind == Colour::Kind::Indexed ? fmt::format("{}", c.r) : fmt::format("#{:02x}{:02x}{:02x}", c.r, c.g, c.b);
}

std::string words(const Style& s) {
  std::string out;
  if (s.bold) out += " bold";
  if (s.italic) out += " italic";
  if (s.underline) out += " underline";
  if (s.blink) out += " blink";
  if (s.reverse) out += " reverse";
  if (s.strike) out += " strike";
  if (s.foreground != Colour{}) out += " fg=" + colour_text(s.foreground);
  if (s.background != Colour{}) out += " bg=" + colour_text(s.background);
  return out;
}

}  // namespace

std::string screen_text(const ScreenModel& model) {
  std::string out;
  for (unsigned r = 0; r < model.rows(); r++) out += cells_text(model.line(model.screen_top() + r)) + "\n";
  return out;
}

std::string grid_text(const CellGrid& grid) {
  std::string out;
  for (unsigned r = 0; r < grid.rows(); r++) {
    const Cell* const first = &grid.at(r, 0);
    out += cells_text({first, first + grid.columns()}) + "\n";
  }
  return out;
}

std::string style_text(const ScreenModel& model) {
  std::string out;
  for (unsigned r = 0; r < model.rows(); r++) {
    const auto line = model.line(model.screen_top() + r);
    for (size_t c = 0; c < line.size();) {
      size_t end = c + 1;
      while (end < line.size() && line[end].style == line[c].style) end++;
      if (line[c].style != Style{}) out += fmt::format("{}:{}-{}{}\n", r, c, end - 1, words(line[c].style));
      c = end;
    }
  }
  return out;
}

}  // namespace ia64::machine::window
