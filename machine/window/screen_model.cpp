// libvterm behind ScreenModel: its cells as ours, its scrolled-off lines kept.
#include "machine/window/screen_model.h"

#include <vterm.h>

#include <algorithm>

namespace ia64::machine::window {
namespace {

Colour colour_of(const VTermColor& c) {
  if (VTERM_COLOR_IS_DEFAULT_FG(&c) || VTERM_COLOR_IS_DEFAULT_BG(&c)) return {};
  if (VTERM_COLOR_IS_INDEXED(&c)) return Colour::indexed(c.indexed.idx);
  return Colour::rgb(c.rgb.red, c.rgb.green, c.rgb.blue);
}

Cell cell_of(const VTermScreenCell& v) {
  constexpr u32 kRightHalf = ~u32{0};
  Cell out;
  out.width = v.chars[0] == kRightHalf ? u8{0} : static_cast<u8>(v.width);
  for (size_t n = 0; n < out.text.size() && v.chars[n] && out.width; n++) out.text[n] = v.chars[n];
  out.style = {.foreground = colour_of(v.fg),
               .background = colour_of(v.bg),
               .bold = v.attrs.bold != 0,
               .italic = v.attrs.italic != 0,
               .underline = v.attrs.underline != VTERM_UNDERLINE_OFF,
               .blink = v.attrs.blink != 0,
               .reverse = v.attrs.reverse != 0,
               .strike = v.attrs.strike != 0};
  return out;
}

VTermKey vterm_key(Key key) {
  switch (key) {
    case Key::Enter: return VTERM_KEY_ENTER;
    case Key::Tab: return VTERM_KEY_TAB;
    case Key::Backspace: return VTERM_KEY_BACKSPACE;
    case Key::Escape: return VTERM_KEY_ESCAPE;
    case Key::Up: return VTERM_KEY_UP;
    case Key::Down: return VTERM_KEY_DOWN;
    case Key::Left: return VTERM_KEY_LEFT;
    case Key::Right: return VTERM_KEY_RIGHT;
    case Key::Insert: return VTERM_KEY_INS;
    case Key::Delete: return VTERM_KEY_DEL;
    case Key::Home: return VTERM_KEY_HOME;
    case Key::End: return VTERM_KEY_END;
    case Key::PageUp: return VTERM_KEY_PAGEUP;
    case Key::PageDown: return VTERM_KEY_PAGEDOWN;
    default: break;
  }
  return static_cast<VTermKey>(VTERM_KEY_FUNCTION(1 + static_cast<int>(key) - static_cast<int>(Key::F1)));
}

VTermModifier vterm_modifier(Modifiers m) {
  return static_cast<VTermModifier>((m.shift ? VTERM_MOD_SHIFT : 0) | (m.alt ? VTERM_MOD_ALT : 0) | (m.ctrl ? VTERM_MOD_CTRL : 0));
}

/// Enter, Backspace and Escape have bytes of their own, which modifiers of xterm's newer kind would turn into sequences that no
/// firmware knows.
bool is_plain_byte(Key key) { return key == Key::Enter || key == Key::Tab || key == Key::Backspace || key == Key::Escape; }

}  // namespace

struct ScreenModel::Terminal {
  VTerm* vt;
  VTermScreen* screen;
  Terminal(int rows, int columns) : vt(vterm_new(rows, columns)), screen(vterm_obtain_screen(vt)) {
    vterm_set_utf8(vt, 1);
    vterm_state_set_bold_highbright(vterm_obtain_state(vt), 1);
    vterm_screen_enable_altscreen(screen, 1);
    vterm_screen_set_damage_merge(screen, VTERM_DAMAGE_SCREEN);
  }
  ~Terminal() { vterm_free(vt); }
  Terminal(const Terminal&) = delete;
};

struct ScreenModel::Callbacks {
  static ScreenModel& model(void* user) { return *static_cast<ScreenModel*>(user); }
  static int damage(VTermRect, void* user) { return model(user).version_++, 1; }
  static int move_cursor(VTermPos at, VTermPos, int visible, void* user) {
    ScreenModel& m = model(user);
    m.cursor_ = {static_cast<unsigned>(at.row), static_cast<unsigned>(at.col), visible != 0};
    m.version_++;
    return 1;
  }
  static int set_property(VTermProp property, VTermValue* value, void* user) {
    ScreenModel& m = model(user);
    m.version_++;
    switch (property) {
      case VTERM_PROP_CURSORVISIBLE: m.cursor_.visible = value->boolean; break;
      case VTERM_PROP_REVERSE: m.reverse_ = value->boolean; break;
      case VTERM_PROP_MOUSE: m.mouse_ = value->number; break;
      case VTERM_PROP_ALTSCREEN: return 1;
      default: return 1;
    }
    return 1;
  }
  static int ring(void* user) {
    if (model(user).bell) model(user).bell();
    return 1;
  }
  static int push_line(int columns, const VTermScreenCell* cells, void* user) {
    ScreenModel& m = model(user);
    std::vector<Cell> line;
    for (int c = 0; c < columns; c++) line.push_back(cell_of(cells[c]));
    const Cell blank;
    while (!line.empty() && line.back() == blank) line.pop_back();
    line.shrink_to_fit();
    m.scrollback_.push_back(std::move(line));
    m.scrolled_++;
    if (m.scrollback_.size() > kScrollbackLines) m.scrollback_.pop_front();
    return 1;
  }
  static void restore(const Cell& from, VTermScreen* screen, VTermScreenCell& to) {
    to = {};
    for (size_t n = 0; n < from.text.size(); n++) to.chars[n] = from.text[n];
    to.width = static_cast<char>(from.width == 0 ? 1 : from.width);
    to.attrs.bold = from.style.bold;
    to.attrs.italic = from.style.italic;
    to.attrs.underline = from.style.underline ? VTERM_UNDERLINE_SINGLE : VTERM_UNDERLINE_OFF;
    to.attrs.blink = from.style.blink;
    to.attrs.reverse = from.style.reverse;
    to.attrs.strike = from.style.strike;
    to.fg = colour(from.style.foreground, VTERM_COLOR_DEFAULT_FG, screen);
    to.bg = colour(from.style.background, VTERM_COLOR_DEFAULT_BG, screen);
  }
  static VTermColor colour(const Colour& c, u8 default_flag, VTermScreen*) {
    VTermColor out;
    if (c.kind == Colour::Kind::Indexed)
      vterm_color_indexed(&out, c.r);
    else
      vterm_color_rgb(&out, c.r, c.g, c.b);
    if (c.kind == Colour::Kind::Default) out.type |= default_flag;
    return out;
  }
  static int pop_line(int columns, VTermScreenCell* cells, void* user) {
    ScreenModel& m = model(user);
    if (m.scrollback_.empty()) return 0;
    const std::vector<Cell>& line = m.scrollback_.back();
    for (int c = 0; c < columns; c++) restore(static_cast<size_t>(c) < line.size() ? line[static_cast<size_t>(c)] : Cell{}, m.terminal_->screen, cells[c]);
    m.scrollback_.pop_back();
    m.scrolled_--;
    return 1;
  }
  static void output(const char* bytes, size_t size, void* user) {
    if (model(user).to_guest) model(user).to_guest({bytes, size});
  }
};

ScreenModel::ScreenModel(unsigned rows, unsigned columns)
    : rows_(std::clamp(rows, kMinRows, kMaxRows)), columns_(std::clamp(columns, kMinColumns, kMaxColumns)) {
  static constexpr VTermScreenCallbacks kCallbacks = {
      .damage = Callbacks::damage,
      .moverect = nullptr,
      .movecursor = Callbacks::move_cursor,
      .settermprop = Callbacks::set_property,
      .bell = Callbacks::ring,
      .resize = nullptr,
      .sb_pushline = Callbacks::push_line,
      .sb_popline = Callbacks::pop_line,
  };
  terminal_ = std::make_unique<Terminal>(static_cast<int>(rows_), static_cast<int>(columns_));
  vterm_output_set_callback(terminal_->vt, Callbacks::output, this);
  vterm_screen_set_callbacks(terminal_->screen, &kCallbacks, this);
  vterm_screen_reset(terminal_->screen, 1);
}

ScreenModel::~ScreenModel() = default;

void ScreenModel::feed(std::span<const u8> bytes) {
  splitter_.feed(bytes);
  vterm_screen_flush_damage(terminal_->screen);
}

void ScreenModel::write(std::string_view sequence) { vterm_input_write(terminal_->vt, sequence.data(), sequence.size()); }

void ScreenModel::piece(std::string_view piece) {
  const std::string translated = sets_.translate(piece);
  const auto is_ascii = [](char c) { return static_cast<u8>(c) < 0x80; };
  // libvterm takes text that is all ASCII or all not.
  for (auto from = translated.begin(); from != translated.end();) {
    const bool ascii = is_ascii(*from);
    const auto to = std::find_if(from, translated.end(), [&](char c) { return is_ascii(c) != ascii; });
    write({from, to});
    from = to;
  }
  if (piece[0] == '\x1b') keep_cursor_on_screen();
}

/// libvterm restores a saved cursor (DECRC) to where it was before the screen became smaller, and believes it.
void ScreenModel::keep_cursor_on_screen() {
  VTermPos at;
  vterm_state_get_cursorpos(vterm_obtain_state(terminal_->vt), &at);
  const int rows = static_cast<int>(rows_), columns = static_cast<int>(columns_);
  if (at.row >= 0 && at.row < rows && at.col >= 0 && at.col < columns) return;
  write("\x1b[" + std::to_string(std::clamp(at.row, 0, rows - 1) + 1) + ";" + std::to_string(std::clamp(at.col, 0, columns - 1) + 1) + "H");
}

/// Margins of the old size make libvterm write outside the new one; a program sets its own anew.
void ScreenModel::resize(unsigned rows, unsigned columns) {
  const auto [row, column, visible] = cursor_;
  write("\x1b[?69l\x1b[?6l\x1b[r");
  write("\x1b[" + std::to_string(row + 1) + ";" + std::to_string(column + 1) + "H");
  rows_ = std::clamp(rows, kMinRows, kMaxRows);
  columns_ = std::clamp(columns, kMinColumns, kMaxColumns);
  vterm_set_size(terminal_->vt, static_cast<int>(rows_), static_cast<int>(columns_));
  keep_cursor_on_screen();
  vterm_screen_flush_damage(terminal_->screen);
  version_++;
}

Cell ScreenModel::cell(unsigned row, unsigned column) const {
  VTermScreenCell v;
  if (row >= rows_ || column >= columns_) return {};
  if (!vterm_screen_get_cell(terminal_->screen, {static_cast<int>(row), static_cast<int>(column)}, &v)) return {};
  return cell_of(v);
}

std::vector<Cell> ScreenModel::line(u64 number) const {
  if (number < first_line() || number >= end_line()) return {};
  if (number < scrolled_) return scrollback_[number - first_line()];
  std::vector<Cell> out;
  for (unsigned c = 0; c < columns_; c++) out.push_back(cell(static_cast<unsigned>(number - scrolled_), c));
  return out;
}

void ScreenModel::clear_scrollback() {
  scrollback_.clear();
  version_++;
}

void ScreenModel::key(Key key, Modifiers modifiers) {
  if (is_plain_byte(key)) {
    if (modifiers.alt && to_guest) to_guest("\x1b");
    if (key == Key::Backspace && modifiers.ctrl) {
      if (to_guest) to_guest("\b");
      return;
    }
    modifiers = {.shift = modifiers.shift && key == Key::Tab};
  }
  vterm_keyboard_key(terminal_->vt, vterm_key(key), vterm_modifier(modifiers));
}

void ScreenModel::mouse(unsigned row, unsigned column, unsigned button, bool pressed, Modifiers modifiers) {
  vterm_mouse_move(terminal_->vt, static_cast<int>(row), static_cast<int>(column), vterm_modifier(modifiers));
  if (button) vterm_mouse_button(terminal_->vt, static_cast<int>(button), pressed, vterm_modifier(modifiers));
}

void ScreenModel::paste_begins() { vterm_keyboard_start_paste(terminal_->vt); }
void ScreenModel::paste_ends() { vterm_keyboard_end_paste(terminal_->vt); }

}  // namespace ia64::machine::window
