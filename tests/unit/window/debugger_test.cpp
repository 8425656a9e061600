// The debugger view: what it asks, what it shows of the answers, and that late answers find nobody.
#include "machine/window/debugger_view.h"
#include "machine/window/golden_text.h"
#include "tests/support/test.h"

using namespace ia64;
using namespace ia64::machine::window;
using machine::control::Json;

namespace {

using Done = std::function<void(const Result<Json>&)>;

struct Bench {
  std::vector<std::pair<std::string, Done>> asked;
  int toggles = 0, steps = 0;
  std::unique_ptr<DebuggerView> view = std::make_unique<DebuggerView>(DebuggerView::Wires{
      .run = [this](const std::string& line, Done done) { asked.emplace_back(line, std::move(done)); },
      .toggle_pause = [this] { toggles++; },
      .step = [this] { steps++; },
      .redraw = [] {},
      .paused = [] { return true; }});

  /// The answer to the oldest question that begins so.
  void answer(const std::string& line, const Result<Json>& result) {
    for (size_t n = 0; n < asked.size(); n++)
      if (asked[n].first.starts_with(line)) {
        const Done done = asked[n].second;
        asked.erase(asked.begin() + static_cast<long>(n));
        return done(result);
      }
    FAIL("nobody asked " << line);
  }
  bool press(char32_t c) { return view->key({.key = {}, .character = c, .modifiers = {}}); }
  bool press(Key key) { return view->key({.key = key, .character = 0, .modifiers = {}}); }
  CellGrid draw() {
    CellGrid grid(25, 80);
    view->draw(grid);
    return grid;
  }
  std::string text() { return grid_text(draw()); }
};

Json registers(const char* r2) {
  return {{"ip", "0xa000000100000420"}, {"slot", 1}, {"psr", "0x1010080a2018"}, {"cfm", "0x309"}, {"pr", "0x10001"},
          {"gr", {"0x0", "0xa000000101000000", r2, nullptr}}, {"nat", {2}}, {"br", {"0xa000000100000400"}}};
}

bool contains(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("debugger view: PSR by the names of its bits", "[window]") {
  // be 1, ic 13, i 14, dt 17, cpl 33:32, it 36, bn 44. @source SDM vol. 2, table 3-2
  CHECK(psr_text(u64{1} << 1 | u64{1} << 13 | u64{1} << 14 | u64{3} << 32) == "cpl3 be ic i");
  CHECK(psr_text(u64{1} << 17 | u64{1} << 36 | u64{1} << 44) == "cpl0 dt it bn");
}

TEST_CASE("debugger view: registers with NaT and change, the code at ip", "[window]") {
  Bench b;
  b.view->refresh();
  b.answer("registers", registers("0x5"));
  b.answer("disassemble", Json{{"code", {{{"next", "=>"}, {"address", "0xa000000100000421"}, {"symbol", "start+0x20"}, {"instruction", "(p06) adds r2=8,r1"}}}}});
  std::string shown = b.text();
  CHECK(contains(shown, "ip  a000000100000420.1"));
  CHECK(contains(shown, "sof 9 sol 6 sor 0"));
  CHECK(contains(shown, "=> 0xa000000100000421  (p06) adds r2=8,r1  start+0x20"));
  CHECK(contains(shown, "r2   0000000000000005*"));
  CHECK(contains(shown, "b0   a000000100000400"));
  b.view->refresh();
  b.answer("registers", registers("0x6"));
  const CellGrid grid = b.draw();
  unsigned marked = 0;
  for (unsigned r = 0; r < grid.rows(); r++)
    for (unsigned c = 0; c < grid.columns(); c++) marked += grid.at(r, c).style.background == Colour::rgb(0xff, 0xc8, 0x57);
  CHECK(marked == 17);  // the sixteen digits of r2 and its mark of NaT
}

TEST_CASE("debugger view: pages ask for what they show", "[window]") {
  Bench b;
  b.press(U'4');
  b.answer("tlb", Json{{"translations", {{{"kind", "itr"}, {"number", 0}, {"regions", "5"}}, {{"kind", "dtc"}, {"number", 12}, {"regions", "-"}}}}});
  CHECK(contains(b.text(), "kind number regions"));
  CHECK(contains(b.text(), "dtc  12     -"));
  b.press(Key::Right);
  b.answer("faults", Json{{"taken", 7}, {"latest", {{{"number", 6}, {"interruption", "older one"}}, {{"number", 7}, {"interruption", std::string(60, 'x') + " " + std::string(30, 'y')}}}}});
  const std::string shown = b.text();
  CHECK(contains(shown, "7 taken since reset"));
  CHECK(shown.find("xxx") < shown.find("older one"));
  CHECK(contains(shown, "\n          yyy"));
}

TEST_CASE("debugger view: memory at an address that is typed, and scrolled", "[window]") {
  Bench b;
  b.draw();
  b.press(U'3');
  for (const char32_t c : std::u32string_view(U"sp+8")) b.press(c);
  b.press(Key::Enter);
  b.answer("symbol 'sp+8'", Json{{"address", "0xa000000101800008"}});
  b.answer("memory 0xa000000101800000", Json{{"memory", {{{"address", "0xa000000101800000"}, {"bytes", "41 42 43 44 45"}, {"text", "AB"}}}}, {"note", "no memory beyond"}});
  const std::string shown = b.text();
  CHECK(contains(shown, "a000000101800000  41424344 45 "));
  CHECK(contains(shown, "AB"));
  CHECK(contains(shown, "no memory beyond"));
  b.press(Key::Down);
  b.answer("memory 0xa000000101800010", Error{ErrorKind::NotFound, "no memory is seen"});
  CHECK(contains(b.text(), "no memory is seen"));
}

TEST_CASE("debugger view: g and s reach the machine, Esc leaves", "[window]") {
  Bench b;
  CHECK(b.press(U'g'));
  CHECK(b.press(U's'));
  CHECK(b.toggles == 1);
  CHECK(b.steps == 1);
  CHECK_FALSE(b.press(Key::Escape));
}

TEST_CASE("debugger view: an answer for a page that was left, or to a view that has gone, does nothing", "[window]") {
  Bench b;
  b.view->refresh();
  b.press(U'4');
  b.answer("registers", registers("0x5"));
  CHECK_FALSE(contains(b.text(), "r2"));
  b.view.reset();
  b.answer("tlb", Json::object());
}
