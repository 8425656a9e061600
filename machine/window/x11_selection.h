// Long texts from other programs on an X11 desktop.
#pragma once

#include <string>

#include "base/int_types.h"

struct SDL_Window;

namespace ia64::machine::window {

/// The text of another program's selection ("CLIPBOARD", "PRIMARY"), however long: SDL's own function gives nothing where a text
/// comes in pieces (INCR), and leaves its owner waiting. Over a connection of its own. Waits at most a second for each piece.
/// @param own  our window: a selection that this program owns is not asked for
/// @returns empty when there is none, it is our own, no X11 display, or more than kMostSelectionBytes
/// @source Inter-Client Communication Conventions Manual 2.0, 2.7.2
std::string x11_selection(const char* name, SDL_Window* own);
inline constexpr size_t kMostSelectionBytes = 64 << 20;

}  // namespace ia64::machine::window
