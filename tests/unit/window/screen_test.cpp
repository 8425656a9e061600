// Golden screens: what guest output must leave on the terminal by the rules of ECMA-48 and DEC's VT100 and VT220 manuals. The
// expected text is worked out by hand from those, never taken from a run.
#include <string>

#include "machine/window/golden_text.h"
#include "machine/window/screen_model.h"
#include "tests/support/test.h"

using namespace ia64;
using namespace ia64::machine::window;

namespace {

constexpr unsigned kRows = 6, kColumns = 20;

struct Screen {
  ScreenModel model{kRows, kColumns};
  std::string replies;
  explicit Screen(std::string_view output) {
    model.to_guest = [this](std::string_view bytes) { replies += bytes; };
    model.feed(output);
  }
  std::string text() const { return screen_text(model); }
  std::string styles() const { return style_text(model); }
  std::pair<unsigned, unsigned> at() const { return {model.cursor().row, model.cursor().column}; }
};

using At = std::pair<unsigned, unsigned>;

}  // namespace

TEST_CASE("screen: CR goes to the first column, LF down a line and no further", "[window]") {
  Screen s("one\ntwo\r\nthree");
  CHECK(s.text() == "one\n   two\nthree\n\n\n\n");
  CHECK(s.at() == At{2, 5});
}

TEST_CASE("screen: CUP addresses from 1 and stays within the screen", "[window]") {
  Screen s("\x1b[3;5HX\x1b[99;99HY\x1b[HZ");
  CHECK(s.text() == "Z\n\n    X\n\n\n                   Y\n");
}

TEST_CASE("screen: CUU, CUD, CUF, CUB move by their parameter, 0 as 1, and stop at the edges", "[window]") {
  Screen s("\x1b[3;3H\x1b[2A\x1b[0Ba\x1b[5Cb\x1b[99Dc\x1b[99B\x1b[99Cd");
  CHECK(s.text() == "\nc a     b\n\n\n\n                   d\n");
}

TEST_CASE("screen: a character in the last column waits there; the next one wraps", "[window]") {
  Screen s("abcdefghijklmnopqrst");
  CHECK(s.at() == At{0, 19});
  s.model.feed("u");
  CHECK(s.text() == "abcdefghijklmnopqrst\nu\n\n\n\n\n");
  CHECK(s.at() == At{1, 1});
}

TEST_CASE("screen: without DECAWM the last column is overwritten", "[window]") {
  Screen s("\x1b[?7l" "abcdefghijklmnopqrstuvw");
  CHECK(s.text() == "abcdefghijklmnopqrsw\n\n\n\n\n\n");
}

TEST_CASE("screen: a line feed in the last row scrolls, and what scrolls off is kept", "[window]") {
  Screen s("1\r\n2\r\n3\r\n4\r\n5\r\n6\r\n7\r\n8");
  CHECK(s.text() == "3\n4\n5\n6\n7\n8\n");
  CHECK(s.model.screen_top() == 2);
  CHECK(s.model.first_line() == 0);
  CHECK(cells_text(s.model.line(0)) == "1");
  CHECK(cells_text(s.model.line(1)) == "2");
}

TEST_CASE("screen: DECSTBM scrolls within its margins only and homes the cursor", "[window]") {
  Screen s("top\x1b[6;1Hbottom\x1b[2;4r");
  CHECK(s.at() == At{0, 0});
  s.model.feed("\x1b[2;1Ha\r\nb\r\nc\r\nd\r\ne");
  CHECK(s.text() == "top\nc\nd\ne\n\nbottom\n");
  CHECK(s.model.screen_top() == 0);
}

TEST_CASE("screen: RI at the top margin scrolls down, IND at the bottom margin up", "[window]") {
  Screen s("\x1b[1;1Ha\x1b[2;1Hb\x1b[3;1Hc\x1b[4;1Hd\x1b[2;3r\x1b[2;1H\x1bM");
  CHECK(s.text() == "a\n\nb\nd\n\n\n");
  s.model.feed("\x1b[3;1H\x1b" "D");
  CHECK(s.text() == "a\nb\n\nd\n\n\n");
}

TEST_CASE("screen: with DECOM addresses count from the top margin", "[window]") {
  Screen s("\x1b[3;5r\x1b[?6h\x1b[1;1HA\x1b[99;2HB");
  CHECK(s.text() == "\n\nA\n\n B\n\n");
}

TEST_CASE("screen: IL and DL move the lines below within the region", "[window]") {
  const std::string lines = "1\r\n2\r\n3\r\n4\r\n5\r\n6";
  CHECK(Screen(lines + "\x1b[2;1H\x1b[2L").text() == "1\n\n\n2\n3\n4\n");
  CHECK(Screen(lines + "\x1b[2;1H\x1b[2M").text() == "1\n4\n5\n6\n\n\n");
}

TEST_CASE("screen: ICH, DCH, ECH and IRM within a line", "[window]") {
  CHECK(Screen("abcdef\x1b[1;3H\x1b[2@").text() == "ab  cdef\n\n\n\n\n\n");
  CHECK(Screen("abcdef\x1b[1;3H\x1b[2P").text() == "abef\n\n\n\n\n\n");
  CHECK(Screen("abcdef\x1b[1;3H\x1b[2X").text() == "ab  ef\n\n\n\n\n\n");
  CHECK(Screen("abcdef\x1b[1;3H\x1b[4hXY\x1b[4lZ").text() == "abXYZdef\n\n\n\n\n\n");
}

TEST_CASE("screen: ED and EL erase before, behind and all", "[window]") {
  const std::string full = "aaaa\r\nbbbb\r\ncccc\x1b[2;3H";
  CHECK(Screen(full + "\x1b[K").text() == "aaaa\nbb\ncccc\n\n\n\n");
  CHECK(Screen(full + "\x1b[1K").text() == "aaaa\n   b\ncccc\n\n\n\n");
  CHECK(Screen(full + "\x1b[2K").text() == "aaaa\n\ncccc\n\n\n\n");
  CHECK(Screen(full + "\x1b[J").text() == "aaaa\nbb\n\n\n\n\n");
  CHECK(Screen(full + "\x1b[1J").text() == "\n   b\ncccc\n\n\n\n");
  CHECK(Screen(full + "\x1b[2J").text() == "\n\n\n\n\n\n");
  CHECK(Screen(full + "\x1b[2J").at() == At{1, 2});
}

TEST_CASE("screen: tab stops stand at every eighth column until TBC; HTS sets one", "[window]") {
  CHECK(Screen("a\tb\tc").text() == "a       b       c\n\n\n\n\n\n");
  CHECK(Screen("\x1b[3g\x1b[1;5H\x1bH\r\tx\ty").text() == "    x              y\n\n\n\n\n\n");
  CHECK(Screen("a\tb\b\b\bc").text() == "a     c b\n\n\n\n\n\n");
}

TEST_CASE("screen: DECSC and DECRC keep place and look of the cursor", "[window]") {
  Screen s("\x1b[2;3H\x1b[1m\x1b" "7\x1b[5;5H\x1b[0mx\x1b" "8y");
  CHECK(s.text() == "\n  y\n\n\n    x\n\n");
  CHECK(s.styles() == "1:2-2 bold\n");
}

TEST_CASE("screen: DECALN fills the screen with E", "[window]") {
  const std::string row(kColumns, 'E');
  CHECK(Screen("junk\x1b#8").text() == row + "\n" + row + "\n" + row + "\n" + row + "\n" + row + "\n" + row + "\n");
}

// The first screen of vttest, for 6 rows of 20: a frame of '+' inside one of '*', drawn with every kind of movement.
TEST_CASE("screen: vttest's frame of movements", "[window]") {
  Screen s("\x1b#8\x1b[3;4H\x1b[1J");  // erased up to and with row 3, column 4
  CHECK(s.text() == "\n\n    EEEEEEEEEEEEEEEE\nEEEEEEEEEEEEEEEEEEEE\nEEEEEEEEEEEEEEEEEEEE\nEEEEEEEEEEEEEEEEEEEE\n");
  s.model.feed("\x1b[2J\x1b[1;1H");
  for (unsigned n = 0; n < kColumns; n++) s.model.feed("*");
  for (unsigned row = 2; row < kRows; row++) {
    s.model.feed("\x1b[" + std::to_string(row) + ";20H*");  // right edge
    s.model.feed("\x1b[20D*\b\x1b[99D");                    // CUB past the edge: left edge
  }
  s.model.feed("\x1b[6;1H");
  for (unsigned n = 0; n < kColumns; n++) s.model.feed("*");
  s.model.feed("\x1b[2;2H");
  for (unsigned n = 0; n < kColumns - 2; n++) s.model.feed("+");
  s.model.feed("\x1b[2;2H");
  for (unsigned n = 0; n < 2; n++) s.model.feed("\x1b" "D+\b");                            // IND: down the left side
  for (unsigned n = 0; n < kColumns - 3; n++) s.model.feed("\x1b[1C");
  for (unsigned n = 0; n < 2; n++) s.model.feed("+\b\x1bM");                               // RI: up the right side
  s.model.feed("\x1b[5;2H");
  for (unsigned n = 0; n < kColumns - 2; n++) s.model.feed("+");
  CHECK(s.text() ==
        "********************\n"
        "*++++++++++++++++++*\n"
        "*+                +*\n"
        "*+                +*\n"
        "*++++++++++++++++++*\n"
        "********************\n");
}

TEST_CASE("screen: DEC special graphics by SCS, and by SO of G1", "[window]") {
  CHECK(Screen("\x1b(0lqwqk\r\nx x x\r\ntqnqu\r\nmqvqj\x1b(B x").text() == "┌─┬─┐\n│ │ │\n├─┼─┤\n└─┴─┘ x\n\n\n");
  CHECK(Screen("\x1b)0a\x0e" "a\x0f" "a").text() == "a▒a\n\n\n\n\n\n");
  CHECK(Screen("\x1b(0_`yz{}~\x1b(B_`").text() == " ◆≤≥π£·_`\n\n\n\n\n\n");  // DEC VT220, table 2-4
  CHECK(Screen("\x1b(A#\x1b*0\x1bNqq\x1bnq\x0f#").text() == "£─q─£\n\n\n\n\n\n");  // British; SS2, LS2 of G2
}

TEST_CASE("screen: what saves the cursor saves the character sets with it", "[window]") {
  CHECK(Screen("\x1b)0\x0e\x1b" "7q\x0f\x1b)Bq\x1b" "8\x1b[Cq\x1b[2;1Hq").text() == "──\n─\n\n\n\n\n");
  CHECK(Screen("\x1b(0\x1b[!pq\x1b(0\x1b" "cq").text() == "q\n\n\n\n\n\n");  // resets forget them
}

TEST_CASE("screen: SGR attributes on, off and all off", "[window]") {
  Screen s("\x1b[1mB\x1b[4mU\x1b[22mu\x1b[24m.\x1b[7mR\x1b[27m.\x1b[3;5;9mx\x1b[0m.");
  CHECK(s.styles() == "0:0-0 bold\n0:1-1 bold underline\n0:2-2 underline\n0:4-4 reverse\n0:6-6 italic blink strike\n");
}

TEST_CASE("screen: colours of 16, 256 and all; bold makes the eight bright", "[window]") {
  Screen s("\x1b[31ma\x1b[44mb\x1b[0;92;103mc\x1b[0;38;5;208md\x1b[48;5;17me\x1b[0;38;2;1;2;3mf\x1b[39mg\x1b[1;33mh");
  CHECK(s.styles() ==
        "0:0-0 fg=1\n0:1-1 fg=1 bg=4\n0:2-2 fg=10 bg=11\n0:3-3 fg=208\n0:4-4 fg=208 bg=17\n0:5-5 fg=#010203\n0:7-7 bold fg=11\n");
}

TEST_CASE("screen: erasing fills with the background colour", "[window]") {
  CHECK(Screen("\x1b[41m\x1b[K").styles() == "0:0-19 bg=1\n");
}

TEST_CASE("screen: UTF-8, wide characters in two cells, combining ones with theirs", "[window]") {
  Screen s("é日本\x1b[1;8He\xcc\x81!");
  CHECK(s.text() == "é日本  e\xcc\x81!\n\n\n\n\n\n");
  CHECK(s.model.cell(0, 1).width == 2);
  CHECK(s.model.cell(0, 2).width == 0);
  CHECK(s.model.cell(0, 7).text == std::array<char32_t, 3>{U'e', 0x301, 0});
  CHECK(s.model.cell(0, 8).text[0] == U'!');
}

TEST_CASE("screen: malformed UTF-8 is shown as replacement and does not swallow what follows", "[window]") {
  CHECK(Screen("a\xff" "b\xc3(").text() == "a\xef\xbf\xbd" "b\xef\xbf\xbd(\n\n\n\n\n\n");
}

TEST_CASE("screen: the terminal answers DSR and DA", "[window]") {
  Screen s("\x1b[3;7H\x1b[6n");
  CHECK(s.replies == "\x1b[3;7R");
  s.replies.clear();
  s.model.feed("\x1b[5n");
  CHECK(s.replies == "\x1b[0n");
  s.replies.clear();
  s.model.feed("\x1b[c");
  CHECK(s.replies == "\x1b[?1;2c");  // a VT100 with advanced video
}

TEST_CASE("screen: the alternate screen goes without a trace", "[window]") {
  Screen s("shell\x1b[?1049h\x1b[2J\x1b[1;1Hvi\r\n~\r\n~\r\n~\r\n~\r\n~\r\n~\r\n~");
  CHECK(s.model.screen_top() == 0);
  s.model.feed("\x1b[?1049l");
  CHECK(s.text() == "shell\n\n\n\n\n\n");
  CHECK(s.at() == At{0, 5});
}

TEST_CASE("screen: DECTCEM hides and shows the cursor, DECSCNM reverses", "[window]") {
  Screen s("\x1b[?25l\x1b[?5h");
  CHECK_FALSE(s.model.cursor().visible);
  CHECK(s.model.reverse_screen());
  s.model.feed("\x1b[?25h\x1b[?5l");
  CHECK(s.model.cursor().visible);
  CHECK_FALSE(s.model.reverse_screen());
}

TEST_CASE("screen: RIS brings everything back", "[window]") {
  Screen s("\x1b[31mtext\x1b[2;3r\x1b(0\x1b" "cx");
  CHECK(s.text() == "x\n\n\n\n\n\n");
  CHECK(s.styles().empty());
}

TEST_CASE("screen: a smaller window keeps the cursor's end, a larger one brings lines back", "[window]") {
  Screen s("1\r\n2\r\n3\r\n4\r\n5\r\n6");
  s.model.resize(4, kColumns);
  CHECK(s.text() == "3\n4\n5\n6\n");
  CHECK(s.model.screen_top() == 2);
  CHECK(s.at() == At{3, 1});
  s.model.resize(6, kColumns);
  CHECK(s.text() == "1\n2\n3\n4\n5\n6\n");
  CHECK(s.model.screen_top() == 0);
}

TEST_CASE("screen: scrollback is bounded and its lines keep their numbers", "[window]") {
  Screen s("");
  const size_t total = ScreenModel::kScrollbackLines + 100;
  for (size_t n = 0; n < total; n++) s.model.feed("line " + std::to_string(n) + "\r\n");
  CHECK(s.model.screen_top() - s.model.first_line() == ScreenModel::kScrollbackLines);
  CHECK(cells_text(s.model.line(s.model.first_line())) == "line " + std::to_string(s.model.first_line()));
  CHECK(s.model.line(s.model.first_line() - 1).empty());
}

TEST_CASE("screen: nothing that a guest sends breaks it", "[window]") {
  ScreenModel model(kRows, kColumns);
  u64 seed = 1;
  const auto next = [&seed] { return seed = seed * 6364136223846793005u + 1442695040888963407u, static_cast<u32>(seed >> 33); };
  static constexpr char kLikely[] = "\x1b\x1b\x1b[[[[;;;0123456789?hlmrHJKLMPX@ABCDSTgn()0B#8\x0e\x0f\r\n\t\b\x9b\xe6\x97\xa5";
  for (unsigned round = 0; round < 3000; round++) {
    std::string bytes;
    for (unsigned n = next() % 200; n; n--) bytes += next() % 4 ? kLikely[next() % (sizeof kLikely - 1)] : static_cast<char>(next());
    model.feed(bytes);
    if (next() % 16 == 0) model.resize(1 + next() % 60, 1 + next() % 200);
    CHECK(model.cursor().row < model.rows());
    CHECK(model.cursor().column < model.columns());
    CHECK(model.line(model.screen_top()).size() == model.columns());
  }
}
