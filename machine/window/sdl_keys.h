// SDL's keys as ours.
#pragma once

#include <SDL.h>

#include <optional>

#include "machine/window/keys.h"

namespace ia64::machine::window {

Modifiers modifiers_of(SDL_Keymod mod);

/// The key press of a key-down event, or nothing when its text comes as a text event of its own (plain letters) or it is no key
/// for us (modifiers).
std::optional<KeyPress> key_press_of(const SDL_Keysym& key);

}  // namespace ia64::machine::window
