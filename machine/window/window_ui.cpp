// Keys, mouse and guest output to what the window shows.
#include "machine/window/window_ui.h"

#include <fmt/format.h>

#include <algorithm>

#include "machine/window/text_box.h"

namespace ia64::machine::window {
namespace {

constexpr char32_t kMenuKey = U']';  // with ctrl, as the escape key of the other consoles
constexpr long kWheelLines = 3;
constexpr unsigned kBoxMargin = 8;  // between a box of text and the window's sides

}  // namespace

WindowUi::WindowUi(std::string name, unsigned rows, unsigned columns, UiWires wires)
    : name_(std::move(name)), rows_(rows), columns_(columns), wires_(std::move(wires)), model_(rows - kBarRows, columns) {
  model_.to_guest = [this](std::string_view bytes) { wires_.type(bytes); };
}

void WindowUi::guest_output(std::span<const u8> bytes) {
  const u64 top = model_.screen_top();
  model_.feed(bytes);
  if (model_.screen_top() != top) changed_ = true;
  if (!follow_ && view_top_ < model_.first_line()) view_top_ = model_.first_line();
}

bool WindowUi::changed() { return changed_ || model_.version() != drawn_version_; }

void WindowUi::resize(unsigned rows, unsigned columns) {
  rows_ = rows;
  columns_ = columns;
  model_.resize(rows - kBarRows, columns);
  scroll(0);
  changed_ = true;
}

void WindowUi::paste_state(PasteState state) {
  paste_ = state;
  changed_ = true;
}

void WindowUi::tick(u64 now_ms) {
  now_ms_ = now_ms;
  if (!notice_.empty() && now_ms >= notice_until_ms_) notice_.clear(), changed_ = true;
  sample();
  if (overlay_) overlay_->refresh();
}

void WindowUi::sample() {
  if (sampling_) return;
  sampling_ = true;
  wires_.run("activity", [this](const Result<Json>& answer) {
    sampling_ = false;
    if (!answer) return;
    meter_.add(ActivitySample::from_json(*answer));
    changed_ = true;
  });
}

/// What stands at the left of the status bar, whatever else does.
std::string WindowUi::bar_left() const { return " Menu  " + state_text() + " │ "; }

std::string WindowUi::state_text() const { return meter_.known() ? meter_.state() : std::string("Starting"); }

/// For the status bar; one that it has no room for opens a box.
void WindowUi::notice(std::string text) {
  std::replace(text.begin(), text.end(), '\n', ' ');
  if (const unsigned room = columns_ - std::min(columns_, text_columns(bar_left())); text_columns(text) > room && !overlay_)
    return open(std::make_unique<TextBox>("", wrapped(text, columns_ - kBoxMargin)));
  notice_ = std::move(text);
  notice_until_ms_ = now_ms_ + kNoticeMs;
  changed_ = true;
}

// --- keys ------------------------------------------------------------------------------------------------------------------

void WindowUi::key(const KeyPress& press) {
  changed_ = true;
  if (shortcut(press)) return run_later();
  if (overlay_) {
    Overlay* const before = overlay_.get();
    if (!overlay_->key(press) && overlay_.get() == before) overlay_.reset();
    return run_later();
  }
  terminal_key(press);
}

void WindowUi::text(std::string_view utf8) {
  for (const char32_t c : decode_utf8(utf8)) key({.key = {}, .character = c, .modifiers = {}});
}

void WindowUi::run_later() {
  while (!actions_.empty()) {
    auto action = std::move(actions_.front());
    actions_.pop_front();
    action();
  }
}

/// Keys that mean the same wherever the user is.
bool WindowUi::shortcut(const KeyPress& press) {
  const Modifiers& m = press.modifiers;
  if (press.key == Key::Insert && m.shift && !m.ctrl) return paste(wires_.clipboard()), true;
  if (press.key || !m.ctrl || m.alt) return false;
  const char32_t c = press.character;
  if (c == U'+' || c == U'=') return wires_.zoom(1), true;
  if (c == U'-' && !m.shift) return wires_.zoom(-1), true;
  if (c == U'0') return wires_.zoom(0), true;
  if (!m.shift) return false;
  switch (c | 0x20) {
    case U'c': return copy(), true;
    case U'v': return paste(wires_.clipboard()), true;
    case U'f': return open_search(), true;
    case U's': return open_screenshot(), true;
    case U'd': return open_debugger(), true;
    case U'p': return toggle_pause(), true;
    case U'i': return step(), true;
    case U'm': return open_menu(), true;
    default: return false;
  }
}

/// Shift and a key that moves: through what has scrolled off.
bool WindowUi::scroll_key(const KeyPress& press) {
  if (!press.key || !press.modifiers.shift || press.modifiers.ctrl) return false;
  const long page = static_cast<long>(model_.rows()) - 1;
  switch (*press.key) {
    case Key::PageUp: return scroll(page), true;
    case Key::PageDown: return scroll(-page), true;
    case Key::Up: return scroll(1), true;
    case Key::Down: return scroll(-1), true;
    case Key::Home: return scroll_to(model_.first_line()), true;
    case Key::End: return scroll_to(model_.screen_top()), true;
    default: return false;
  }
}

void WindowUi::terminal_key(const KeyPress& press) {
  if (scroll_key(press)) return;
  if (!press.key && press.modifiers.ctrl && !press.modifiers.alt && press.character == kMenuKey) return open_menu();
  if (paste_.active && press.key == Key::Escape) return wires_.stop_paste(), notice("the paste was stopped");
  follow_ = true;
  if (paste_.held) wires_.release_paste();
  if (press.key) return model_.key(*press.key, press.modifiers);
  const std::string bytes = encode_character(press.character, press.modifiers);
  if (!bytes.empty()) wires_.type(bytes);
}

// --- scrolling, selecting --------------------------------------------------------------------------------------------------

void WindowUi::scroll(long lines_up) {
  const long first = static_cast<long>(model_.first_line()), last = static_cast<long>(model_.screen_top());
  const long wanted = std::clamp(static_cast<long>(top()) - lines_up, first, last);
  view_top_ = static_cast<u64>(wanted);
  follow_ = wanted == last;
  changed_ = true;
}

void WindowUi::scroll_to(u64 line) { scroll(static_cast<long>(top()) - static_cast<long>(line)); }

TextPlace WindowUi::place_of(const MouseEvent& event) const {
  return {top() + std::min(event.row, model_.rows() - 1), std::min(event.column, columns_ - 1)};
}

void WindowUi::mouse(const MouseEvent& event) {
  const bool on_bar = event.row + kBarRows >= rows_;
  if (on_bar && event.kind == MouseEvent::Kind::Press && event.button == 1) {
    if (overlay_)
      overlay_.reset();
    else
      open_menu();
    changed_ = true;
    return;
  }
  if (overlay_) {
    changed_ = true;
    Overlay* const before = overlay_.get();
    if (!overlay_->mouse(event) && overlay_.get() == before) overlay_.reset();
    return run_later();
  }
  terminal_mouse(event);
}

void WindowUi::terminal_mouse(const MouseEvent& event) {
  using Kind = MouseEvent::Kind;
  if (event.kind == Kind::Wheel) return scroll(kWheelLines * event.wheel);
  if (model_.wants_mouse() && !event.modifiers.shift && follow_)
    return model_.mouse(std::min(event.row, model_.rows() - 1), event.column, event.kind == Kind::Move ? 0 : event.button,
                        event.kind == Kind::Press, event.modifiers);
  if (event.kind == Kind::Press && event.button == 1) {
    changed_ = true;
    selecting_ = true;
    selection_.start(model_, place_of(event), event.clicks >= 3 ? SelectBy::Line : event.clicks == 2 ? SelectBy::Word : SelectBy::Character);
  } else if (event.kind == Kind::Move && selecting_) {
    if (selection_.extend(model_, place_of(event))) changed_ = true;
  } else if (event.kind == Kind::Release && event.button == 1) {
    selecting_ = false;
    if (selection_.active()) wires_.copy_primary(selection_.text());
  } else if (event.kind == Kind::Press && event.button == 2) {
    paste(wires_.primary());
  } else if (event.kind == Kind::Press && event.button == 3) {
    open_menu();
    changed_ = true;
  }
}

void WindowUi::copy() {
  if (!selection_.active()) return notice("nothing is selected: drag with the left button");
  wires_.copy(selection_.text());
  notice(fmt::format("{} characters copied", decode_utf8(selection_.text()).size()));
}

void WindowUi::paste(const std::string& text) {
  changed_ = true;
  if (text.empty()) return notice("the clipboard holds no text");
  if (overlay_) {
    overlay_->text(text);
    return;
  }
  follow_ = true;
  // What the guest asked to have around pasted text comes out of the model's own way to the guest: caught here.
  std::string before, behind;
  auto type = std::exchange(model_.to_guest, [&before](std::string_view bytes) { before += bytes; });
  model_.paste_begins();
  model_.to_guest = [&behind](std::string_view bytes) { behind += bytes; };
  model_.paste_ends();
  model_.to_guest = std::move(type);
  wires_.paste(text, before, behind);
}

// --- drawing -----------------------------------------------------------------------------------------------------------------

CellGrid WindowUi::compose() {
  selection_.check(model_);
  CellGrid grid(rows_, columns_);
  draw_terminal(grid);
  draw_bar(grid);
  if (overlay_)
    overlay_->draw(grid);
  else
    draw_cursor(grid);
  changed_ = false;
  drawn_version_ = model_.version();
  return grid;
}

void WindowUi::draw_terminal(CellGrid& grid) const {
  for (unsigned r = 0; r < model_.rows(); r++) {
    const u64 number = top() + r;
    const std::vector<Cell> line = model_.line(number);
    for (unsigned c = 0; c < columns_; c++) {
      if (c < line.size()) grid.at(r, c) = line[c];
      if (selection_.contains({number, c})) grid.at(r, c).style.background = look::kSelected, grid.at(r, c).style.reverse = false;
    }
    for (const auto& match : search_.in_line(model_, number))
      for (unsigned c = match.at.column; c < std::min(columns_, match.at.column + match.columns); c++) {
        Style& style = grid.at(r, c).style;
        style.background = match == found_ ? look::kFoundHere : look::kFound;
        style.foreground = Colour::rgb(255, 255, 255);
        style.reverse = false;
      }
  }
}

void WindowUi::draw_cursor(CellGrid& grid) const {
  const auto cursor = model_.cursor();
  if (!follow_ || !cursor.visible || cursor.row >= model_.rows() || cursor.column >= columns_) return;
  Style& style = grid.at(cursor.row, cursor.column).style;
  if (focus_)
    style.reverse = !style.reverse;
  else
    style.underline = true;
}

void WindowUi::draw_bar(CellGrid& grid) const {
  const unsigned row = rows_ - 1;
  grid.fill(row, 0, 1, columns_, look::kBar);
  unsigned column = grid.put(row, 0, " Menu ", look::kBarStrong);
  const bool warn = meter_.paused();
  column = grid.put(row, column, " " + state_text() + " ", warn ? look::kBarWarning : look::kBar);
  std::string right = name_ + " ";
  if (!follow_) right = fmt::format("{} lines up  ", model_.screen_top() - view_top_) + right;
  std::string middle;
  if (!notice_.empty())
    middle = notice_;
  else if (paste_.active)
    middle = fmt::format("pasting {}%{}; Esc stops", paste_.percent, paste_.held ? ", held by the guest" : "");
  else if (meter_.known())
    middle = fmt::format("{} │ {} │ {} │ {}", meter_.mips(), meter_.idle(), meter_.disk(), meter_.mode());
  const bool strong = !notice_.empty() || paste_.active;
  column = grid.put(row, column, "│ ", look::kBar);
  column = grid.put(row, column, middle, strong ? look::kBarWarning : look::kBar);
  const unsigned width = text_columns(right);
  if (column + width + 1 <= columns_) grid.put(row, columns_ - width, right, look::kBar);
}

}  // namespace ia64::machine::window
