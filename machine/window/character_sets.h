// Character sets that a guest designates and shifts in, turned into Unicode before the terminal sees text.
#pragma once

#include <array>
#include <string>
#include <string_view>

namespace ia64::machine::window {

/// G0 to G3 of a VT220 with the sets that EFI, GRUB and curses use: ASCII, British, and DEC's special graphics. libvterm has them as
/// well, but forgets them when the cursor is saved and restored, and takes other characters for three of the graphics.
/// @source DEC VT220 Programmer Reference, 2.2 and 4.4; xterm's ctlseqs (DECSC)
class CharacterSets {
 public:
  /// @param piece  one of ControlSplitter
  /// @returns what the terminal gets in its place: nothing for designations and shifts
  std::string translate(std::string_view piece);

 private:
  enum class Set : char { Ascii = 'B', British = 'A', Graphics = '0' };
  struct State {
    std::array<Set, 4> designated{Set::Ascii, Set::Ascii, Set::Ascii, Set::Ascii};
    unsigned shifted = 0;  ///< which of them characters come from
  };
  bool shift(char c);
  bool designate(std::string_view sequence);
  void follow(std::string_view sequence);
  std::string text(std::string_view ascii);

  State now_, saved_;
  int single_ = -1;  ///< set of the next character only
};

}  // namespace ia64::machine::window
