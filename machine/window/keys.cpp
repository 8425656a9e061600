// Typed characters to bytes.
#include "machine/window/keys.h"

#include "machine/window/cell.h"

namespace ia64::machine::window {
namespace {

constexpr char kDel = 0x7f;

/// The control character of a key, or nothing.
std::optional<char> control_of(char32_t c, bool shift) {
  if ((c >= U'@' && c <= U'_') || (c >= U'a' && c <= U'z')) return static_cast<char>(c & 0x1f);
  switch (c) {
    case U' ':
    case U'2': return '\0';
    case U'3':
    case U'4':
    case U'5':
    case U'6':
    case U'7': return static_cast<char>(0x1b + (c - U'3'));
    case U'8':
    case U'?': return kDel;
    case U'/': return shift ? kDel : '\x1f';
    case U'-': return '\x1f';  // Ctrl-_ of a keyboard with _ above -
    default: return std::nullopt;
  }
}

}  // namespace

std::string encode_character(char32_t character, Modifiers modifiers) {
  std::string out;
  if (modifiers.alt) out += '\x1b';
  if (!modifiers.ctrl) {
    append_utf8(out, character);
    return out;
  }
  const auto control = control_of(character, modifiers.shift);
  return control ? out + *control : std::string();
}

}  // namespace ia64::machine::window
