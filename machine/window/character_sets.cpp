// Designations, shifts, and what the sets mean.
#include "machine/window/character_sets.h"

#include <algorithm>

namespace ia64::machine::window {
namespace {

constexpr char kEsc = '\x1b', kShiftOut = '\x0e', kShiftIn = '\x0f';

/// 0x5f to 0x7e of DEC's special graphics. @source DEC VT220 Programmer Reference, table 2-4; Unicode's mapping of it
constexpr const char* kGraphics[] = {" ", "◆", "▒", "␉", "␌", "␍", "␊", "°", "±", "␤", "␋", "┘", "┐", "┌", "└", "┼",
                                     "⎺", "⎻", "─", "⎼", "⎽", "├", "┤", "┴", "┬", "│", "≤", "≥", "π", "≠", "£", "·"};
constexpr char kFirstGraphic = 0x5f, kLastGraphic = 0x7e;

}  // namespace

std::string CharacterSets::translate(std::string_view piece) {
  if (piece[0] == kEsc) {
    if (designate(piece)) return {};
    follow(piece);
    return std::string(piece);
  }
  if (piece.size() == 1 && shift(piece[0])) return {};
  const char first = piece[0];
  return first >= ' ' && first < 0x7f ? text(piece) : std::string(piece);
}

bool CharacterSets::shift(char c) {
  if (c == kShiftOut) now_.shifted = 1;
  if (c == kShiftIn) now_.shifted = 0;
  return c == kShiftOut || c == kShiftIn;
}

/// SCS with one of our sets, the locking shifts and the single shifts. A set we do not have counts as ASCII.
bool CharacterSets::designate(std::string_view s) {
  if (s.size() == 2 && (s[1] == 'n' || s[1] == 'o')) return now_.shifted = s[1] == 'n' ? 2 : 3, true;
  if (s.size() == 2 && (s[1] == 'N' || s[1] == 'O')) return single_ = s[1] == 'N' ? 2 : 3, true;
  if (s.size() < 3 || s[1] < '(' || s[1] > '+') return false;
  const char final = s.size() == 3 ? s[2] : 'B';
  const bool known = final == static_cast<char>(Set::British) || final == static_cast<char>(Set::Graphics);
  now_.designated[static_cast<size_t>(s[1] - '(')] = known ? static_cast<Set>(final) : Set::Ascii;
  return true;
}

/// Sequences that save the cursor save the sets with it; resets forget them.
void CharacterSets::follow(std::string_view s) {
  const std::string_view what = s.substr(1);
  if (what == "7" || what == "[s" || what == "[?1048h" || what == "[?1049h") saved_ = now_;
  if (what == "8" || what == "[u" || what == "[?1048l" || what == "[?1049l") now_ = saved_;
  if (what == "c" || what == "[!p") now_ = saved_ = {};
}

std::string CharacterSets::text(std::string_view ascii) {
  std::string out;
  for (const char c : ascii) {
    const Set set = now_.designated[single_ >= 0 ? static_cast<unsigned>(single_) : now_.shifted];
    single_ = -1;
    if (set == Set::Graphics && c >= kFirstGraphic && c <= kLastGraphic)
      out += kGraphics[c - kFirstGraphic];
    else if (set == Set::British && c == '#')
      out += "£";
    else
      out += c;
  }
  return out;
}

}  // namespace ia64::machine::window
