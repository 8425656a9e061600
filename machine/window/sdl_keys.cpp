// Key codes of SDL.
#include "machine/window/sdl_keys.h"

#include <array>
#include <utility>

namespace ia64::machine::window {
namespace {

constexpr std::pair<SDL_Keycode, Key> kKeys[] = {
    {SDLK_RETURN, Key::Enter},     {SDLK_KP_ENTER, Key::Enter}, {SDLK_TAB, Key::Tab},       {SDLK_BACKSPACE, Key::Backspace}, {SDLK_ESCAPE, Key::Escape},
    {SDLK_UP, Key::Up},            {SDLK_DOWN, Key::Down},      {SDLK_LEFT, Key::Left},     {SDLK_RIGHT, Key::Right},         {SDLK_INSERT, Key::Insert},
    {SDLK_DELETE, Key::Delete},    {SDLK_HOME, Key::Home},      {SDLK_END, Key::End},       {SDLK_PAGEUP, Key::PageUp},       {SDLK_PAGEDOWN, Key::PageDown},
    {SDLK_F1, Key::F1},            {SDLK_F2, Key::F2},          {SDLK_F3, Key::F3},         {SDLK_F4, Key::F4},               {SDLK_F5, Key::F5},
    {SDLK_F6, Key::F6},            {SDLK_F7, Key::F7},          {SDLK_F8, Key::F8},         {SDLK_F9, Key::F9},               {SDLK_F10, Key::F10},
    {SDLK_F11, Key::F11},          {SDLK_F12, Key::F12},
};
/// The keypad while Num Lock is off.
constexpr std::pair<SDL_Keycode, Key> kKeypad[] = {
    {SDLK_KP_8, Key::Up},     {SDLK_KP_2, Key::Down}, {SDLK_KP_4, Key::Left},    {SDLK_KP_6, Key::Right},    {SDLK_KP_0, Key::Insert}, {SDLK_KP_PERIOD, Key::Delete},
    {SDLK_KP_7, Key::Home},   {SDLK_KP_1, Key::End},  {SDLK_KP_9, Key::PageUp},  {SDLK_KP_3, Key::PageDown},
};
constexpr std::pair<SDL_Keycode, char32_t> kKeypadSigns[] = {{SDLK_KP_PLUS, U'+'}, {SDLK_KP_MINUS, U'-'}};

}  // namespace

Modifiers modifiers_of(SDL_Keymod mod) {
  // AltGr makes characters, and comes as KMOD_MODE or the right Alt key.
  return {.shift = (mod & KMOD_SHIFT) != 0, .alt = (mod & KMOD_LALT) != 0, .ctrl = (mod & KMOD_CTRL) != 0};
}

std::optional<KeyPress> key_press_of(const SDL_Keysym& key) {
  const auto mod = static_cast<SDL_Keymod>(key.mod);
  const Modifiers m = modifiers_of(mod);
  for (const auto& [code, ours] : kKeys)
    if (code == key.sym) return KeyPress{.key = ours, .character = 0, .modifiers = m};
  if (!(mod & KMOD_NUM))
    for (const auto& [code, ours] : kKeypad)
      if (code == key.sym) return KeyPress{.key = ours, .character = 0, .modifiers = m};
  if ((!m.ctrl && !m.alt) || mod & (KMOD_MODE | KMOD_RALT)) return std::nullopt;
  for (const auto& [code, sign] : kKeypadSigns)
    if (code == key.sym) return KeyPress{.key = {}, .character = sign, .modifiers = m};
  if (key.sym < ' ' || key.sym >= SDLK_SCANCODE_MASK || key.sym == SDLK_DELETE) return std::nullopt;
  auto c = static_cast<char32_t>(key.sym);
  if (m.shift && !m.ctrl && c >= U'a' && c <= U'z') c -= 0x20;
  return KeyPress{.key = {}, .character = c, .modifiers = m};
}

}  // namespace ia64::machine::window
