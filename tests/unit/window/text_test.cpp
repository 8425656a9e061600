// Selection, search, pasting, and the pieces of drawing that need no pixels.
#include <algorithm>

#include "machine/window/box_drawing.h"
#include "machine/window/palette.h"
#include "machine/window/paste_feeder.h"
#include "machine/window/search.h"
#include "machine/window/selection.h"
#include "tests/support/test.h"

using namespace ia64;
using namespace ia64::machine::window;

namespace {

std::string_view text(std::span<const u8> bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

/// A guest's receiver that takes what the test lets it take.
struct SlowGuest {
  PasteFeeder feeder;
  std::string waiting, got;
  size_t most_waiting = 0;
  bool takes_at_once = false;
  SlowGuest() {
    feeder.type = [this](std::span<const u8> bytes) {
      waiting += text(bytes);
      most_waiting = std::max(most_waiting, waiting.size());
      if (takes_at_once) take(waiting.size());
    };
  }
  void take(size_t n) {
    got += waiting.substr(0, n);
    waiting.erase(0, n);
    if (waiting.empty()) feeder.drained();
  }
};

int right_end(const std::vector<BoxPart>& parts) {
  int out = 0;
  for (const BoxPart& p : parts) out = std::max(out, p.x + p.width);
  return out;
}

}  // namespace

TEST_CASE("selection: within a line, over lines, backwards", "[window]") {
  ScreenModel model(4, 20);
  model.feed("first line\r\nsecond\r\nthird");
  Selection s;
  s.start(model, {0, 6}, SelectBy::Character);
  CHECK_FALSE(s.active());
  s.extend(model, {0, 9});
  CHECK(s.text() == "line");
  CHECK(s.contains({0, 6}));
  CHECK(s.contains({0, 9}));
  CHECK_FALSE(s.contains({0, 10}));
  s.extend(model, {2, 1});
  CHECK(s.text() == "line\nsecond\nth");
  s.start(model, {1, 2}, SelectBy::Character);
  s.extend(model, {0, 6});
  CHECK(s.text() == "line\nsec");
}

TEST_CASE("selection: two clicks take a word, three a line", "[window]") {
  ScreenModel model(4, 20);
  model.feed("see /dev/sda1, or\r\nelse");
  Selection s;
  s.start(model, {0, 6}, SelectBy::Word);
  CHECK(s.text() == "/dev/sda1,");
  s.extend(model, {0, 16});
  CHECK(s.text() == "/dev/sda1, or");
  s.start(model, {0, 3}, SelectBy::Line);
  CHECK(s.text() == "see /dev/sda1, or\n");
  s.extend(model, {1, 0});
  CHECK(s.text() == "see /dev/sda1, or\nelse\n");
}

TEST_CASE("selection: follows its text when it scrolls and goes when it is overwritten", "[window]") {
  ScreenModel model(4, 20);
  model.feed("keep\r\n");
  Selection s;
  s.start(model, {0, 0}, SelectBy::Word);
  model.feed("1\r\n2\r\n3\r\n4\r\n5\r\n6");
  CHECK_FALSE(s.check(model));
  CHECK(s.contains({0, 0}));
  CHECK(s.text() == "keep");
  s.start(model, {model.screen_top(), 0}, SelectBy::Word);
  model.feed("\x1b[1;1Hother");
  CHECK(s.check(model));
  CHECK_FALSE(s.active());
}

TEST_CASE("search: up and down through screen and scrollback, around the ends", "[window]") {
  ScreenModel model(4, 20);
  model.feed("Error one\r\nfine\r\nan error and error\r\nfine\r\nfine\r\nfine ERROR");
  REQUIRE(model.screen_top() == 2);
  TextSearch search;
  search.set_pattern("eRRor");
  auto m = search.previous(model, {model.end_line(), 0});
  REQUIRE(m);
  CHECK(m->at == TextPlace{5, 5});
  CHECK(m->columns == 5);
  m = search.previous(model, m->at);
  CHECK(m->at == TextPlace{2, 13});
  m = search.previous(model, m->at);
  CHECK(m->at == TextPlace{2, 3});
  m = search.previous(model, m->at);
  CHECK(m->at == TextPlace{0, 0});
  m = search.previous(model, m->at);
  CHECK(m->at == TextPlace{5, 5});
  m = search.next(model, m->at);
  CHECK(m->at == TextPlace{0, 0});
  m = search.next(model, m->at);
  CHECK(m->at == TextPlace{2, 3});
  CHECK(search.in_line(model, 2).size() == 2);
  search.set_pattern("e ERR");
  CHECK(search.in_line(model, 5).size() == 1);
  search.set_pattern("absent");
  CHECK_FALSE(search.previous(model, {5, 0}));
  search.set_pattern("");
  CHECK_FALSE(search.next(model, {0, 0}));
}

TEST_CASE("search: wide characters count as the cells they take", "[window]") {
  ScreenModel model(4, 20);
  model.feed("日本 x日本");
  TextSearch search;
  search.set_pattern("本");
  const auto found = search.in_line(model, 0);
  REQUIRE(found.size() == 2);
  CHECK(found[0].at.column == 2);
  CHECK(found[0].columns == 2);
  CHECK(found[1].at.column == 8);
}

TEST_CASE("paste: newlines become carriage returns, control characters stay out", "[window]") {
  CHECK(paste_bytes("a\nb\r\nc\rd\te\x1b[31mf\x03\x7fg") == "a\rb\rc\rd\te[31mfg");
  CHECK(paste_bytes("日\n") == "日\r");
}

TEST_CASE("paste: a megabyte loses nothing and never fills a queue", "[window]") {
  std::string long_text;
  u32 seed = 7;
  const auto next = [&seed] { return seed = seed * 1664525 + 1013904223, seed >> 8; };
  while (long_text.size() < 1 << 20) long_text += static_cast<char>(next() % 30 ? ' ' + next() % 95 : '\n');
  SlowGuest guest;
  guest.feeder.start(long_text);
  unsigned last_percent = 0;
  while (guest.feeder.active() || !guest.waiting.empty()) {
    guest.take(1 + next() % 40);
    CHECK(guest.feeder.percent() >= std::min(last_percent, guest.feeder.percent()));
  }
  CHECK(guest.got == paste_bytes(long_text));
  CHECK(guest.most_waiting <= PasteFeeder::kPieceBytes);

  SlowGuest fast;
  fast.takes_at_once = true;
  fast.feeder.start(long_text);
  CHECK(fast.got == paste_bytes(long_text));
  CHECK_FALSE(fast.feeder.active());
}

TEST_CASE("paste: XOFF holds it, XON and release let it go on, stop ends it", "[window]") {
  const std::string long_text(10 * PasteFeeder::kPieceBytes, 'x');
  const u8 xoff = 0x13, xon = 0x11;
  SlowGuest guest;
  guest.feeder.start(long_text);
  guest.feeder.watch_output({&xoff, 1});
  guest.take(PasteFeeder::kPieceBytes);
  CHECK(guest.waiting.empty());
  CHECK(guest.feeder.held());
  guest.feeder.watch_output({&xon, 1});
  CHECK(guest.waiting.size() == PasteFeeder::kPieceBytes);
  guest.feeder.watch_output({&xoff, 1});
  guest.take(PasteFeeder::kPieceBytes);
  guest.feeder.release();
  CHECK(guest.waiting.size() == PasteFeeder::kPieceBytes);
  guest.feeder.stop();
  guest.take(PasteFeeder::kPieceBytes);
  CHECK(guest.waiting.empty());
  CHECK(guest.got.size() == 3 * PasteFeeder::kPieceBytes);
}

TEST_CASE("paste: an XOFF of earlier output does not hold it", "[window]") {
  const u8 xoff = 0x13;
  SlowGuest guest;
  guest.feeder.watch_output({&xoff, 1});
  guest.feeder.start("text", "<", ">");
  guest.take(100);
  CHECK(guest.got == "<text>");
}

TEST_CASE("palette: cube and greys by xterm's formula", "[window]") {
  CHECK(palette(16) == Rgb{0, 0, 0});
  CHECK(palette(21) == Rgb{0, 0, 255});
  CHECK(palette(208) == Rgb{255, 135, 0});
  CHECK(palette(231) == Rgb{255, 255, 255});
  CHECK(palette(232) == Rgb{8, 8, 8});
  CHECK(palette(255) == Rgb{238, 238, 238});
}

TEST_CASE("palette: reverse swaps, and twice is not at all", "[window]") {
  Style s;
  s.reverse = true;
  CHECK(paint_of(s, false).background == kDefaultForeground);
  CHECK(paint_of(s, true).background == kDefaultBackground);
}

TEST_CASE("box drawing: lines reach the edges they should and meet", "[window]") {
  for (const auto& [w, h] : {std::pair{9, 18}, {7, 14}, {8, 16}, {20, 41}}) {
    const auto across = box_parts(U'─', w, h), down = box_parts(U'│', w, h), cross = box_parts(U'┼', w, h), corner = box_parts(U'┐', w, h);
    CHECK(right_end(across) == w);
    CHECK(std::all_of(across.begin(), across.end(), [&](const BoxPart& p) { return p.y == across[0].y && p.height == across[0].height; }));
    CHECK(std::any_of(cross.begin(), cross.end(), [&](const BoxPart& p) { return p.x == 0 && p.y == across[0].y; }));
    CHECK(std::any_of(cross.begin(), cross.end(), [&](const BoxPart& p) { return p.y == 0 && p.x == down[0].x; }));
    CHECK(right_end(corner) < w);
    CHECK(std::any_of(corner.begin(), corner.end(), [&](const BoxPart& p) { return p.y + p.height == h && p.x == down[0].x; }));
  }
  for (char32_t c = 0x2500; c < 0x25a0; c++)
    for (const BoxPart& p : box_parts(c, 9, 18)) {
      CHECK(p.x >= 0);
      CHECK(p.y >= 0);
      CHECK(p.x + p.width <= 9);
      CHECK(p.y + p.height <= 18);
      CHECK(p.width > 0);
      CHECK(p.height > 0);
    }
  CHECK(box_parts(U'a', 9, 18).empty());
}

TEST_CASE("box drawing: blocks fill their share", "[window]") {
  const auto area = [](char32_t c) {
    int sum = 0;
    for (const BoxPart& p : box_parts(c, 8, 16)) sum += p.width * p.height;
    return sum;
  };
  CHECK(area(U'█') == 128);
  CHECK(area(U'▀') == 64);
  CHECK(area(U'▁') == 16);
  CHECK(area(U'▌') == 64);
  CHECK(area(U'▏') == 16);
  CHECK(area(U'▙') == 96);
  CHECK(area(U'▚') == 64);
  CHECK(box_parts(U'▒', 8, 16)[0].coverage == 128);
}
