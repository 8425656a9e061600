// The bytes of keys, against xterm's table of them and against what firmware's console makes of them.
#include "firmware/efi/console.h"
#include "machine/window/keys.h"
#include "machine/window/screen_model.h"
#include "tests/support/test.h"

using namespace ia64;
using namespace ia64::machine::window;

namespace {

struct Keyboard {
  ScreenModel model{25, 80};
  std::string sent;
  Keyboard() {
    model.to_guest = [this](std::string_view bytes) { sent += bytes; };
  }
  std::string press(Key key, Modifiers m = {}) {
    sent.clear();
    model.key(key, m);
    return sent;
  }
};

}  // namespace

TEST_CASE("keys: those with names, as xterm sends them", "[window]") {
  Keyboard k;
  static const std::pair<Key, const char*> kTable[] = {
      {Key::Enter, "\r"},         {Key::Tab, "\t"},           {Key::Backspace, "\x7f"},  {Key::Escape, "\x1b"},     {Key::Up, "\x1b[A"},
      {Key::Down, "\x1b[B"},      {Key::Right, "\x1b[C"},     {Key::Left, "\x1b[D"},     {Key::Home, "\x1b[H"},     {Key::End, "\x1b[F"},
      {Key::Insert, "\x1b[2~"},   {Key::Delete, "\x1b[3~"},   {Key::PageUp, "\x1b[5~"},  {Key::PageDown, "\x1b[6~"}, {Key::F1, "\x1bOP"},
      {Key::F2, "\x1bOQ"},        {Key::F3, "\x1bOR"},        {Key::F4, "\x1bOS"},       {Key::F5, "\x1b[15~"},     {Key::F6, "\x1b[17~"},
      {Key::F7, "\x1b[18~"},      {Key::F8, "\x1b[19~"},      {Key::F9, "\x1b[20~"},     {Key::F10, "\x1b[21~"},    {Key::F11, "\x1b[23~"},
      {Key::F12, "\x1b[24~"}};
  for (const auto& [key, bytes] : kTable) CHECK(k.press(key) == bytes);
}

TEST_CASE("keys: DECCKM changes the arrows and nothing that has its own byte", "[window]") {
  Keyboard k;
  k.model.feed("\x1b[?1h");
  CHECK(k.press(Key::Up) == "\x1bOA");
  CHECK(k.press(Key::Left) == "\x1bOD");
  CHECK(k.press(Key::Enter) == "\r");
  k.model.feed("\x1b[?1l");
  CHECK(k.press(Key::Up) == "\x1b[A");
}

TEST_CASE("keys: modifiers", "[window]") {
  Keyboard k;
  CHECK(k.press(Key::Up, {.ctrl = true}) == "\x1b[1;5A");
  CHECK(k.press(Key::Delete, {.shift = true}) == "\x1b[3;2~");
  CHECK(k.press(Key::Tab, {.shift = true}) == "\x1b[Z");
  CHECK(k.press(Key::Backspace, {.ctrl = true}) == "\b");
  CHECK(k.press(Key::Backspace, {.alt = true}) == "\x1b\x7f");
  CHECK(k.press(Key::Enter, {.ctrl = true}) == "\r");
  CHECK(k.press(Key::Escape, {.shift = true}) == "\x1b");
}

TEST_CASE("keys: LNM makes Enter carriage return and line feed", "[window]") {
  Keyboard k;
  k.model.feed("\x1b[20h");
  CHECK(k.press(Key::Enter) == "\r\n");
}

TEST_CASE("keys: characters with ctrl and alt, as on a VT220", "[window]") {
  const Modifiers ctrl{.ctrl = true}, alt{.alt = true}, both{.alt = true, .ctrl = true}, shifted{.shift = true, .ctrl = true};
  CHECK(encode_character(U'a', {}) == "a");
  CHECK(encode_character(U'é', {}) == "\xc3\xa9");
  CHECK(encode_character(U'c', ctrl) == "\x03");
  CHECK(encode_character(U'i', ctrl) == "\t");
  CHECK(encode_character(U'[', ctrl) == "\x1b");
  CHECK(encode_character(U'\\', ctrl) == "\x1c");
  CHECK(encode_character(U' ', ctrl) == std::string(1, '\0'));
  CHECK(encode_character(U'2', ctrl) == std::string(1, '\0'));
  CHECK(encode_character(U'3', ctrl) == "\x1b");
  CHECK(encode_character(U'6', shifted) == "\x1e");  // Ctrl-^
  CHECK(encode_character(U'-', shifted) == "\x1f");  // Ctrl-_
  CHECK(encode_character(U'8', ctrl) == "\x7f");
  CHECK(encode_character(U'/', ctrl) == "\x1f");
  CHECK(encode_character(U'x', alt) == "\x1bx");
  CHECK(encode_character(U'x', both) == "\x1b\x18");
  CHECK(encode_character(U'1', ctrl).empty());
}

TEST_CASE("keys: firmware understands every named key", "[window]") {
  namespace scan = firmware::scan;
  Keyboard k;
  static const std::pair<Key, u16> kScans[] = {
      {Key::Up, scan::kUp},         {Key::Down, scan::kDown},     {Key::Right, scan::kRight},   {Key::Left, scan::kLeft},
      {Key::Home, scan::kHome},     {Key::End, scan::kEnd},       {Key::Insert, scan::kInsert}, {Key::Delete, scan::kDelete},
      {Key::PageUp, scan::kPageUp}, {Key::PageDown, scan::kPageDown}};
  firmware::KeyDecoder decoder;
  const auto decode = [&](Key key) {
    for (const char c : k.press(key)) decoder.feed(static_cast<u8>(c), 0);
    return decoder.next(0);
  };
  for (const auto& [key, code] : kScans) CHECK(decode(key) == firmware::InputKey{code, 0});
  for (u16 n = 0; n < 10; n++)
    CHECK(decode(static_cast<Key>(static_cast<u16>(Key::F1) + n)) == firmware::InputKey{static_cast<u16>(scan::kF1 + n), 0});
  CHECK(decode(Key::Enter) == firmware::InputKey{0, u'\r'});
  CHECK(decode(Key::Backspace) == firmware::InputKey{0, u'\b'});
  CHECK(decode(Key::Tab) == firmware::InputKey{0, u'\t'});
}
