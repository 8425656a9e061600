// The window without pixels: what keys and mouse do, and what it shows.
#include "machine/window/golden_text.h"
#include "machine/window/text_box.h"
#include "machine/window/window_ui.h"
#include "tests/support/test.h"

using namespace ia64;
using namespace ia64::machine::window;
using machine::control::Json;

namespace {

constexpr unsigned kRows = 25, kColumns = 80;
constexpr Modifiers kCtrl{.ctrl = true}, kCtrlShift{.shift = true, .ctrl = true}, kShift{.shift = true};

struct Desk {
  std::string typed, pasted, clipboard, primary, screenshot;
  std::vector<std::string> ran;
  Json answer = Json::object();
  std::optional<Error> error;
  int zoomed = 0, breaks = 0, stops = 0;
  WindowUi ui{"web1", kRows, kColumns, wires()};

  UiWires wires() {
    return {.type = [this](std::string_view b) { typed += b; },
            .paste = [this](std::string text, std::string before, std::string behind) { pasted += before + text + behind; },
            .stop_paste = [this] { stops++; },
            .release_paste = [] {},
            .send_break = [this] { breaks++; },
            .run =
                [this](const std::string& line, auto done) {
                  if (line != "activity") ran.push_back(line);
                  if (error && line != "activity") return done(*error);
                  done(line == "activity" ? activity : answer);
                },
            .copy = [this](const std::string& t) { clipboard = t; },
            .copy_primary = [this](const std::string& t) { primary = t; },
            .clipboard = [this] { return clipboard; },
            .primary = [this] { return primary; },
            .zoom = [this](int by) { zoomed += by; },
            .screenshot = [this](const std::string& path) -> Result<std::string> { return screenshot = path; }};
  }
  Json activity = Json{{"state", "On (OS)"}, {"runs", "OS"}, {"virtual_ns", 0}, {"idle_ns", 0}, {"instructions", 0}, {"cpl", 3}};

  void press(Key key, Modifiers m = {}) { ui.key({.key = key, .character = 0, .modifiers = m}); }
  void press(char32_t c, Modifiers m = {}) { ui.key({.key = {}, .character = c, .modifiers = m}); }
  void output(std::string_view text) { ui.guest_output({reinterpret_cast<const u8*>(text.data()), text.size()}); }
  std::string row(unsigned n) {
    const CellGrid grid = ui.compose();
    std::string out;
    for (unsigned c = 0; c < grid.columns(); c++) append_utf8(out, grid.at(n, c).text[0] ? grid.at(n, c).text[0] : U' ');
    return out;
  }
  std::string all() { return grid_text(ui.compose()); }
  void mouse(MouseEvent::Kind kind, unsigned row, unsigned column, unsigned button = 0, unsigned clicks = 1) {
    MouseEvent e;
    e.kind = kind, e.row = row, e.column = column, e.button = button, e.clicks = clicks;
    ui.mouse(e);
  }
};

bool contains(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("window: letters and keys go to the guest", "[window]") {
  Desk d;
  d.ui.text("lé");
  d.press(Key::Enter);
  d.press(U'c', kCtrl);
  d.press(Key::Up);
  CHECK(d.typed == "l\xc3\xa9\r\x03\x1b[A");
}

TEST_CASE("window: Ctrl-] opens the menu, its letters choose, Ctrl-] twice goes to the guest", "[window]") {
  Desk d;
  d.press(U']', kCtrl);
  CHECK(contains(d.all(), "Press the power button"));
  d.ui.text("r");
  CHECK(d.ran == std::vector<std::string>{"reset"});
  CHECK_FALSE(d.ui.has_overlay());
  CHECK(d.typed.empty());
  d.press(U']', kCtrl);
  d.press(U']', kCtrl);
  CHECK(d.typed == "\x1d");
  CHECK_FALSE(d.ui.has_overlay());
  d.press(U']', kCtrl);
  d.press(Key::Escape);
  CHECK_FALSE(d.ui.has_overlay());
  d.press(U']', kCtrl);
  d.ui.text("b");
  CHECK(d.breaks == 1);
}

TEST_CASE("window: arrows and Enter choose in the menu, clicks too", "[window]") {
  Desk d;
  d.press(U']', kCtrl);
  d.press(Key::Down);
  d.press(Key::Down);
  d.press(Key::Down);  // over the line between the groups
  d.press(Key::Enter);
  CHECK(d.ran == std::vector<std::string>{"reset"});
  d.mouse(MouseEvent::Kind::Press, kRows - 1, 2, 1);
  REQUIRE(d.ui.has_overlay());
  const std::string shown = d.all();
  unsigned row = 0;
  for (size_t at = 0, end; (end = shown.find('\n', at)) != std::string::npos && !contains(shown.substr(at, end - at), "Press the power"); at = end + 1) row++;
  d.mouse(MouseEvent::Kind::Press, row, 5, 1);
  CHECK(d.ran.back() == "power-off");
  CHECK_FALSE(d.ui.has_overlay());
}

TEST_CASE("window: pause and continue by the state that was seen last", "[window]") {
  Desk d;
  d.ui.tick(0);
  d.press(U'p', kCtrlShift);
  d.activity["state"] = "Paused";
  d.ui.tick(500);
  CHECK(contains(d.row(kRows - 1), "Paused"));
  d.press(U'p', kCtrlShift);
  CHECK(d.ran == std::vector<std::string>{"pause", "continue"});
}

TEST_CASE("window: the status bar shows rates between two samples", "[window]") {
  Desk d;
  d.ui.tick(0);
  d.activity = Json{{"state", "On (OS)"}, {"runs", "OS"}, {"virtual_ns", 500'000'000}, {"idle_ns", 125'000'000}, {"instructions", 100'000'000},
                    {"read_bytes", 1 << 20}, {"written_bytes", 0}, {"cpl", 3}, {"big_endian", true}, {"interruption_collection", true},
                    {"instruction_translation", true}};
  d.ui.tick(500);
  const std::string bar = d.row(kRows - 1);
  CHECK(contains(bar, "On (OS)"));
  CHECK(contains(bar, "200 MIPS"));
  CHECK(contains(bar, "idle 25%"));
  CHECK(contains(bar, "disk R 2.0M"));
  CHECK(contains(bar, "OS BE cpl3 ic it"));
  CHECK(contains(bar, "web1"));
}

TEST_CASE("window: nothing changed, nothing to draw", "[window]") {
  Desk d;
  CHECK(d.ui.changed());
  d.ui.compose();
  CHECK_FALSE(d.ui.changed());
  d.output("x");
  CHECK(d.ui.changed());
  d.ui.compose();
  d.output("");
  CHECK_FALSE(d.ui.changed());
}

TEST_CASE("window: scrolling back stays where it is while the guest prints, and a key comes back", "[window]") {
  Desk d;
  for (int n = 0; n < 100; n++) d.output("line " + std::to_string(n) + "\r\n");
  d.press(Key::PageUp, kShift);
  const std::string seen = d.row(0);
  CHECK(contains(seen, "line 54"));  // 77 is on top of 24 rows; a page is 23
  d.output("more\r\nmore\r\n");
  CHECK(d.row(0) == seen);
  CHECK(contains(d.row(kRows - 1), "25 lines up"));
  d.ui.text("x");
  CHECK(contains(d.row(22), "more"));
  CHECK(d.typed == "x");
  d.press(Key::Home, kShift);
  CHECK(contains(d.row(0), "line 0"));
  d.press(Key::End, kShift);
  CHECK(contains(d.row(22), "more"));
}

TEST_CASE("window: a drag selects for the middle button, Ctrl-Shift-C for the clipboard", "[window]") {
  Desk d;
  d.output("hello world");
  d.press(U'c', kCtrlShift);
  CHECK(d.clipboard.empty());
  d.mouse(MouseEvent::Kind::Press, 0, 0, 1);
  d.mouse(MouseEvent::Kind::Move, 0, 4);
  d.mouse(MouseEvent::Kind::Release, 0, 4, 1);
  CHECK(d.primary == "hello");
  d.press(U'c', kCtrlShift);
  CHECK(d.clipboard == "hello");
  d.mouse(MouseEvent::Kind::Press, 3, 0, 2);
  CHECK(d.pasted == "hello");
  CHECK(d.typed.empty());
}

TEST_CASE("window: a program that asked for marks around pasted text gets them", "[window]") {
  Desk d;
  d.clipboard = "a\nb";
  d.output("\x1b[?2004h");
  d.press(U'v', kCtrlShift);
  CHECK(d.pasted == "\x1b[200~a\nb\x1b[201~");
  CHECK(d.typed.empty());
}

TEST_CASE("window: Esc stops a paste and does not reach the guest", "[window]") {
  Desk d;
  d.ui.paste_state({.active = true, .percent = 40});
  CHECK(contains(d.row(kRows - 1), "pasting 40%"));
  d.press(Key::Escape);
  CHECK(d.stops == 1);
  CHECK(d.typed.empty());
}

TEST_CASE("window: search marks, moves and shows what has scrolled off", "[window]") {
  Desk d;
  d.output("needle\r\n");
  for (int n = 0; n < 100; n++) d.output("hay\r\n");
  d.press(U'f', kCtrlShift);
  d.ui.text("needle");
  CHECK(contains(d.row(0), "needle"));
  CHECK(contains(d.row(kRows - 2), "Search: needle"));
  d.ui.text("s");
  CHECK(contains(d.row(kRows - 1), "not found"));
  d.press(Key::Escape);
  CHECK_FALSE(d.ui.has_overlay());
  CHECK(d.typed.empty());
}

TEST_CASE("window: a typed command's answer is shown; an error too", "[window]") {
  Desk d;
  d.answer = Json{{"name", "web1"}, {"memory_bytes", u64{1} << 30}};
  d.press(U']', kCtrl);
  d.ui.text("cPS");
  d.press(Key::Enter);
  CHECK(d.ran == std::vector<std::string>{"PS"});
  CHECK(contains(d.all(), "memory : 1 GiB"));
  d.press(Key::Escape);
  d.error = Error{ErrorKind::NotFound, "there is no command 'xyz'"};
  d.press(U']', kCtrl);
  d.ui.text("cxyz");
  d.press(Key::Enter);
  CHECK(contains(d.all(), "there is no command 'xyz'"));
}

TEST_CASE("window: a message that the status bar has no room for is shown in a box", "[window]") {
  Desk d;
  d.error = Error{ErrorKind::Locked, "the guest has locked the tray of the DVD at 0,2,1 and was asked to eject it: unmount it there and try again, or use force"};
  d.press(U']', kCtrl);
  d.press(U'r');
  CHECK(contains(d.all(), "the guest has locked the tray of the DVD at 0,2,1 and was asked to eject"));
  CHECK(contains(d.all(), "it: unmount it there and try again, or use force"));
  d.press(Key::Escape);
  CHECK(!contains(d.all(), "unmount"));
  d.error->message = "short";
  d.press(U']', kCtrl);
  d.press(U'r');
  CHECK(contains(d.row(kRows - 1), "short"));
  CHECK(wrapped("aa bb cccccc d", 5) == "aa bb\ncccccc\nd");
}

TEST_CASE("window: the media menu offers what `media` lists", "[window]") {
  Desk d;
  d.answer = Json{{"drives", {{{"address", "0,2,1"}, {"tray", "closed"}, {"medium", "null:/isos"}, {"choices", {"a disc.iso", "b.iso"}}}}}};
  d.press(U']', kCtrl);
  d.ui.text("m");
  CHECK(contains(d.all(), "Eject 0,2,1 (null:/isos, closed)"));
  d.press(Key::Down);
  d.press(Key::Enter);
  CHECK(d.ran == std::vector<std::string>{"media", "insert 'a disc.iso' 0,2,1"});
  d.answer = Json{{"drives", Json::array()}};
  d.press(U']', kCtrl);
  d.ui.text("m");
  CHECK_FALSE(d.ui.has_overlay());
  CHECK(contains(d.row(kRows - 1), "no DVD drive"));
}

TEST_CASE("window: closing asks when an operating system runs", "[window]") {
  Desk d;
  d.ui.tick(0);
  d.ui.close_requested();
  CHECK(d.ran.empty());
  CHECK(contains(d.all(), "No, go on"));
  d.ui.text("n");
  CHECK(d.ran.empty());
  d.ui.close_requested();
  d.ui.text("y");
  CHECK(d.ran == std::vector<std::string>{"quit"});
  d.activity["state"] = "On (EFI)";
  d.ui.tick(500);
  d.ui.close_requested();
  CHECK(d.ran.size() == 2);
}

TEST_CASE("window: zoom, screenshot, unknown views", "[window]") {
  Desk d;
  d.press(U'=', kCtrl);
  d.press(U'+', kCtrlShift);
  CHECK(d.zoomed == 2);
  d.press(U'-', kCtrl);
  CHECK(d.zoomed == 1);
  d.press(U's', kCtrlShift);
  CHECK(contains(d.row(kRows - 2), "web1.png"));
  d.press(Key::Enter);
  CHECK(d.screenshot == "web1.png");
  CHECK_FALSE(d.ui.show("nothing"));
  CHECK(d.ui.show("help"));
  CHECK(contains(d.all(), "Shift-Insert too"));
}

TEST_CASE("window: resized, the terminal has one row less than the window", "[window]") {
  Desk d;
  d.ui.resize(41, 100);
  CHECK(d.ui.model().rows() == 40);
  CHECK(d.ui.model().columns() == 100);
  CHECK(contains(d.row(40), "web1"));
}
