// The terminal behind the window: what guest output makes of the screen, and what has scrolled off it.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "machine/window/cell.h"
#include "machine/window/character_sets.h"
#include "machine/window/control_splitter.h"
#include "machine/window/keys.h"

namespace ia64::machine::window {

/// A VT220/xterm in the subset that libvterm knows, with UTF-8. Lines have numbers that stay theirs when they scroll: the
/// oldest line kept is first_line(), the screen begins at screen_top(). One thread.
/// @source ECMA-48; DEC VT220 Programmer Reference; xterm's ctlseqs
class ScreenModel {
 public:
  static constexpr unsigned kMinRows = 4, kMinColumns = 20, kMaxRows = 1000, kMaxColumns = 1000;
  static constexpr size_t kScrollbackLines = 10'000;

  ScreenModel(unsigned rows, unsigned columns);
  ~ScreenModel();
  ScreenModel(const ScreenModel&) = delete;

  /// Answers of the terminal (cursor reports, identification) and keys: bytes for the guest. To be set before the first feed().
  std::function<void(std::string_view)> to_guest;
  std::function<void()> bell;

  void feed(std::span<const u8> bytes);
  void feed(std::string_view text) { feed({reinterpret_cast<const u8*>(text.data()), text.size()}); }
  /// Sizes outside the limits above are clamped.
  void resize(unsigned rows, unsigned columns);
  unsigned rows() const { return rows_; }
  unsigned columns() const { return columns_; }

  u64 first_line() const { return scrolled_ - scrollback_.size(); }
  u64 screen_top() const { return scrolled_; }
  u64 end_line() const { return scrolled_ + rows_; }
  /// Cells of a line; of one that has scrolled off only those up to its last character. Empty for lines that do not exist.
  std::vector<Cell> line(u64 number) const;
  Cell cell(unsigned row, unsigned column) const;

  struct Cursor {
    unsigned row = 0, column = 0;
    bool visible = true;
  };
  Cursor cursor() const { return cursor_; }
  bool reverse_screen() const { return reverse_; }
  /// Whether a program takes the mouse (and selections need shift).
  bool wants_mouse() const { return mouse_ != 0; }
  /// Counts up with everything that may have changed a line or the cursor.
  u64 version() const { return version_; }
  void clear_scrollback();

  /// A named key as the guest's modes want it; it comes out of to_guest.
  void key(Key key, Modifiers modifiers);
  void mouse(unsigned row, unsigned column, unsigned button, bool pressed, Modifiers modifiers);
  /// Around pasted text, where the guest asked for such marks.
  void paste_begins();
  void paste_ends();

 private:
  struct Callbacks;
  friend struct Callbacks;
  struct Terminal;
  void piece(std::string_view piece);
  void write(std::string_view sequence);
  void keep_cursor_on_screen();

  std::unique_ptr<Terminal> terminal_;
  ControlSplitter splitter_{[this](std::string_view p) { piece(p); }};
  CharacterSets sets_;
  std::deque<std::vector<Cell>> scrollback_;
  u64 scrolled_ = 0;
  unsigned rows_, columns_;
  Cursor cursor_;
  bool reverse_ = false;
  int mouse_ = 0;
  u64 version_ = 1;
};

}  // namespace ia64::machine::window
